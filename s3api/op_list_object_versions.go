package s3api

import "github.com/xronox/xronox-proxy/s3err"

// listObjectVersions implements ListObjectVersions for buckets without
// versions: each object is its own "null" version and the latest.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func (s *Server) listObjectVersions(c *call) error {
	l, err := c.listing("max-keys")
	if err != nil {
		return err
	}
	keyMarker, _ := c.query.lookup("key-marker")
	versionMarker, hasVersion := c.query.lookup("version-id-marker")
	switch {
	case hasVersion && keyMarker == "":
		return s3err.InvalidArg("version-id-marker", versionMarker, "A version-id marker cannot be specified without a key marker.")
	case hasVersion && versionMarker == "":
		return s3err.InvalidArg("version-id-marker", versionMarker, "A version-id marker cannot be empty.")
	case hasVersion && versionMarker != "null":
		return s3err.InvalidArg("version-id-marker", versionMarker, "Invalid version id specified")
	}
	out, err := c.page(l, keyMarker)
	if err != nil {
		return err
	}
	d := newResult("ListVersionsResult")
	d.text("Name", c.bucket)
	l.field(d, "Prefix", l.prefix)
	l.field(d, "KeyMarker", keyMarker)
	d.text("VersionIdMarker", versionMarker)
	truncated := isTruncated(out.IsTruncated)
	if truncated {
		next := last(out)
		l.field(d, "NextKeyMarker", next)
		if n := len(out.Contents); n > 0 && *out.Contents[n-1].Key == next {
			d.text("NextVersionIdMarker", "null")
		}
	}
	d.int("MaxKeys", int64(l.max))
	l.optionalField(d, "Delimiter", l.delimiter)
	l.writeEncoding(d)
	d.bool("IsTruncated", truncated)
	for i := range out.Contents {
		d.open("Version")
		d.text("VersionId", "null")
		d.bool("IsLatest", true)
		l.writeObject(d, &out.Contents[i], c.route.Owner)
		d.close("Version")
	}
	l.writePrefixes(d, out.CommonPrefixes)
	d.close("ListVersionsResult")
	c.writeDoc(d)
	return nil
}
