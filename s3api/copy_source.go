package s3api

import (
	"strings"
	"unicode/utf8"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// copyFrom is what a copy reads.
type copyFrom struct {
	backends.Source
	key string // as the client names it
}

// copySource reads, resolves and authorises what a copy reads: the one place
// where that header is looked at. Copying is a read of the source.
func (c *call) copySource() (copyFrom, error) {
	header := c.header("X-Amz-Copy-Source")
	src, version, err := parseCopySource(header)
	if err != nil {
		return copyFrom{}, err
	}
	at, err := c.s.find(c, src.Bucket)
	if s3err.Is(err, s3err.InvalidBucketName) {
		return copyFrom{}, s3err.InvalidArg("x-amz-copy-source", header, "Invalid copy source bucket name")
	}
	if err != nil {
		return copyFrom{}, err
	}
	if !c.identity.Allows(router.Read, at.bucket, src.Key) {
		return copyFrom{}, s3err.New(s3err.AccessDenied)
	}
	if owner := c.header("X-Amz-Source-Expected-Bucket-Owner"); owner != "" && owner != at.route.Owner {
		return copyFrom{}, s3err.New(s3err.AccessDenied)
	}
	if version != nil {
		if version, err = checkVersion(at.route, "x-amz-copy-source", header, *version); err != nil {
			return copyFrom{}, err
		}
	}
	if version != nil {
		src.VersionID = *version
	}
	from := copyFrom{backends.Source{Backend: at.route.Backend, CopySource: src}, src.Key}
	if !at.asOf.IsZero() {
		err = c.locate(&from, &at)
	}
	return from, err
}

// locate finds what a copy reads in a view. Nothing else of the copy is to look at the past.
func (c *call) locate(from *copyFrom, at *place) error {
	if err := c.s.checkPast(at, "x-amz-copy-source", c.header("X-Amz-Copy-Source")); err != nil {
		return err
	}
	found, err := from.Located(backends.WithRequest(c.ctx, c.requestAt(at.asOf)))
	if err != nil {
		return from.error(err)
	}
	from.Source = found
	return nil
}

// error names the source in its NoSuchKey: else the key would be taken
// for the destination's.
func (from *copyFrom) error(err error) error {
	e := s3err.From(err)
	if e.Code != s3err.NoSuchKey {
		return err
	}
	return s3err.New(s3err.NoSuchKey).With("Key", from.key).Because(err)
}

// parseCopySource reads "bucket/key?versionId=id", percent-encoded, with or
// without a leading slash. version is nil for the current one.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
func parseCopySource(header string) (_ backends.CopySource, version *string, err error) {
	invalid := func(message string) (backends.CopySource, *string, error) {
		return backends.CopySource{}, nil, s3err.InvalidArg("x-amz-copy-source", header, message)
	}
	path, id, versioned := cutLast(header, "?versionId=")
	if versioned {
		version = &id
	}
	path, ok := unescape(path, false)
	if !ok || !utf8.ValidString(path) {
		return invalid("Invalid copy source encoding")
	}
	if strings.HasPrefix(path, "arn:") {
		return backends.CopySource{}, nil, s3err.Newf(s3err.NotImplemented, "Access points are not implemented.").
			With("Header", "x-amz-copy-source")
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || bucket == "" || key == "" {
		return invalid("Invalid copy source object key")
	}
	if len(key) > maxKeyBytes {
		return backends.CopySource{}, nil, keyTooLong(key)
	}
	return backends.CopySource{Bucket: bucket, Key: key}, version, nil
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
