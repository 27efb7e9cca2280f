package s3api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/sigv4"
)

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
	c.setWritten(out.VersionId)
	c.setEncryption(shownEncryption{algorithm: out.ServerSideEncryption, keyID: out.SSEKMSKeyId, bucketKey: out.BucketKeyEnabled})
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
	k, err := c.customerKey("")
	if err != nil {
		return nil, err
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.uploadID(),
		SSECustomerAlgorithm: k.Algorithm, SSECustomerKey: k.Key, SSECustomerKeyMD5: k.MD5,
	}
	if in.ChecksumType, err = c.checksumType(); err != nil {
		return nil, err
	}
	if in.IfMatch, in.IfNoneMatch, err = c.writeConditions(); err != nil {
		return nil, err
	}
	if v := c.header("X-Amz-Mp-Object-Size"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, s3err.Newf(s3err.InvalidRequest, "Value for x-amz-mp-object-size header is invalid: '%s'", v)
		}
		if n < 0 {
			return nil, s3err.Newf(s3err.InvalidRequest, "Value for x-amz-mp-object-size header is less than zero: '%s'", v)
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
	err := c.checksumHeader(func(a types.ChecksumAlgorithm, value string) error {
		if !checksum.IsObjectSum(a, value) {
			return badChecksum(checksum.HeaderName(a))
		}
		checksum.Set(in, a, &value)
		return nil
	})
	c.headers = slices.DeleteFunc(c.headers, func(h sigv4.Header) bool {
		_, ok := checksum.FromHeader(h.Name)
		return ok
	})
	return err
}

// completedParts reads the list of parts.
func (c *call) completedParts() (*types.CompletedMultipartUpload, error) {
	var list completedParts
	if err := c.readXML(completeDocument, list.read); err != nil {
		return nil, err
	}
	return &types.CompletedMultipartUpload{Parts: list}, nil
}

// completedParts is the document of CompleteMultipartUpload.
type completedParts []types.CompletedPart

// read reads the document.
func (l *completedParts) read(e *elements) error {
	err := e.children(func(name string) error {
		if name != "Part" {
			return nil
		}
		if len(*l) == maxParts {
			return malformed(nil)
		}
		p, err := readPart(e)
		*l = append(*l, p)
		return err
	})
	if err == nil && len(*l) == 0 {
		return malformed(nil)
	}
	return err
}

// readPart reads a Part.
func readPart(e *elements) (p types.CompletedPart, err error) {
	err = e.children(func(name string) error {
		switch name {
		case "PartNumber":
			n, err := e.number(32)
			p.PartNumber = aws.Int32(int32(n)) // it has 32 bits
			return err
		case "ETag":
			return e.textTo(&p.ETag)
		}
		return readPartChecksum(e, name, &p)
	})
	switch {
	case err != nil:
	case p.PartNumber == nil || p.ETag == nil:
		err = malformed(nil)
	case *p.PartNumber > maxParts:
		err = s3err.InvalidArg("PartNumber", itoa(*p.PartNumber), "Part number must be an integer between 1 and 10000, inclusive")
	case *p.PartNumber < 1:
		err = s3err.InvalidArg("PartNumber", itoa(*p.PartNumber), "PartNumber must be >= 1")
	default:
		err = checkPartSums(&p)
	}
	return p, err
}

// readPartChecksum reads the element of that name if it is the checksum of a part.
func readPartChecksum(e *elements, name string, p *types.CompletedPart) error {
	of, ok := strings.CutPrefix(name, "Checksum")
	a := types.ChecksumAlgorithm(of)
	if !ok || !slices.Contains(checksum.All(), a) {
		return nil
	}
	var sum *string
	err := e.textTo(&sum)
	checksum.Set(p, a, sum)
	return err
}

// checkPartSums wants no more than one checksum of a part, and that one well-formed.
func checkPartSums(p *types.CompletedPart) error {
	var all []string
	valid := true
	for _, a := range checksum.All() {
		if sum := checksum.Get(p, a); sum != nil {
			_, ok := checksum.Decode(a, *sum)
			valid = valid && ok
			all = append(all, string(a)+":"+*sum+";")
		}
	}
	value := strings.Join(all, "")
	if len(all) == 1 {
		_, value, _ = strings.Cut(strings.TrimSuffix(value, ";"), ":")
	}
	if !valid || len(all) > 1 {
		return s3err.InvalidArg("Checksum", value, "Invalid Base64 or multiple checksums present in request")
	}
	return nil
}

// location is the URL of the object as this client addresses it.
func (c *call) location() string { return c.urlOf(string(appendURLEncoded(nil, c.key))) }

// urlOf is the URL of a key that is escaped already.
func (c *call) urlOf(key string) string {
	path := "/" + key
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
