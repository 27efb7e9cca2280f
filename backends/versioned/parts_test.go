package versioned_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// ofParts is an object of parts.
type ofParts struct {
	key    string
	sum    backends.Checksum // its value is not used
	bodies []string
}

// mib5 is the least part that is not the last.
var mib5 = strings.Repeat("0123456789abcdef", backends.MinPartSize/16)

// someOfParts are objects as all stores take them.
var someOfParts = []ofParts{
	{"whole", backends.Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject}, []string{mib5, mib5 + "x", "end"}},
	{"composite", backends.Checksum{Algorithm: types.ChecksumAlgorithmSha256, Type: types.ChecksumTypeComposite}, []string{"y" + mib5, mib5}},
	{"one", backends.Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject}, []string{"one part"}},
}

// emptyParts are objects with a part of no bytes.
var emptyParts = []ofParts{
	{"ends empty", backends.Checksum{Algorithm: types.ChecksumAlgorithmCrc64nvme, Type: types.ChecksumTypeFullObject}, []string{mib5, ""}},
	{"empty", backends.Checksum{Algorithm: types.ChecksumAlgorithmSha256, Type: types.ChecksumTypeComposite}, []string{""}},
	{"default checksum", backends.UploadChecksum(&s3.CreateMultipartUploadInput{}), []string{mib5, "end"}},
}

// store makes the object in b, and returns its ETag and version.
func (p ofParts) store(t *testing.T, b backends.Backend) (etag, version string) {
	t.Helper()
	u, ok := backends.As[backends.MultipartUploader](b)
	if !ok {
		t.Fatal("no uploads")
	}
	begun, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Key: &p.key, ChecksumAlgorithm: p.sum.Named().Algorithm, ChecksumType: p.sum.Named().Type, Metadata: map[string]string{"is": p.key},
	})
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for i, body := range p.bodies {
		number := aws.Int32(int32(i + 1))
		out, err := u.UploadPart(t.Context(), &s3.UploadPartInput{
			Key: &p.key, UploadId: begun.UploadId, PartNumber: number, Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
		})
		if err != nil {
			t.Fatal(err)
		}
		part := types.CompletedPart{PartNumber: number, ETag: out.ETag}
		checksum.Set(&part, p.sum.Algorithm, checksum.Get(out, p.sum.Algorithm))
		parts = append(parts, part)
	}
	out, err := u.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Key: &p.key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ETag, aws.ToString(out.VersionId)
}

// isAt checks that what is at key of b, or a version of it, is still the object, part by part.
func (p ofParts) isAt(t *testing.T, b backends.Backend, key, version, etag string) {
	t.Helper()
	id := orNil(version)
	whole, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &key, VersionId: id})
	if err != nil || *whole.ETag != etag || *whole.ContentLength != int64(len(strings.Join(p.bodies, ""))) || whole.Metadata["is"] != p.key {
		t.Fatalf("%s %s: %+v, %v; want ETag %s", key, version, whole, err, etag)
	}
	at := 0
	for i, body := range p.bodies {
		number := aws.Int32(int32(i + 1))
		head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &key, VersionId: id, PartNumber: number})
		if err != nil || *head.ContentLength != int64(len(body)) || aws.ToInt32(head.PartsCount) != int32(len(p.bodies)) || *head.ETag != etag {
			t.Errorf("%s %s: HEAD of part %d: %+v, %v", key, version, i+1, head, err)
		}
		out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Key: &key, VersionId: id, PartNumber: number})
		if err != nil {
			t.Errorf("%s %s: part %d: %v", key, version, i+1, err)
			continue
		}
		got, err := io.ReadAll(out.Body)
		_ = out.Body.Close()
		if err != nil || string(got) != body {
			t.Errorf("%s %s: part %d has %d bytes, want %d, or others (%v)", key, version, i+1, len(got), len(body), err)
		}
		wantRange := fmt.Sprintf("bytes %d-%d/%d", at, at+len(body)-1, *whole.ContentLength)
		if at += len(body); len(body) > 0 && aws.ToString(out.ContentRange) != wantRange {
			t.Errorf("%s %s: part %d is %q, want %q", key, version, i+1, aws.ToString(out.ContentRange), wantRange)
		}
	}
	_, err = b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &key, VersionId: id, PartNumber: aws.Int32(int32(len(p.bodies) + 1))})
	if !s3err.Is(err, s3err.InvalidPartNumber) {
		t.Errorf("%s %s: a part past the end: %v", key, version, err)
	}
	p.hasAttributes(t, b, key, version, etag)
}

// hasAttributes checks what GetObjectAttributes says of the object.
func (p ofParts) hasAttributes(t *testing.T, b backends.Backend, key, version, etag string) {
	t.Helper()
	a, err := backends.GetObjectAttributes(t.Context(), b, &s3.GetObjectAttributesInput{
		Key: &key, VersionId: orNil(version), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectParts},
	})
	if err != nil || *a.ETag != etag || a.ObjectParts == nil || aws.ToInt32(a.ObjectParts.TotalPartsCount) != int32(len(p.bodies)) {
		t.Fatalf("%s %s: attributes %+v, %v", key, version, a, err)
	}
	if version != "" && aws.ToString(a.VersionId) != version {
		t.Errorf("%s: attributes of %s, want %s", key, aws.ToString(a.VersionId), version)
	}
	if len(a.ObjectParts.Parts) == 0 {
		return // The store does not tell.
	}
	for i, part := range a.ObjectParts.Parts {
		h := checksum.New(p.sum.Algorithm)
		_, _ = io.WriteString(h, p.bodies[i])
		if aws.ToInt64(part.Size) != int64(len(p.bodies[i])) || aws.ToString(checksum.Get(&part, p.sum.Algorithm)) != checksum.Encode(h.Sum(nil)) {
			t.Errorf("%s %s: part %d has the attributes %+v", key, version, i+1, part)
		}
	}
}

// TestPartsAreKept: an object of parts is read part by part whatever becomes of it: as a version of its bucket or as
// an object from before, current and after it was written over, and when it is current again.
func TestPartsAreKept(t *testing.T) {
	t.Parallel()
	f := func(name string, objects []ofParts, options func(t *testing.T) versioned.Options) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			o.Complete = false
			b := versioned.New(o)
			for _, p := range objects {
				etag, _ := p.store(t, o.Heads)
				p.livesOn(t, b, "null", etag)
				if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &p.key, VersionId: new("null")}); err != nil {
					t.Fatal(err)
				}
				etag, version := p.store(t, b)
				p.livesOn(t, b, version, etag)
			}
		})
	}
	all := append(append([]ofParts{}, someOfParts...), emptyParts...)
	f("memory", all, func(t *testing.T) versioned.Options { return options(memory(t), memindex.New()) })
	f("disk", all, func(t *testing.T) versioned.Options { return options(local(t), kv(t)) })
	f("private", all, func(t *testing.T) versioned.Options {
		o := options(local(t), kv(t))
		o.Private = true
		return o
	})
	f("two stores", all, func(t *testing.T) versioned.Options {
		o := options(memory(t), memindex.New())
		o.Heads = place(local(t), headPrefix)
		return o
	})
	onServer := func(get func(*testing.T) s3servers.Server) func(*testing.T) versioned.Options {
		return func(t *testing.T) versioned.Options {
			s := get(t)
			store, bucket := connect(t, s), s.NewBucket(t)
			at := func(prefix string) backends.Backend {
				return mount.New(mount.Options{Backend: store, Bucket: bucket, Prefix: prefix})
			}
			return versioned.Options{
				Heads: at(headPrefix), Bodies: at(bodyPrefix), Index: memindex.New(), BucketID: bucketID, DataType: "content",
				Versioning: router.Enabled,
			}
		}
	}
	f("versitygw", someOfParts, onServer(s3servers.VersityGW))
	f("MinIO", someOfParts, onServer(s3servers.MinIO))
}

// livesOn looks at a version that is current, writes over it, and has it be current again.
func (p ofParts) livesOn(t *testing.T, b backends.Backend, version, etag string) {
	t.Helper()
	p.isAt(t, b, p.key, "", etag)
	p.isAt(t, b, p.key, version, etag)
	put, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Key: &p.key, Body: strings.NewReader("new"), ContentLength: aws.Int64(3), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.isAt(t, b, p.key, version, etag)
	if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &p.key, VersionId: put.VersionId}); err != nil {
		t.Fatal(err)
	}
	p.isAt(t, b, p.key, "", etag)
	p.isAt(t, b, p.key, version, etag)
}

// TestPartsOfBodies: the body of an object from before is of the same parts also to who reads the store itself.
func TestPartsOfBodies(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	p := someOfParts[1]
	etag, _ := p.store(t, b.o.Heads)
	b.put(p.key, "new")
	key := b.o.Layout.Body("content", p.key, 0)
	head, err := b.o.Bodies.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &key, PartNumber: aws.Int32(2), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || *head.ETag != etag || aws.ToInt32(head.PartsCount) != 2 || head.ChecksumType != types.ChecksumTypeComposite {
		t.Errorf("%+v, %v", head, err)
	}
	if m, ok := versioned.ReadMark(head.Metadata); !ok || m.ID.N != 0 || !m.ID.Null {
		t.Errorf("the body has the metadata %v", head.Metadata)
	}
	b.noUploads()
}

// noUploads checks that no upload was left in the store.
func (b *bucketOf) noUploads() {
	b.Helper()
	out, err := b.below.ListMultipartUploads(b.Context(), &s3.ListMultipartUploadsInput{Bucket: new("physical")})
	if err != nil || len(out.Uploads) > 0 {
		b.Errorf("%d uploads are left, %v", len(out.Uploads), err)
	}
}

// TestPartsThatCannotBeKept: where a store does not take the parts, an object from before is written over all the same, and
// keeps its bytes and its ETag. When the store is down it is not written over.
func TestPartsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	p := someOfParts[0]
	f := func(op string, code s3err.Code, kept bool) {
		t.Helper()
		b := open(t, before)
		etag, _ := p.store(t, b.o.Heads)
		b.store.SetPlan(faultbackend.On(op, faultbackend.Fault{Err: s3err.New(code)}))
		_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
			Key: &p.key, Body: strings.NewReader("new"), ContentLength: aws.Int64(3),
		})
		b.store.SetPlan(nil)
		b.noUploads()
		if !kept {
			if !s3err.Is(err, code) {
				t.Errorf("%s %s: %v", op, code, err)
			}
			p.isAt(t, b, p.key, "null", etag)
			return
		}
		if err != nil {
			t.Fatalf("%s %s: %v", op, code, err)
		}
		out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Key: &p.key, VersionId: new("null")})
		if err != nil {
			t.Fatalf("%s %s: %v", op, code, err)
		}
		defer out.Body.Close()
		if got, err := io.ReadAll(out.Body); err != nil || string(got) != strings.Join(p.bodies, "") || *out.ETag != etag {
			t.Errorf("%s %s: %d bytes, ETag %s, %v", op, code, len(got), *out.ETag, err)
		}
	}
	f("CreateMultipartUpload", s3err.NotImplemented, true)
	f("UploadPartCopy", s3err.InvalidRequest, true)
	f("CompleteMultipartUpload", s3err.EntityTooSmall, true)
	f("UploadPartCopy", s3err.ServiceUnavailable, false)
	f("CompleteMultipartUpload", s3err.SlowDown, false)
}

// TestCopyIsNoUpload: the upload by which an object from before is copied by parts cannot be completed by a client.
func TestCopyIsNoUpload(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	p := someOfParts[2]
	etag, _ := p.store(t, b.o.Heads)
	b.store.SetPlan(func(c faultbackend.Call) faultbackend.Fault {
		if c.Op == "UploadPartCopy" || c.Op == "AbortMultipartUpload" { // as if the process had ended
			return faultbackend.Fault{Err: s3err.New(s3err.ServiceUnavailable)}
		}
		return faultbackend.Fault{}
	})
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{Key: &p.key, Body: strings.NewReader("new"), ContentLength: aws.Int64(3)}); err == nil {
		t.Fatal("it was written over")
	}
	b.store.SetPlan(nil)
	b.put(p.key, "new")
	u, _ := backends.As[backends.MultipartUploader](b.Backend)
	list, err := u.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{})
	if err != nil || len(list.Uploads) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	id := list.Uploads[0].UploadId
	part, err := u.UploadPart(t.Context(), &s3.UploadPartInput{
		Key: &p.key, UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("other"), ContentLength: aws.Int64(5),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Key: &p.key, UploadId: id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
	})
	b.wantError(err, s3err.NoSuchUpload)
	p.isAt(t, b, p.key, "null", etag)
	if _, err := u.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Key: &p.key, UploadId: id}); err != nil {
		t.Error(err)
	}
	b.noUploads()
}

// TestBodyOfParts: a body that was lost is made again of the head, of its parts when the head has them.
func TestBodyOfParts(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	p := someOfParts[0]
	_, version := p.store(t, b.Backend)
	top, err := b.index.Top(t.Context(), versions.Object{BucketID: bucketID, Key: p.key})
	if err != nil {
		t.Fatal(err)
	}
	key := b.o.Layout.Body("content", p.key, 0)
	if _, err := b.o.Bodies.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &key}); err != nil {
		t.Fatal(err)
	}
	ok, err := versioned.NewPlace(b.o).BringBack(t.Context(), p.key, top.State.Current)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Key: &p.key, VersionId: &version})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if got, err := io.ReadAll(out.Body); err != nil || string(got) != strings.Join(p.bodies, "") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	b.noUploads()
}
