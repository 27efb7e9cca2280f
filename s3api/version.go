package s3api

import (
	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// nullVersion is the VersionId of objects without versions.
const nullVersion = "null"

// versioned reports whether a bucket has versions, or had some.
func versioned(r *router.Route) bool {
	_, ok := backends.As[backends.Versioned](r.Backend)
	return ok
}

// versionID reads the versionId parameter; nil is the current version.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
func (c *call) versionID() (*string, error) {
	v, ok := c.query.lookup("versionId")
	if !ok {
		return nil, nil // absent is no error
	}
	return checkVersion(c.route, "versionId", v, v)
}

// checkVersion is the version v of an object in a bucket, as its backend takes it. Without versions
// only "null" names something: the object itself. name and value are what the client gave.
func checkVersion(r *router.Route, name, value, v string) (*string, error) {
	switch {
	case v == "":
		return nil, s3err.InvalidArg(name, value, "Version id cannot be the empty string")
	case versioned(r):
		return &v, nil
	case v == nullVersion:
		return nil, nil // the current one
	case backends.WellFormedVersionID(v):
		return nil, s3err.New(s3err.NoSuchVersion).With("VersionId", v)
	}
	return nil, s3err.InvalidArg(name, value, invalidVersion)
}

// invalidVersion is said of what no version can be called.
const invalidVersion = "Invalid version id specified"

// setVersion writes which version was read or written. Those that the store behind a bucket without versions keeps
// for itself are nobody's business.
func (c *call) setVersion(id *string) {
	if id != nil && versioned(c.route) {
		c.set("x-amz-version-id", *id)
	}
}

// setWritten writes which version a write made. S3 does not tell the one without a name, which it makes while versioning is
// suspended.
func (c *call) setWritten(id *string) {
	if id != nil && *id != nullVersion {
		c.setVersion(id)
	}
}

// setMarker says that the version is a delete marker.
func (c *call) setMarker(marker *bool) {
	if marker != nil && *marker && versioned(c.route) {
		c.set("x-amz-delete-marker", "true")
	}
}

// noVersion refuses to write an object as a version that the client names.
func (c *call) noVersion() error {
	if v, ok := c.query.lookup("versionId"); ok {
		return s3err.InvalidArg("versionId", v, "This operation does not accept a version-id.")
	}
	return nil
}
