package s3backend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// cleanUpTimeout bounds the clean-up after a probe, which goes on when the
// caller has gone.
const cleanUpTimeout = 30 * time.Second

// probe tries out what a service does. Its store holds the service to be able
// to do everything, so that every request is sent as it is.
type probe struct {
	*Backend
	ctx            context.Context
	bucket, prefix string
	keys           []string // that may be there
	uploads        []uploadName
}

// ability is one thing to try: whether the service can, or why that could not be found out.
type ability struct {
	can *bool
	try func(*probe) (bool, error)
}

// abilities are all things to try, and where in c to note them.
func abilities(c *Capabilities) []ability {
	return []ability{
		{&c.PutIfAbsent, (*probe).putIfAbsent},
		{&c.PutIfMatch, (*probe).putIfMatch},
		{&c.CompleteIfAbsent, (*probe).completeIfAbsent},
		{&c.CompleteIfMatch, (*probe).completeIfMatch},
		{&c.CopyIfAbsent, (*probe).copyIfAbsent},
		{&c.CopyIfMatch, (*probe).copyIfMatch},
		{&c.DeleteIfMatch, (*probe).deleteIfMatch},
		{&c.DeleteIfUnchanged, (*probe).deleteIfUnchanged},
		{&c.DateConditions, (*probe).dateConditions},
		{&c.Checksums, (*probe).checksums},
		{&c.MoreChecksums, (*probe).moreChecksums},
		{&c.DefaultChecksums, (*probe).defaultChecksums},
		{&c.ChunkedEncoding, (*probe).chunkedEncoding},
		{&c.Trailers, (*probe).trailers},
		{&c.WholeBodies, (*probe).wholeBodies},
		{&c.UploadPartCopy, (*probe).uploadPartCopy},
		{&c.StorageClasses, (*probe).storageClasses},
		{&c.ListUploads, (*probe).listUploads},
		{&c.ObjectParts, (*probe).attributes},
		{&c.ObjectTags, (*probe).objectTags},
		{&c.EncodedListings, (*probe).encodedListings},
		{&c.ExactListings, (*probe).exactListings},
		{&c.Encryption, (*probe).encryption},
		{&c.KMS, (*probe).kms},
		{&c.CustomerKeys, (*probe).customerKeys},
		{&c.AnyKey, (*probe).anyKey},
	}
}

// Probe finds out what the service can do, with small objects of the bucket
// under prefix, which it removes again. The error is that of a service that
// could not be asked; what the service refuses is something it cannot.
func (b *Backend) Probe(ctx context.Context, bucket, prefix string) (c Capabilities, err error) {
	everything := All()
	everything.DeleteIfUnchanged, everything.DefaultChecksums = true, true
	p := &probe{
		Backend: &Backend{
			name: b.name, region: b.region, client: b.client, retryer: b.retryer, begun: b.begun,
			replayBytes: -1, // bodies are sent with trailers
		},
		ctx: ctx, bucket: bucket, prefix: prefix + rand.Text() + "/",
	}
	p.can.Store(&everything)
	defer func() { err = errors.Join(err, p.cleanUp()) }()
	if _, err := p.put("plain", "x", nil); err != nil {
		return c, err
	}
	for _, a := range abilities(&c) {
		if *a.can, err = a.try(p); err != nil {
			return c, fmt.Errorf("probing connection %q: %w", b.name, err)
		}
	}
	return c, nil
}

// cleanUp removes all that may have been left.
func (p *probe) cleanUp() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), cleanUpTimeout)
	defer cancel()
	var all error
	for _, u := range p.uploads {
		_, err := p.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.bucket, Key: &u.key, UploadId: &u.id})
		if !s3err.Is(err, s3err.NoSuchUpload) {
			all = errors.Join(all, err)
		}
	}
	for i := len(p.keys) - 1; i >= 0; i-- { // what is below a key before it
		if _, err := p.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &p.bucket, Key: &p.keys[i]}); err != nil && isDown(err) {
			all = errors.Join(all, err)
		}
	}
	if all != nil {
		return fmt.Errorf("connection %q: cleaning up after a probe below %q: %w", p.name, p.prefix, all)
	}
	return nil
}

// isDown reports an error that says nothing about abilities.
func isDown(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		s3err.Is(err, s3err.ServiceUnavailable) || s3err.Is(err, s3err.SlowDown)
}

// refusal tells whether err is the one that the service should give. An error
// that says nothing about abilities is returned.
func refusal(err error, code s3err.Code) (bool, error) {
	if isDown(err) {
		return false, err
	}
	return s3err.Is(err, code), nil
}

// taken tells whether the service gave no error. One that says nothing about
// abilities is returned.
func taken(err error) (bool, error) {
	if isDown(err) {
		return false, err
	}
	return err == nil, nil
}

// all tries steps until one fails.
func all(steps ...func() (bool, error)) (bool, error) {
	for _, step := range steps {
		if ok, err := step(); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// key is the physical key of a name, which is remembered.
func (p *probe) key(name string) string {
	key := p.prefix + name
	p.keys = append(p.keys, key)
	return key
}

// put stores an object without a checksum, unless edit wants one.
func (p *probe) put(name, body string, edit func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
	key := p.key(name)
	in := &s3.PutObjectInput{
		Bucket: &p.bucket, Key: &key,
		Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
	}
	if edit != nil {
		edit(in)
	}
	return p.PutObject(p.ctx, in)
}

// get reads an object.
func (p *probe) get(name string, edit func(*s3.GetObjectInput)) (string, error) {
	key := p.key(name)
	in := &s3.GetObjectInput{Bucket: &p.bucket, Key: &key}
	if edit != nil {
		edit(in)
	}
	out, err := p.GetObject(p.ctx, in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}

// holds tells whether an object has that body.
func (p *probe) holds(name, want string) (bool, error) {
	got, err := p.get(name, nil)
	if isDown(err) {
		return false, err
	}
	return err == nil && got == want, nil
}

// headOf reads the headers of an object, with checksums.
func (p *probe) headOf(name string) (*s3.HeadObjectOutput, error) {
	key := p.key(name)
	return p.HeadObject(p.ctx, &s3.HeadObjectInput{Bucket: &p.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
}

// begin begins an upload, whose checksum is named.
func (p *probe) begin(name string) (uploadName, error) {
	return p.beginAs(name, func(*s3.CreateMultipartUploadInput) {})
}

// beginAs is begin of an upload that is edited.
func (p *probe) beginAs(name string, edit func(*s3.CreateMultipartUploadInput)) (uploadName, error) {
	key := p.key(name)
	in := &s3.CreateMultipartUploadInput{
		Bucket: &p.bucket, Key: &key,
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	}
	edit(in)
	out, err := p.CreateMultipartUpload(p.ctx, in)
	if err != nil {
		return uploadName{}, err
	}
	u := uploadName{p.bucket, key, *out.UploadId}
	p.uploads = append(p.uploads, u)
	return u, nil
}
