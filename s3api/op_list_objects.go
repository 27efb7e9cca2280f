package s3api

// listObjects implements ListObjects, the first version.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
func (s *Server) listObjects(c *call) error {
	l, err := c.listing("max-keys")
	if err != nil {
		return err
	}
	marker, _ := c.query.lookup("marker")
	out, err := c.page(l, marker)
	if err != nil {
		return err
	}
	d := newResult("ListBucketResult")
	d.text("Name", c.bucket)
	l.field(d, "Prefix", l.prefix)
	l.field(d, "Marker", marker)
	truncated := isTruncated(out.IsTruncated)
	if truncated && l.delimiter != "" { // Without a delimiter the last key is the marker.
		l.field(d, "NextMarker", last(out))
	}
	d.int("MaxKeys", int64(l.max))
	l.optionalField(d, "Delimiter", l.delimiter)
	l.writeEncoding(d)
	d.bool("IsTruncated", truncated)
	for i := range out.Contents {
		d.open("Contents")
		l.writeObject(d, &out.Contents[i], c.route.Owner)
		d.close("Contents")
	}
	l.writePrefixes(d, out.CommonPrefixes)
	d.close("ListBucketResult")
	c.writeDoc(d)
	return nil
}
