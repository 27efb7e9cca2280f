package s3api

import (
	"strings"
	"unicode/utf8"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// copySource reads, resolves and authorises what a copy reads: the one place
// where that header is looked at. Copying is a read of the source.
func (c *call) copySource() (backends.Source, error) {
	src, err := parseCopySource(c.header("X-Amz-Copy-Source"))
	if err != nil {
		return backends.Source{}, err
	}
	route, err := c.s.Resolver.Resolve(c.ctx, c.identity.TenantID, src.Bucket)
	if err != nil {
		return backends.Source{}, err
	}
	if !c.identity.Allows(router.Read, src.Bucket, src.Key) {
		return backends.Source{}, s3err.New(s3err.AccessDenied)
	}
	if owner := c.header("X-Amz-Source-Expected-Bucket-Owner"); owner != "" && owner != route.Owner {
		return backends.Source{}, s3err.New(s3err.AccessDenied)
	}
	return backends.Source{Backend: route.Backend, CopySource: src}, nil
}

// sourceError names the source in its NoSuchKey: else the key would be taken
// for the destination's.
func sourceError(err error, src backends.CopySource) error {
	if e := s3err.From(err); e.Code == s3err.NoSuchKey {
		return e.With("Key", src.Key)
	}
	return err
}

// parseCopySource reads "bucket/key?versionId=id", percent-encoded, with or
// without a leading slash.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
func parseCopySource(header string) (backends.CopySource, error) {
	invalid := func(message string) (backends.CopySource, error) {
		return backends.CopySource{}, s3err.InvalidArg("x-amz-copy-source", header, message)
	}
	path, version, versioned := cutLast(header, "?versionId=")
	if versioned && version != "null" {
		return invalid("Invalid version id specified")
	}
	path, ok := unescape(path, false)
	if !ok || !utf8.ValidString(path) {
		return invalid("The x-amz-copy-source header must be URL-encoded UTF-8")
	}
	if strings.HasPrefix(path, "arn:") {
		return backends.CopySource{}, s3err.Newf(s3err.NotImplemented, "Access points are not implemented.").
			With("Header", "x-amz-copy-source")
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || bucket == "" || key == "" {
		return invalid("Invalid copy source object key")
	}
	if len(key) > maxKeyBytes {
		return backends.CopySource{}, keyTooLong(key)
	}
	return backends.CopySource{Bucket: bucket, Key: key}, nil
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
