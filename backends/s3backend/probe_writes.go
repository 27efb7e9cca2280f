package s3backend

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// other is an ETag that no object of a probe has.
const other = `"00000000000000000000000000000000"`

// putIfAbsent creates an object twice.
func (p *probe) putIfAbsent() (bool, error) {
	absent := func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") }
	return all(
		func() (bool, error) { return taken(second(p.put("absent", "one", absent))) },
		func() (bool, error) {
			return refusal(second(p.put("absent", "two", absent)), s3err.PreconditionFailed)
		},
		func() (bool, error) { return p.holds("absent", "one") },
	)
}

// putIfMatch replaces an object under its ETag, another one, and one that is not there.
func (p *probe) putIfMatch() (bool, error) {
	match := func(etag string) func(*s3.PutObjectInput) {
		return func(in *s3.PutObjectInput) { in.IfMatch = &etag }
	}
	out, err := p.put("match", "one", nil)
	if err != nil {
		return false, err
	}
	return all(
		func() (bool, error) {
			return refusal(second(p.put("match", "two", match(other))), s3err.PreconditionFailed)
		},
		func() (bool, error) { return p.holds("match", "one") },
		func() (bool, error) { return taken(second(p.put("match", "three", match(value(out.ETag))))) },
		func() (bool, error) {
			return refusal(second(p.put("match-none", "x", match(other))), s3err.NoSuchKey)
		},
	)
}

// second is the error of a call whose output does not matter.
func second[T any](_ T, err error) error { return err }

// complete makes an object of one part.
func (p *probe) complete(name, body string, edit func(*s3.CompleteMultipartUploadInput)) error {
	u, err := p.begin(name)
	if err != nil {
		return err
	}
	return p.completeUpload(u, body, edit)
}

// completeAs makes an object of one part, of an upload that is edited.
func (p *probe) completeAs(name, body string, edit func(*s3.CreateMultipartUploadInput)) error {
	u, err := p.beginAs(name, edit)
	if err != nil {
		return err
	}
	return p.completeUpload(u, body, func(*s3.CompleteMultipartUploadInput) {})
}

// completeUpload uploads the only part of an upload, and completes it.
func (p *probe) completeUpload(u uploadName, body string, edit func(*s3.CompleteMultipartUploadInput)) error {
	part, err := p.UploadPart(p.ctx, &s3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: new(int32(1)),
		Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
	})
	if err != nil {
		return err
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: part.ETag}}},
	}
	edit(in)
	_, err = p.CompleteMultipartUpload(p.ctx, in)
	return err
}

// completeIfAbsent creates an object twice.
func (p *probe) completeIfAbsent() (bool, error) {
	absent := func(in *s3.CompleteMultipartUploadInput) { in.IfNoneMatch = new("*") }
	return all(
		func() (bool, error) { return taken(p.complete("complete-absent", "one", absent)) },
		func() (bool, error) {
			return refusal(p.complete("complete-absent", "two", absent), s3err.PreconditionFailed)
		},
		func() (bool, error) { return p.holds("complete-absent", "one") },
	)
}

// completeIfMatch replaces an object under another ETag and its own.
func (p *probe) completeIfMatch() (bool, error) {
	match := func(etag string) func(*s3.CompleteMultipartUploadInput) {
		return func(in *s3.CompleteMultipartUploadInput) { in.IfMatch = &etag }
	}
	out, err := p.put("complete-match", "one", nil)
	if err != nil {
		return false, err
	}
	return all(
		func() (bool, error) {
			return refusal(p.complete("complete-match", "two", match(other)), s3err.PreconditionFailed)
		},
		func() (bool, error) { return p.holds("complete-match", "one") },
		func() (bool, error) { return taken(p.complete("complete-match", "three", match(value(out.ETag)))) },
	)
}

// copy copies the plain object.
func (p *probe) copy(name string, edit func(*s3.CopyObjectInput)) error {
	key := p.key(name)
	in := &s3.CopyObjectInput{Bucket: &p.bucket, Key: &key}
	edit(in)
	_, err := p.CopyObject(p.ctx, p.plainObject(), in)
	return err
}

// plainObject is an object that every probe has.
func (p *probe) plainObject() backends.CopySource {
	return backends.CopySource{Bucket: p.bucket, Key: p.prefix + "plain"}
}

// copyIfAbsent copies to an object that is there, and to one that is not.
func (p *probe) copyIfAbsent() (bool, error) {
	absent := func(in *s3.CopyObjectInput) { in.IfNoneMatch = new("*") }
	if _, err := p.put("copy-absent", "one", nil); err != nil {
		return false, err
	}
	return all(
		func() (bool, error) {
			return refusal(p.copy("copy-absent", absent), s3err.PreconditionFailed)
		},
		func() (bool, error) { return p.holds("copy-absent", "one") },
		func() (bool, error) { return taken(p.copy("copy-new", absent)) },
	)
}

// copyIfMatch copies to an object under another ETag and its own.
func (p *probe) copyIfMatch() (bool, error) {
	match := func(etag string) func(*s3.CopyObjectInput) {
		return func(in *s3.CopyObjectInput) { in.IfMatch = &etag }
	}
	out, err := p.put("copy-match", "one", nil)
	if err != nil {
		return false, err
	}
	return all(
		func() (bool, error) {
			return refusal(p.copy("copy-match", match(other)), s3err.PreconditionFailed)
		},
		func() (bool, error) { return p.holds("copy-match", "one") },
		func() (bool, error) { return taken(p.copy("copy-match", match(value(out.ETag)))) },
	)
}

// del deletes an object under a condition.
func (p *probe) del(name string, edit func(*s3.DeleteObjectInput)) error {
	key := p.key(name)
	in := &s3.DeleteObjectInput{Bucket: &p.bucket, Key: &key}
	edit(in)
	_, err := p.DeleteObject(p.ctx, in)
	return err
}

// deleteIfMatch deletes under another ETag, under any, and once more.
func (p *probe) deleteIfMatch() (bool, error) {
	match := func(etag string) func(*s3.DeleteObjectInput) {
		return func(in *s3.DeleteObjectInput) { in.IfMatch = &etag }
	}
	if _, err := p.put("delete", "one", nil); err != nil {
		return false, err
	}
	return all(
		func() (bool, error) { return refusal(p.del("delete", match(other)), s3err.PreconditionFailed) },
		func() (bool, error) { return p.holds("delete", "one") },
		func() (bool, error) { return taken(p.del("delete", match("*"))) },
		func() (bool, error) { return refusal(p.del("delete", match("*")), s3err.NoSuchKey) },
	)
}

// deleteIfUnchanged deletes under another size, the right size and time, and once more.
func (p *probe) deleteIfUnchanged() (bool, error) {
	size := func(n int64) func(*s3.DeleteObjectInput) {
		return func(in *s3.DeleteObjectInput) { in.IfMatchSize = &n }
	}
	if _, err := p.put("delete-size", "one", nil); err != nil {
		return false, err
	}
	head, err := p.headOf("delete-size")
	if err != nil {
		return false, err
	}
	return all(
		func() (bool, error) { return refusal(p.del("delete-size", size(4)), s3err.PreconditionFailed) },
		func() (bool, error) { return p.holds("delete-size", "one") },
		func() (bool, error) {
			return taken(p.del("delete-size", func(in *s3.DeleteObjectInput) {
				in.IfMatchSize, in.IfMatchLastModifiedTime = new(int64(3)), head.LastModified
			}))
		},
		func() (bool, error) { return taken(p.del("delete-size", size(3))) },
	)
}
