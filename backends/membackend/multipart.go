package membackend

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// CreateMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	b.uploads++
	u := &upload{
		key:   deref(in.Key),
		id:    fmt.Sprintf("%016x", b.uploads),
		meta:  backends.UploadMeta(in),
		parts: map[int32]*part{},
	}
	encrypt(&u.meta)
	u.meta.LastModified = b.now()
	i := sort.Search(len(k.uploads), func(i int) bool { return !k.uploads[i].before(u.key, u.id) })
	k.uploads = slices.Insert(k.uploads, i, u)
	return backends.UploadOutput(u.id, &u.meta, in), nil
}

// upload finds an unfinished upload; the caller holds the lock.
func (b *Backend) upload(bucketName, key, id *string) (*bucket, *upload, error) {
	k, err := b.bucket(bucketName)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range k.uploads {
		if u.id == deref(id) && u.key == deref(key) {
			return k, u, nil
		}
	}
	return k, nil, s3err.New(s3err.NoSuchUpload).With("UploadId", deref(id))
}

// beganAs returns what an upload was begun with; it takes the lock.
func (b *Backend) beganAs(bucketName, key, id *string) (backends.ObjectMeta, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, u, err := b.upload(bucketName, key, id)
	if err != nil {
		return backends.ObjectMeta{}, err
	}
	return u.meta, nil
}

// UploadPart implements [backends.MultipartUploader].
func (b *Backend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	meta, err := b.beganAs(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if err := backends.CheckPart(meta.Checksum, in); err != nil {
		return nil, err
	}
	if err := meta.Encryption.CheckPartKey(backends.PartKey(in)); err != nil {
		return nil, err
	}
	digest, body, err := readBody(ctx, &meta, backends.PartKey(in), backends.NewBody(in.Body, in.ContentLength))
	if err != nil {
		return nil, err
	}
	p := &part{info: digest.Part(deref(in.PartNumber)), body: body}
	if err := b.commitPart(in.Bucket, in.Key, in.UploadId, p); err != nil {
		return nil, err
	}
	return backends.UploadPartOutput(p.info, &meta, in), nil
}

// commitPart adds p to the upload, which may have ended meanwhile.
func (b *Backend) commitPart(bucketName, key, id *string, p *part) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, u, err := b.upload(bucketName, key, id)
	if err != nil {
		return err
	}
	p.info.LastModified = b.now()
	u.parts[p.info.Number] = p
	return nil
}

// UploadPartCopy implements [backends.MultipartUploader].
func (b *Backend) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	meta, err := b.beganAs(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if err := meta.Encryption.CheckPartKey(backends.PartCopyKey(in)); err != nil {
		return nil, err
	}
	from, err := b.lookup(&src.Bucket, &src.Key, src.VersionID)
	if err != nil {
		return nil, err
	}
	span, err := backends.CheckPartCopy(&from.meta, in)
	if err != nil {
		return nil, err
	}
	body := bytes.NewReader(from.body[span.Start : span.Start+span.Length])
	digest, data, err := readBody(ctx, &meta, backends.PartCopyKey(in), backends.Body{Reader: body, Length: span.Length})
	if err != nil {
		return nil, err
	}
	p := &part{info: digest.Part(deref(in.PartNumber)), body: data}
	if err := b.commitPart(in.Bucket, in.Key, in.UploadId, p); err != nil {
		return nil, err
	}
	return backends.UploadPartCopyOutput(p.info, &meta, backends.PartCopyKey(in)), nil
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, u, err := b.upload(in.Bucket, in.Key, in.UploadId)
	if s3err.Is(err, s3err.NoSuchUpload) {
		if made := k.meta(deref(in.Key)); backends.CompletedBy(made, in) {
			return backends.CompleteOutput(made), nil
		}
	}
	if err != nil {
		return nil, err
	}
	o, err := u.complete(in)
	if err != nil {
		return nil, err
	}
	if err := backends.CheckWrite(k.meta(u.key), in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	o.meta.LastModified = b.now()
	k.put(u.key, o)
	k.forget(u)
	return backends.CompleteOutput(&o.meta), nil
}

// CompleteUploadAt implements [backends.UploadPlacer].
func (b *Backend) CompleteUploadAt(ctx context.Context, in *s3.CompleteMultipartUploadInput, key string, metadata map[string]string) (*s3.CompleteMultipartUploadOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, u, err := b.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	o, err := u.complete(in)
	if err != nil {
		return nil, err
	}
	o.meta.LastModified, o.meta.Metadata = b.now(), backends.WithMetadata(o.meta.Metadata, metadata)
	k.put(key, o)
	k.forget(u)
	return backends.CompleteOutput(&o.meta), nil
}

// complete makes the object of the upload.
func (u *upload) complete(in *s3.CompleteMultipartUploadInput) (*object, error) {
	meta, err := backends.PlanComplete(u.meta, func(n int32) (backends.PartInfo, bool) {
		p, ok := u.parts[n]
		if !ok {
			return backends.PartInfo{}, false
		}
		return p.info, true
	}, in)
	if err != nil {
		return nil, err
	}
	o := &object{meta: meta, body: make([]byte, 0, meta.Size)}
	for _, p := range meta.Parts {
		o.body = append(o.body, u.parts[p.Number].body...)
	}
	return o, nil
}

// forget removes an upload that ended.
func (k *bucket) forget(u *upload) {
	k.uploads = slices.DeleteFunc(k.uploads, func(v *upload) bool { return v == u })
}

// AbortMultipartUpload implements [backends.MultipartUploader].
func (b *Backend) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, u, err := b.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if err := backends.CheckAbort(u.meta.LastModified, in); err != nil {
		return nil, err
	}
	k.forget(u)
	return &s3.AbortMultipartUploadOutput{}, nil
}

// ListParts implements [backends.MultipartUploader].
func (b *Backend) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, u, err := b.upload(in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	var parts []backends.PartInfo
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		parts = append(parts, u.parts[n].info)
	}
	return backends.ListParts(&u.meta, parts, in)
}
