package backends

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// Digest calculates, in one pass over an object or part, what S3 says about
// its bytes: size, ETag and the additional checksum.
type Digest struct {
	size int64
	md5  hash.Hash
	sum  hash.Hash // nil without an algorithm
	hide []byte    // nil unless the ETag is to tell nothing
}

// NewDigest returns a Digest with the checksum of algorithm; "" is none.
func NewDigest(algorithm types.ChecksumAlgorithm) *Digest {
	d := &Digest{md5: md5.New()}
	if algorithm != "" {
		d.sum = checksum.New(algorithm)
	}
	return d
}

// Write takes the next bytes; it never fails.
func (d *Digest) Write(p []byte) (int, error) {
	d.add(p)
	return len(p), nil
}

// add takes the next bytes.
func (d *Digest) add(p []byte) {
	d.size += int64(len(p))
	d.md5.Write(p)
	if d.sum != nil {
		d.sum.Write(p)
	}
}

// Size is the number of bytes so far.
func (d *Digest) Size() int64 { return d.size }

// Hide makes the ETag one that tells nothing of the bytes to who does not know secret, as S3 has it for objects that are
// encrypted with a key of KMS or of a customer.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
func (d *Digest) Hide(secret []byte) { d.hide = secret }

// ETag is the MD5 of the bytes so far, in hex and quotes, unless it is hidden.
func (d *Digest) ETag() string {
	sum := d.md5.Sum(nil)
	if d.hide != nil {
		mac := hmac.New(sha256.New, d.hide)
		mac.Write(sum)
		sum = mac.Sum(nil)[:md5.Size]
	}
	return `"` + hex.EncodeToString(sum) + `"`
}

// Checksum is the checksum of the bytes so far in base64; "" without an algorithm.
func (d *Digest) Checksum() string {
	if d.sum == nil {
		return ""
	}
	return checksum.Encode(d.sum.Sum(nil))
}

// Finish completes m, whose algorithm d was made for, with what d knows.
func (d *Digest) Finish(m *ObjectMeta) {
	m.Size, m.ETag, m.Checksum.Value = d.Size(), d.ETag(), d.Checksum()
	if d.sum == nil {
		m.Checksum = Checksum{}
	}
}

// Part is the part number n that d has seen, but for its time.
func (d *Digest) Part(n int32) PartInfo {
	return PartInfo{Number: n, Size: d.Size(), ETag: d.ETag(), Checksum: d.Checksum()}
}

// CopyBody moves a request body, which is to have length bytes, to dst and
// through d, by way of buf. It fails with the body's own error, with
// IncompleteBody for one of another length, and with the context's error when
// that ends; the caller must then store nothing. A nil body is an empty one.
func (d *Digest) CopyBody(ctx context.Context, dst io.Writer, body Body, buf []byte) error {
	for body.Reader != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := body.Reader.Read(buf)
		d.add(buf[:n])
		if d.size > body.Length {
			return s3err.New(s3err.IncompleteBody)
		}
		if _, werr := dst.Write(buf[:n]); werr != nil {
			return werr
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if d.size != body.Length {
		return s3err.New(s3err.IncompleteBody)
	}
	return ctx.Err()
}

// Body is a request body and the length that was announced for it.
type Body struct {
	Reader io.Reader
	Length int64
}

// NewBody joins the fields Body and ContentLength of an SDK input.
func NewBody(r io.Reader, length *int64) Body {
	b := Body{Reader: r}
	if length != nil {
		b.Length = *length
	}
	return b
}
