package s3backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// dateConditions reads with the time that the service shows.
func (p *probe) dateConditions() (bool, error) {
	head, err := p.headOf("plain")
	if err != nil {
		return false, err
	}
	return all(
		func() (bool, error) {
			return refusal(second(p.get("plain", func(in *s3.GetObjectInput) { in.IfModifiedSince = head.LastModified })), s3err.NotModified)
		},
		func() (bool, error) {
			return taken(second(p.get("plain", func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = head.LastModified })))
		},
	)
}

// crc64 is the algorithm that the edge chooses for those who choose none.
const crc64 = types.ChecksumAlgorithmCrc64nvme

// claim makes a put name the checksum of body ahead.
func claim(body string) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) {
		h := checksum.New(crc64)
		h.Write([]byte(body))
		in.ChecksumAlgorithm = crc64
		checksum.Set(in, crc64, new(checksum.Encode(h.Sum(nil))))
	}
}

// checksums sends a wrong checksum ahead, and a right one.
func (p *probe) checksums() (bool, error) {
	return all(
		func() (bool, error) {
			err := second(p.put("sum", "body", claim("another body")))
			ok, down := taken(err)
			return !ok && down == nil, down
		},
		func() (bool, error) { return taken(second(p.put("sum", "body", claim("body")))) },
		func() (bool, error) { return p.shows("sum", "body", "") },
	)
}

// moreChecksums sends wrong and right checksums with every algorithm that other services may not know.
func (p *probe) moreChecksums() (bool, error) {
	for _, a := range checksum.All() {
		if checksum.Early(a) {
			continue
		}
		if ok, err := p.knows(a); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// knows tells whether the service refuses a wrong checksum of a, and takes and shows a right one.
func (p *probe) knows(a types.ChecksumAlgorithm) (bool, error) {
	claim := func(body string) func(*s3.PutObjectInput) {
		h := checksum.New(a)
		h.Write([]byte(body))
		return func(in *s3.PutObjectInput) {
			in.ChecksumAlgorithm = a
			checksum.Set(in, a, new(checksum.Encode(h.Sum(nil))))
		}
	}
	if ok, err := taken(second(p.put("more", "body", claim("another body")))); ok || err != nil {
		return false, err
	}
	if ok, err := taken(second(p.put("more", "body", claim("body")))); !ok || err != nil {
		return false, err
	}
	head, err := p.headOf("more")
	if err != nil {
		return taken(err)
	}
	return checksum.Get(head, a) != nil, nil
}

// defaultChecksums makes objects of one part, sent and copied, of uploads that named no checksum: the part that is sent
// has one, and so has the list of parts.
func (p *probe) defaultChecksums() (bool, error) {
	return all(
		func() (bool, error) {
			return p.defaultChecksum("default-sent", func(u uploadName) (*string, error) {
				out, err := p.UploadPart(p.ctx, &s3.UploadPartInput{
					Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: new(int32(1)),
					Body: strings.NewReader("x"), ContentLength: new(int64(1)),
				})
				if err != nil {
					return nil, err
				}
				return out.ETag, nil
			})
		},
		func() (bool, error) {
			return p.defaultChecksum("default-copied", func(u uploadName) (*string, error) {
				out, err := p.UploadPartCopy(p.ctx, p.plainObject(), &s3.UploadPartCopyInput{
					Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: new(int32(1)),
				})
				if err != nil {
					return nil, err
				}
				return out.CopyPartResult.ETag, nil
			})
		},
	)
}

// defaultChecksum tells whether the object of such an upload, whose part is "x", shows CRC64NVME.
func (p *probe) defaultChecksum(name string, part func(uploadName) (etag *string, err error)) (bool, error) {
	u, err := p.beginAs(name, func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm, in.ChecksumType = "", "" })
	if err != nil {
		return taken(err)
	}
	tag, err := part(u)
	if err != nil {
		return taken(err)
	}
	listed := types.CompletedPart{PartNumber: new(int32(1)), ETag: tag}
	var sum s3.PutObjectInput
	claim("x")(&sum)
	checksum.Set(&listed, crc64, sum.ChecksumCRC64NVME)
	_, err = p.CompleteMultipartUpload(p.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{listed}},
	})
	if err != nil {
		return taken(err)
	}
	return p.shows(name, "x", "")
}

// shows tells whether the service shows the checksum of body, and that encoding
// with no trace of how it was sent.
func (p *probe) shows(name, body, encoding string) (bool, error) {
	head, err := p.headOf(name)
	if err != nil {
		return taken(err)
	}
	var want s3.PutObjectInput
	claim(body)(&want)
	return value(checksum.Get(head, crc64)) == *want.ChecksumCRC64NVME && value(head.ContentEncoding) == encoding, nil
}

// chunkedEncoding names aws-chunked in Content-Encoding, alone and beside another.
func (p *probe) chunkedEncoding() (bool, error) {
	return all(func() (bool, error) { return p.chunked("encoding", "") }, func() (bool, error) { return p.chunked("gzipped", "gzip") })
}

// trailers sends checksums after bodies, with aws-chunked named and without.
func (p *probe) trailers() (bool, error) {
	can := *p.can.Load()
	defer p.can.Store(&can)
	without := can
	without.ChunkedEncoding = false
	if ok, err := p.chunkedEncoding(); ok || err != nil {
		return ok, err
	}
	p.can.Store(&without)
	return p.chunkedEncoding()
}

// chunked sends a body of two chunks and a trailer, and tells whether the object
// is what it should be.
func (p *probe) chunked(name, encoding string) (bool, error) {
	body := strings.Repeat("trailer ", chunkBytes/8+1)
	return all(
		func() (bool, error) {
			return taken(second(p.put(name, body, func(in *s3.PutObjectInput) {
				in.ChecksumAlgorithm, in.ContentEncoding = crc64, optional(encoding)
			})))
		},
		func() (bool, error) { return p.holds(name, body) },
		func() (bool, error) { return p.shows(name, body, encoding) },
	)
}

// breaks is how often wholeBodies breaks off: whether a service that stores such bodies does so depends on how much of
// one has come when it sees the end.
const breaks = 12

// wholeBodies breaks off in the middle of bodies without a checksum.
func (p *probe) wholeBodies() (bool, error) {
	can := *p.can.Load()
	defer p.can.Store(&can)
	without := can
	without.Checksums = false
	p.can.Store(&without)
	var names []string
	for i := range breaks {
		name := fmt.Sprintf("short%d", i)
		broken := io.MultiReader(strings.NewReader(strings.Repeat("x", chunkBytes)), brokenReader{})
		err := second(p.put(name, "", func(in *s3.PutObjectInput) { in.Body, in.ContentLength = broken, new(int64(2*chunkBytes)) }))
		if err == nil || !errors.Is(err, errBroken) {
			return taken(err)
		}
		names = append(names, name)
	}
	return p.stayMissing(names)
}

// How long a service may take to store what it should not store.
const (
	storeWait     = time.Second
	storeInterval = 50 * time.Millisecond
)

// stayMissing tells whether there are no such objects, now and a while later.
func (p *probe) stayMissing(names []string) (bool, error) {
	ctx, cancel := context.WithTimeout(p.ctx, storeWait)
	defer cancel()
	tick := time.NewTicker(storeInterval)
	defer tick.Stop()
	for {
		for _, name := range names {
			if ok, err := refusal(second(p.headOf(name)), s3err.NoSuchKey); !ok || err != nil {
				return false, err
			}
		}
		select {
		case <-ctx.Done():
			return p.ctx.Err() == nil, p.ctx.Err()
		case <-tick.C:
		}
	}
}

// errBroken is what a body of a probe ends in.
var errBroken = errors.New("a body of a probe that breaks off")

// brokenReader is a body that has broken off.
type brokenReader struct{}

// Read implements io.Reader.
func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// uploadPartCopy copies a part into an upload with checksums. There are services that take the checksum of the source
// for that of the part, and then show one of the object that is wrong.
func (p *probe) uploadPartCopy() (bool, error) {
	if _, err := p.put("part-source", "xy", claim("xy")); err != nil { // It takes no checksums.
		if _, err := p.put("part-source", "xy", nil); err != nil {
			return taken(err)
		}
	}
	source := p.plainObject()
	source.Key = p.key("part-source")
	u, err := p.begin("part-copy")
	if err != nil {
		return taken(err)
	}
	out, err := p.UploadPartCopy(p.ctx, source, &s3.UploadPartCopyInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: new(int32(1)), CopySourceRange: new("bytes=0-0"),
	})
	if err != nil {
		return taken(err)
	}
	_, err = p.CompleteMultipartUpload(p.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{
			{PartNumber: new(int32(1)), ETag: out.CopyPartResult.ETag},
		}},
	})
	if err != nil {
		return taken(err)
	}
	head, err := p.headOf("part-copy")
	if err != nil {
		return taken(err)
	}
	var right s3.PutObjectInput
	claim("x")(&right)
	if sum := checksum.Get(head, crc64); sum != nil && *sum != *right.ChecksumCRC64NVME {
		return false, nil
	}
	return p.holds("part-copy", "x")
}

// attributes asks for the parts of an object of one, and for those behind it.
func (p *probe) attributes() (bool, error) {
	if err := p.complete("attributes", "x", func(*s3.CompleteMultipartUploadInput) {}); err != nil {
		return taken(err)
	}
	list := func(marker string, want int) func() (bool, error) {
		return func() (bool, error) {
			key := p.key("attributes")
			out, err := p.GetObjectAttributes(p.ctx, &s3.GetObjectAttributesInput{
				Bucket: &p.bucket, Key: &key, PartNumberMarker: &marker,
				ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectParts},
			})
			if err != nil {
				return taken(err)
			}
			parts := out.ObjectParts
			return parts != nil && value(parts.PartNumberMarker) == marker && len(parts.Parts) == want &&
				(want == 0 || checksum.Get(&parts.Parts[0], crc64) != nil), nil
		}
	}
	return all(list("0", 1), list("1", 0))
}

// storageClasses stores an object in a class that everybody knows who knows any.
func (p *probe) storageClasses() (bool, error) {
	class := types.StorageClassStandardIa
	_, err := p.put("class", "x", func(in *s3.PutObjectInput) { in.StorageClass = class })
	if err != nil {
		return taken(err)
	}
	head, err := p.headOf("class")
	if err != nil {
		return taken(err)
	}
	return head.StorageClass == class, nil
}

// listUploads lists two uploads by a prefix that is no whole key.
func (p *probe) listUploads() (bool, error) {
	var want []string
	for _, name := range []string{"uploads/a", "uploads/b/c"} {
		u, err := p.begin(name)
		if err != nil {
			return taken(err)
		}
		want = append(want, u.id)
	}
	out, err := p.ListMultipartUploads(p.ctx, &s3.ListMultipartUploadsInput{Bucket: &p.bucket, Prefix: new(p.prefix + "uploads/")})
	if err != nil {
		return taken(err)
	}
	var got []string
	for _, u := range out.Uploads {
		got = append(got, value(u.UploadId))
	}
	return slices.Equal(got, want), nil
}

// list returns what a listing below name shows, without our prefix.
func (p *probe) list(name string, edit func(*s3.ListObjectsV2Input)) (keys []string, truncated bool, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &p.bucket, Prefix: new(p.prefix + name)}
	if edit != nil {
		edit(in)
	}
	out, err := p.ListObjectsV2(p.ctx, in)
	if err != nil {
		return nil, false, err
	}
	for _, o := range out.Contents {
		keys = append(keys, strings.TrimPrefix(value(o.Key), p.prefix))
	}
	return keys, *out.IsTruncated, nil
}

// lists stores objects and tells whether a listing shows them, and nothing else.
func (p *probe) lists(dir string, names ...string) (bool, error) {
	var want []string
	for i, name := range names {
		if _, err := p.put(dir+name, strings.Repeat("x", i+1), nil); err != nil {
			return taken(err)
		}
		want = append(want, dir+name)
	}
	slices.Sort(want)
	got, _, err := p.list(dir, nil)
	if err != nil {
		return taken(err)
	}
	return slices.Equal(got, want), nil
}

// encodedListings lists keys that need escapes in XML or in URLs.
func (p *probe) encodedListings() (bool, error) {
	return p.lists("encoded/", "\x01", "a+b", "a b", "a%2Bb", "ü\uffff")
}

// exactListings has found services that say there is more when the next key
// has not the prefix, and others that say there is not when StartAfter lies in a
// directory and keys stand between its name and what is in it.
func (p *probe) exactListings() (bool, error) {
	before := []string{"a!", `a"`, "a#", "a$", "a%", "a&", "a'", "a("}
	if ok, err := p.lists("pages/", append(before, "a/1", "a/2", "b", "c", "d")...); !ok || err != nil {
		return false, err
	}
	return all(
		p.page("pages/", "a!", 20, false, "a\"", "a#", "a$", "a%", "a&", "a'", "a(", "a/1", "a/2", "b", "c", "d"),
		p.page("pages/", "a(", 5, false, "a/1", "a/2", "b", "c", "d"),
		p.page("pages/", "a/1", 4, false, "a/2", "b", "c", "d"),
		p.page("pages/b", "", 1, false, "b"),
		p.page("pages/a/", "", 2, false, "a/1", "a/2"),
		p.page("pages/a", "a(", 2, false, "a/1", "a/2"),
		p.page("pages/", "a(", 4, true, "a/1", "a/2", "b", "c"),
		p.page("pages/", "a/1", 2, true, "a/2", "b"),
		p.page("", "a/1", 2, true, "a/2", "b"),
		p.page("", "a/2", 1, true, "b"),
	)
}

// page tells whether a page of what is below prefix shows names. Without prefix it is one
// of the whole bucket.
func (p *probe) page(prefix, after string, size int32, truncated bool, names ...string) func() (bool, error) {
	return func() (bool, error) {
		got, more, err := p.list(prefix, func(in *s3.ListObjectsV2Input) {
			in.MaxKeys = &size
			if after != "" {
				in.StartAfter = new(p.prefix + "pages/" + after)
			}
			if prefix == "" {
				in.Prefix = nil
			}
		})
		if err != nil {
			return taken(err)
		}
		for i := range got {
			got[i] = strings.TrimPrefix(got[i], "pages/")
		}
		return slices.Equal(got, names) && more == truncated, nil
	}
}

// anyKey has keys that are no paths, or no different paths.
func (p *probe) anyKey() (bool, error) {
	return p.lists("keys/", "a", "a/b", "a//b", "a/./b", "a/../b", "a/", strings.Repeat("s", maxSegment+1))
}
