package s3api

import (
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// deleteRequest is the document of DeleteObjects.
type deleteRequest struct {
	quiet   bool
	objects []deleteTarget
}

// deleteTarget is one key to delete, with what must hold for it.
type deleteTarget struct {
	key                               string
	versionID, etag, lastModifiedTime *string
	size                              *int64
}

// deleteObjects implements DeleteObjects. It asks per key whether the
// identity may delete it, and reports per key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func (s *Server) deleteObjects(c *call) error {
	var req deleteRequest
	if err := c.readXML(deleteDocument, req.read); err != nil {
		return err
	}
	results := make([]deleteResult, len(req.objects))
	in := &s3.DeleteObjectsInput{Bucket: &c.bucket, Delete: &types.Delete{}, BypassGovernanceRetention: c.bypass()}
	var at []int // position in results of each object sent down
	for i := range req.objects {
		id, err := c.deletable(&req.objects[i])
		results[i] = deleteResult{target: &req.objects[i], sent: id, err: err}
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
		assign(results, at, out)
	}
	c.writeDeleteResult(req.quiet, results)
	return nil
}

// read reads the document.
func (req *deleteRequest) read(e *elements) error {
	err := e.children(func(name string) (err error) {
		switch name {
		case "Quiet":
			req.quiet, err = e.flag()
		case "Object":
			if len(req.objects) == maxKeys {
				return malformed(nil)
			}
			req.objects = append(req.objects, deleteTarget{})
			err = req.objects[len(req.objects)-1].read(e)
		}
		return err
	})
	if err == nil && len(req.objects) == 0 {
		return malformed(nil)
	}
	return err
}

// read reads an Object.
func (t *deleteTarget) read(e *elements) error {
	err := e.children(func(name string) (err error) {
		switch name {
		case "Key":
			t.key, err = e.text()
		case "VersionId":
			err = e.textTo(&t.versionID)
		case "ETag":
			err = e.textTo(&t.etag)
		case "LastModifiedTime":
			err = e.textTo(&t.lastModifiedTime)
		case "Size":
			t.size = new(int64)
			*t.size, err = e.number(64)
		}
		return err
	})
	if err == nil && t.key == "" {
		return malformed(nil)
	}
	if t.versionID != nil && *t.versionID == "" {
		t.versionID = nil
	}
	return err
}

// deletable turns one target into what a backend deletes, if that is allowed.
func (c *call) deletable(t *deleteTarget) (id types.ObjectIdentifier, err error) {
	if len(t.key) > maxKeyBytes || !utf8.ValidString(t.key) {
		return id, keyTooLong(t.key)
	}
	version := t.versionID
	if version != nil && !versioned(c.route) {
		if *version != nullVersion {
			return id, s3err.New(s3err.NoSuchVersion)
		}
		version = nil // the object itself
	}
	if !c.identity.Allows(router.Delete, c.at.bucket, t.key) {
		return id, s3err.New(s3err.AccessDenied)
	}
	id = types.ObjectIdentifier{Key: &t.key, VersionId: version, ETag: t.etag, Size: t.size}
	if t.lastModifiedTime != nil {
		lm, err := parseDocTime(*t.lastModifiedTime)
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

// deleteResult is what became of one target.
type deleteResult struct {
	target  *deleteTarget
	sent    types.ObjectIdentifier // as the backend was told, if it was
	deleted *types.DeletedObject
	err     error // why not
}

// errSilent is for the operator: nobody knows what became of a key.
var errSilent = errors.New("BUG: a backend did not report on a key that it was to delete")

// assign gives what the backend reports to the targets that it speaks of, by key and version: a list may name
// one several times. at are the places in results of those that were sent.
func assign(results []deleteResult, at []int, out *s3.DeleteObjectsOutput) {
	type name struct{ key, version string }
	waiting := make(map[name][]int, len(at))
	for _, i := range at {
		n := name{results[i].target.key, aws.ToString(results[i].sent.VersionId)}
		waiting[n] = append(waiting[n], i)
		results[i].err = s3err.New(s3err.InternalError).Because(errSilent)
	}
	next := func(key, version *string) *deleteResult {
		n := name{aws.ToString(key), aws.ToString(version)}
		places := waiting[n]
		if len(places) == 0 {
			return &deleteResult{} // It speaks of something else.
		}
		waiting[n] = places[1:]
		return &results[places[0]]
	}
	for i := range out.Deleted {
		r := next(out.Deleted[i].Key, out.Deleted[i].VersionId)
		r.deleted, r.err = &out.Deleted[i], nil
	}
	for i := range out.Errors {
		e := &out.Errors[i]
		next(e.Key, e.VersionId).err = &s3err.Error{
			Code: s3err.Code(*orDefault(e.Code, string(s3err.InternalError))), Message: aws.ToString(e.Message),
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
				c.writeDeleted(d, r)
			}
			continue
		}
		e := s3err.From(r.err)
		d.open("Error")
		d.text("Key", r.target.key)
		d.ptr("VersionId", r.target.versionID)
		d.text("Code", string(e.Code))
		d.text("Message", e.Message)
		d.close("Error")
	}
	d.close("DeleteResult")
	c.writeDoc(d)
}

// writeDeleted writes that a target is gone, or hidden by a delete marker.
func (c *call) writeDeleted(d *doc, r *deleteResult) {
	d.open("Deleted")
	d.text("Key", r.target.key)
	d.ptr("VersionId", r.target.versionID)
	if aws.ToBool(r.deleted.DeleteMarker) && versioned(c.route) {
		d.bool("DeleteMarker", true)
		d.ptr("DeleteMarkerVersionId", r.deleted.DeleteMarkerVersionId)
	}
	d.close("Deleted")
}
