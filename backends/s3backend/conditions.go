package s3backend

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// prepareRead makes of in what every service reads as S3 does. Services agree
// on one condition and differ on several; those are judged here, of headers that
// the service is then held to with If-Match.
func (b *Backend) prepareRead(ctx context.Context, in *s3.GetObjectInput) error {
	if in.PartNumber != nil && in.Range != nil {
		return s3err.Newf(s3err.InvalidRequest, "Cannot specify both Range header and partNumber query parameter")
	}
	if err := b.checkKey(in.Key); err != nil {
		return err
	}
	in.ChecksumMode = "" // see withChecksums
	if in.Range != nil {
		in.Range = optional(backends.CanonicalRange(*in.Range))
	}
	none := in.Range != nil && *in.Range == "bytes=-0" // which some take for the whole
	conditions := backends.GetConditions(in)
	if b.simple(conditions) && !none {
		return nil
	}
	meta, err := b.judge(ctx, backends.CopySource{
		Bucket: value(in.Bucket), Key: value(in.Key), VersionID: value(in.VersionId),
	}, backends.GetKey(in), func(m *backends.ObjectMeta) error { return backends.CheckRead(m, conditions) })
	if err != nil {
		return err
	}
	if none {
		_, _, err := backends.ParseRange(*in.Range, meta.Size)
		return err
	}
	in.IfMatch = &meta.ETag
	in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince = nil, nil, nil
	return nil
}

// simple reports whether there is at most one condition, of a kind that the
// service judges as S3 does.
func (b *Backend) simple(c backends.ReadConditions) bool {
	count := 0
	for _, tags := range []*string{c.IfMatch, c.IfNoneMatch} {
		if tags != nil {
			count++
			if strings.ContainsAny(*tags, ",*") {
				return false
			}
		}
	}
	for _, date := range []*time.Time{c.IfModifiedSince, c.IfUnmodifiedSince} {
		if date != nil {
			count++
			if !b.can.Load().DateConditions {
				return false
			}
		}
	}
	return count <= 1
}

// judge asks check about an object that is read with that key, and returns what was judged.
func (b *Backend) judge(ctx context.Context, src backends.CopySource, k backends.CustomerKey, check func(*backends.ObjectMeta) error) (*backends.ObjectMeta, error) {
	head, err := b.head(ctx, &s3.GetObjectInput{
		Bucket: &src.Bucket, Key: &src.Key, VersionId: optional(src.VersionID),
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}, types.ChecksumModeEnabled)
	if err != nil {
		return nil, err
	}
	meta := &backends.ObjectMeta{ETag: *head.ETag, Size: *head.ContentLength, LastModified: *head.LastModified}
	meta.Encryption.Customer = k.Verifier() // The service has found it to be right.
	for _, a := range checksum.All() {
		if checksum.Get(head, a) != nil {
			meta.Checksum.Algorithm = a
		}
	}
	return meta, check(meta)
}

// copySourceHeader names the source of a copy as the header wants it: escaped.
func copySourceHeader(src backends.CopySource) *string {
	s := escapePath(src.Bucket + "/" + src.Key)
	if src.VersionID != "" {
		s += "?versionId=" + escapePath(src.VersionID)
	}
	return &s
}

// escapePath escapes all but what RFC 3986 reserves for nothing, and slashes.
func escapePath(path string) string {
	const hex = "0123456789ABCDEF"
	var s strings.Builder
	for _, c := range []byte(path) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			s.WriteByte(c)
		default:
			s.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return s.String()
}
