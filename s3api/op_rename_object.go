package s3api

import (
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// renameObject implements RenameObject. AWS has it in directory buckets; here it is in buckets whose storage renames in one
// step.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
func (s *Server) renameObject(c *call) error {
	in, err := c.renameObjectInput()
	if err != nil {
		return err
	}
	from, err := c.renameSource()
	if err != nil {
		return err
	}
	r, ok := backends.As[backends.Renamer](c.route.Backend)
	if !ok {
		return backends.ErrNoRename()
	}
	if err := c.noBody(); err != nil {
		return err
	}
	_, err = r.RenameObject(c.ctx, from, in)
	if in.DestinationIfMatch == nil && s3err.Is(err, s3err.NoSuchKey) { // Else it may be the destination that is missing.
		err = s3err.New(s3err.NoSuchKey).With("Key", from).Because(err)
	}
	return err
}

// renameObjectInput reads the request but for its source.
func (c *call) renameObjectInput() (*s3.RenameObjectInput, error) {
	if err := c.noVersion(); err != nil {
		return nil, err
	}
	if aboveRoot(c.key) {
		return nil, s3err.New(s3err.InvalidURI)
	}
	if err := checkRenamed(c.key); err != nil {
		return nil, err
	}
	in := &s3.RenameObjectInput{
		Bucket: &c.bucket, Key: &c.key,
		DestinationIfModifiedSince: c.timeHeader("If-Modified-Since"), DestinationIfUnmodifiedSince: c.timeHeader("If-Unmodified-Since"),
		SourceIfMatch:           c.headerPtr("X-Amz-Rename-Source-If-Match"),
		SourceIfNoneMatch:       c.headerPtr("X-Amz-Rename-Source-If-None-Match"),
		SourceIfModifiedSince:   c.timeHeader("X-Amz-Rename-Source-If-Modified-Since"),
		SourceIfUnmodifiedSince: c.timeHeader("X-Amz-Rename-Source-If-Unmodified-Since"),
	}
	if c.hasHeader(clientToken) {
		v := c.header(clientToken)
		if !isClientToken(v) {
			return nil, s3err.InvalidArg(clientToken, v, "The client token must have 1 to 64 ASCII characters in the range of 33 to 126.")
		}
		in.ClientToken = &v
	}
	var err error
	in.DestinationIfMatch, in.DestinationIfNoneMatch, err = c.writeConditions()
	return in, err
}

// clientToken tells a request that is repeated from another.
const clientToken = "x-amz-client-token"

// isClientToken reports whether v can be a client token.
func isClientToken(v string) bool {
	for i := range len(v) {
		if v[i] < 33 || v[i] > 126 {
			return false
		}
	}
	return v != "" && len(v) <= 64
}

// checkRenamed refuses names that S3 does not rename.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-buckets-objects-rename.html
func checkRenamed(key string) error {
	if strings.HasSuffix(key, "/") {
		return s3err.Newf(s3err.InvalidRequest, "Objects whose keys end with a slash cannot be renamed.").With("Key", key)
	}
	return nil
}

// renameSource reads and authorises what is renamed: it is read under another name, and deleted under its own.
func (c *call) renameSource() (string, error) {
	from, err := parseRenameSource(c.header(renameSourceHeader))
	if err != nil {
		return "", err
	}
	if !c.identity.Allows(router.Read, c.at.bucket, from) || !c.identity.Allows(router.Delete, c.at.bucket, from) {
		return "", s3err.New(s3err.AccessDenied)
	}
	return from, checkRenamed(from)
}

// renameSourceHeader names what is renamed.
const renameSourceHeader = "x-amz-rename-source"

// parseRenameSource reads a key, percent-encoded. Unlike the source of a copy it names no bucket.
func parseRenameSource(header string) (string, error) {
	invalid := func(message string) (string, error) {
		return "", s3err.InvalidArg(renameSourceHeader, header, message)
	}
	if _, _, versioned := cutLast(header, "?versionId="); versioned {
		return invalid("This operation does not accept a version-id.")
	}
	key, ok := unescape(header, false)
	switch {
	case !ok || !utf8.ValidString(key):
		return invalid("Invalid rename source encoding")
	case key == "":
		return invalid("Invalid rename source object key")
	case len(key) > maxKeyBytes:
		return "", keyTooLong(key)
	}
	return key, nil
}
