package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// listMultipartUploads implements ListMultipartUploads.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
func (s *Server) listMultipartUploads(c *call) error {
	m, err := c.multipart()
	if err != nil {
		return err
	}
	l, err := c.listing("max-uploads")
	if err != nil {
		return err
	}
	keyMarker, _ := c.query.lookup("key-marker")
	idMarker, _ := c.query.lookup("upload-id-marker")
	if keyMarker == "" {
		idMarker = "" // S3 ignores it then.
	}
	out, err := m.ListMultipartUploads(c.ctx, &s3.ListMultipartUploadsInput{
		Bucket: &c.bucket, Prefix: optional(l.prefix), Delimiter: optional(l.delimiter), MaxUploads: &l.max,
		KeyMarker: optional(keyMarker), UploadIdMarker: optional(idMarker),
	})
	if err != nil {
		return err
	}
	d := newResult("ListMultipartUploadsResult")
	d.text("Bucket", c.bucket)
	l.field(d, "KeyMarker", keyMarker)
	d.text("UploadIdMarker", idMarker)
	if isTruncated(out.IsTruncated) {
		if out.NextKeyMarker != nil {
			l.field(d, "NextKeyMarker", *out.NextKeyMarker)
		}
		d.ptr("NextUploadIdMarker", out.NextUploadIdMarker)
	}
	l.field(d, "Prefix", l.prefix)
	l.optionalField(d, "Delimiter", l.delimiter)
	l.writeEncoding(d)
	d.int("MaxUploads", int64(l.max))
	d.bool("IsTruncated", isTruncated(out.IsTruncated))
	for i := range out.Uploads {
		l.writeUpload(d, &out.Uploads[i], c.route.Owner)
	}
	l.writePrefixes(d, out.CommonPrefixes)
	d.close("ListMultipartUploadsResult")
	c.writeDoc(d)
	return nil
}

// writeUpload writes one unfinished upload.
func (l listing) writeUpload(d *doc, u *types.MultipartUpload, owner string) {
	d.open("Upload")
	l.field(d, "Key", *u.Key)
	d.ptr("UploadId", u.UploadId)
	d.owner("Initiator", owner)
	d.owner("Owner", owner)
	d.text("StorageClass", string(orStandard(u.StorageClass)))
	d.time("Initiated", u.Initiated)
	if u.ChecksumAlgorithm != "" {
		d.text("ChecksumAlgorithm", string(u.ChecksumAlgorithm))
		d.text("ChecksumType", string(u.ChecksumType))
	}
	d.close("Upload")
}
