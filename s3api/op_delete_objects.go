package s3api

import (
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// deleteRequest is the document of DeleteObjects.
type deleteRequest struct {
	Quiet   bool           `xml:"Quiet"`
	Objects []deleteTarget `xml:"Object"`
}

// deleteTarget is one key to delete, with what must hold for it.
type deleteTarget struct {
	Key              *string `xml:"Key"`
	VersionID        *string `xml:"VersionId"`
	ETag             *string `xml:"ETag"`
	LastModifiedTime *string `xml:"LastModifiedTime"`
	Size             *int64  `xml:"Size"`
}

// deleteObjects implements DeleteObjects. It asks per key whether the
// identity may delete it, and reports per key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func (s *Server) deleteObjects(c *call) error {
	req, err := c.deleteRequest()
	if err != nil {
		return err
	}
	results := make([]deleteResult, len(req.Objects))
	in := &s3.DeleteObjectsInput{Bucket: &c.bucket, Delete: &types.Delete{}}
	var at []int // position in results of each object sent down
	for i := range req.Objects {
		id, err := c.deletable(&req.Objects[i])
		results[i] = deleteResult{target: &req.Objects[i], err: err}
		if err == nil {
			in.Delete.Objects = append(in.Delete.Objects, id)
			at = append(at, i)
		}
	}
	if len(at) > 0 {
		out, err := c.route.Backend.DeleteObjects(c.ctx, in)
		if err != nil {
			return err
		}
		assignErrors(results, at, out.Errors)
	}
	c.writeDeleteResult(req.Quiet, results)
	return nil
}

// deleteRequest reads and checks the document.
func (c *call) deleteRequest() (*deleteRequest, error) {
	var req deleteRequest
	if err := c.readXML("Delete", &req); err != nil {
		return nil, err
	}
	// S3 asks for a digest: a damaged list would delete the wrong objects.
	if c.body.md5 == nil && c.body.algorithm == "" {
		return nil, s3err.Newf(s3err.InvalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	if n := len(req.Objects); n == 0 || n > maxKeys {
		return nil, s3err.New(s3err.MalformedXML)
	}
	for i := range req.Objects {
		if k := req.Objects[i].Key; k == nil || *k == "" {
			return nil, s3err.Newf(s3err.MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
		}
	}
	return &req, nil
}

// deletable turns one target into what a backend deletes, if that is allowed.
func (c *call) deletable(t *deleteTarget) (id types.ObjectIdentifier, err error) {
	if len(*t.Key) > maxKeyBytes || !utf8.ValidString(*t.Key) {
		return id, keyTooLong(*t.Key)
	}
	if t.VersionID != nil && *t.VersionID != "null" && *t.VersionID != "" {
		return id, s3err.New(s3err.NoSuchVersion)
	}
	if !c.identity.Allows(router.Delete, c.bucket, *t.Key) {
		return id, s3err.New(s3err.AccessDenied)
	}
	id = types.ObjectIdentifier{Key: t.Key, ETag: t.ETag, Size: t.Size}
	if t.LastModifiedTime != nil {
		lm, err := parseDocTime(*t.LastModifiedTime)
		if err != nil {
			return id, s3err.New(s3err.MalformedXML).Because(err)
		}
		id.LastModifiedTime = &lm
	}
	return id, nil
}

// parseDocTime reads a time in a document: ISO 8601, or an HTTP date as the
// SDKs write this one.
func parseDocTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return http.ParseTime(s)
}

// deleteResult is what became of one target; deleted unless err is set.
type deleteResult struct {
	target *deleteTarget
	err    error
}

// assignErrors gives the backend's errors to the targets they speak of. The same
// key may stand in the list twice; both then have failed or neither matters.
func assignErrors(results []deleteResult, at []int, errs []types.Error) {
	byKey := make(map[string]*s3err.Error, len(errs))
	for i := range errs {
		e := &s3err.Error{Code: s3err.InternalError}
		if errs[i].Code != nil {
			e.Code = s3err.Code(*errs[i].Code)
		}
		if errs[i].Message != nil {
			e.Message = *errs[i].Message
		}
		if errs[i].Key != nil {
			byKey[*errs[i].Key] = e
		}
	}
	for _, i := range at {
		if e, ok := byKey[*results[i].target.Key]; ok {
			results[i].err = e
		}
	}
}

// writeDeleteResult writes the document that says what became of each key.
func (c *call) writeDeleteResult(quiet bool, results []deleteResult) {
	d := newResult("DeleteResult")
	for i := range results {
		r := &results[i]
		if r.err == nil {
			if !quiet {
				d.open("Deleted")
				d.text("Key", *r.target.Key)
				d.ptr("VersionId", r.target.VersionID)
				d.close("Deleted")
			}
			continue
		}
		e := s3err.From(r.err)
		d.open("Error")
		d.text("Key", *r.target.Key)
		d.ptr("VersionId", r.target.VersionID)
		d.text("Code", string(e.Code))
		d.text("Message", e.Message)
		d.close("Error")
	}
	d.close("DeleteResult")
	c.writeDoc(d)
}
