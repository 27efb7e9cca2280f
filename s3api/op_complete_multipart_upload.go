package s3api

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// completeRequest is the document of CompleteMultipartUpload.
type completeRequest struct {
	Parts []struct {
		PartNumber        *int32  `xml:"PartNumber"`
		ETag              *string `xml:"ETag"`
		ChecksumCRC32     *string `xml:"ChecksumCRC32"`
		ChecksumCRC32C    *string `xml:"ChecksumCRC32C"`
		ChecksumCRC64NVME *string `xml:"ChecksumCRC64NVME"`
		ChecksumSHA1      *string `xml:"ChecksumSHA1"`
		ChecksumSHA256    *string `xml:"ChecksumSHA256"`
	} `xml:"Part"`
}

// completeMultipartUpload implements CompleteMultipartUpload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
func (s *Server) completeMultipartUpload(c *call) error {
	m, err := c.multipart()
	if err != nil {
		return err
	}
	in, err := c.completeInput()
	if err != nil {
		return err
	}
	out, err := m.CompleteMultipartUpload(c.ctx, in)
	if err != nil {
		return err
	}
	d := newResult("CompleteMultipartUploadResult")
	d.text("Location", c.location())
	d.text("Bucket", c.bucket)
	d.text("Key", c.key)
	d.ptr("ETag", out.ETag)
	d.checksums(out, out.ChecksumType)
	d.close("CompleteMultipartUploadResult")
	c.writeDoc(d)
	return nil
}

// completeInput reads the request.
func (c *call) completeInput() (*s3.CompleteMultipartUploadInput, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(),
		ChecksumType: types.ChecksumType(c.header("X-Amz-Checksum-Type")),
	}
	var err error
	if in.IfMatch, in.IfNoneMatch, err = c.writeConditions(); err != nil {
		return nil, err
	}
	if v := c.header("X-Amz-Mp-Object-Size"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return nil, s3err.InvalidArg("x-amz-mp-object-size", v, "Value for x-amz-mp-object-size header is invalid.")
		}
		in.MpuObjectSize = &n
	}
	if err := c.objectChecksum(in); err != nil {
		return nil, err
	}
	in.MultipartUpload, err = c.completedParts()
	return in, err
}

// objectChecksum reads the checksum of the object to be. It is not one of the
// document that is the request's body, so it leaves the headers.
func (c *call) objectChecksum(in *s3.CompleteMultipartUploadInput) error {
	kept := c.headers[:0]
	found := false
	for _, h := range c.headers {
		a, ok := checksum.FromHeader(h.Name)
		if !ok {
			kept = append(kept, h)
			continue
		}
		if found {
			return s3err.Newf(s3err.InvalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		found = true
		v := h.Value
		checksum.Set(in, a, &v)
	}
	c.headers = kept
	return nil
}

// completedParts reads the list of parts.
func (c *call) completedParts() (*types.CompletedMultipartUpload, error) {
	var req completeRequest
	if err := c.readXML("CompleteMultipartUpload", &req); err != nil {
		return nil, err
	}
	if len(req.Parts) == 0 || len(req.Parts) > maxParts {
		return nil, s3err.New(s3err.MalformedXML)
	}
	list := make([]types.CompletedPart, len(req.Parts))
	for i, p := range req.Parts {
		if p.PartNumber == nil || p.ETag == nil {
			return nil, s3err.New(s3err.MalformedXML)
		}
		if *p.PartNumber < 1 || *p.PartNumber > maxParts {
			return nil, s3err.InvalidArg("PartNumber", itoa(*p.PartNumber), "Part number must be an integer between 1 and 10000, inclusive")
		}
		list[i] = types.CompletedPart{
			PartNumber: p.PartNumber, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32, ChecksumCRC32C: p.ChecksumCRC32C,
			ChecksumCRC64NVME: p.ChecksumCRC64NVME, ChecksumSHA1: p.ChecksumSHA1, ChecksumSHA256: p.ChecksumSHA256,
		}
	}
	return &types.CompletedMultipartUpload{Parts: list}, nil
}

// location is the URL of the object as this client addresses it.
func (c *call) location() string {
	path := string(appendURLEncoded(nil, "/"+c.key))
	if !c.virtualHosted {
		path = "/" + c.bucket + path
	}
	return "http://" + c.header("Host") + path
}

// checksums writes the checksum of an output, if it has one.
func (d *doc) checksums(out any, kind types.ChecksumType) {
	for _, a := range checksum.All() {
		if v := checksum.Get(out, a); v != nil {
			d.text("Checksum"+string(a), *v)
			if kind != "" {
				d.text("ChecksumType", string(kind))
			}
		}
	}
}
