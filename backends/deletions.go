package backends

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// errSilent is for the operator's log: nobody knows what became of a key.
var errSilent = errors.New("BUG: a DeleteObjects did not report on a key")

// Deletions collects what becomes of the objects of one DeleteObjects that
// takes several calls, and reports it in the order of the request. Objects go by
// their places in it. It is safe for concurrent use.
type Deletions struct {
	in *s3.DeleteObjectsInput

	mu       sync.Mutex
	outcomes []outcome
}

// outcome is what became of one object; neither is set as long as nothing is known.
type outcome struct {
	deleted *types.DeletedObject
	err     *types.Error
}

// NewDeletions returns the report on in, still empty.
func NewDeletions(in *s3.DeleteObjectsInput) *Deletions {
	return &Deletions{in: in, outcomes: make([]outcome, len(in.Delete.Objects))}
}

// Done reports that there is no such object any more, or that err is in the way.
func (d *Deletions) Done(place int, err error) {
	o := d.in.Delete.Objects[place]
	result := outcome{deleted: &types.DeletedObject{Key: o.Key, VersionId: o.VersionId}}
	if err != nil {
		failed := deleteError(o, err)
		result = outcome{err: &failed}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outcomes[place] = result
}

// Report reports what became of an object that is gone, or hidden by a delete marker.
func (d *Deletions) Report(place int, o types.DeletedObject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outcomes[place] = outcome{deleted: &o}
}

// Delete has w delete the objects at places in one call and reports on them. An error
// that concerns them all is reported for each, and returned.
func (d *Deletions) Delete(ctx context.Context, w ObjectWriter, places []int) error {
	c, del := *d.in, *d.in.Delete
	c.Delete, del.Objects = &del, make([]types.ObjectIdentifier, len(places))
	waiting := map[version][]int{} // places: a request may name one twice
	for i, place := range places {
		o := d.in.Delete.Objects[place]
		del.Objects[i] = o
		name := versionOf(o.Key, o.VersionId)
		waiting[name] = append(waiting[name], place)
	}
	out, err := w.DeleteObjects(ctx, &c)
	if err != nil {
		for _, place := range places {
			d.Done(place, err)
		}
		return err
	}
	report := func(key, versionID *string, o outcome) {
		name := versionOf(key, versionID)
		if p := waiting[name]; len(p) > 0 {
			d.outcomes[p[0]], waiting[name] = o, p[1:]
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range out.Deleted {
		report(o.Key, o.VersionId, outcome{deleted: &o})
	}
	for _, e := range out.Errors {
		report(e.Key, e.VersionId, outcome{err: &e})
	}
	return nil
}

// version names what a DeleteObjects is to delete: a key, or a version of it.
type version struct{ key, id string }

// versionOf is the version that an object of a request, or of its answer, names.
func versionOf(key, versionID *string) version {
	return version{aws.ToString(key), aws.ToString(versionID)}
}

// Output is the report. An object of which nothing is known counts as an error.
func (d *Deletions) Output() *s3.DeleteObjectsOutput {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := &s3.DeleteObjectsOutput{}
	for i, o := range d.outcomes {
		switch {
		case o.deleted != nil:
			out.Deleted = append(out.Deleted, *o.deleted)
		case o.err != nil:
			out.Errors = append(out.Errors, *o.err)
		default:
			out.Errors = append(out.Errors, deleteError(d.in.Delete.Objects[i], s3err.New(s3err.InternalError).Because(errSilent)))
		}
	}
	return out
}

// deleteError is an error as DeleteObjects reports it.
func deleteError(o types.ObjectIdentifier, err error) types.Error {
	e := s3err.From(err)
	code := string(e.Code)
	return types.Error{Key: o.Key, VersionId: o.VersionId, Code: &code, Message: &e.Message}
}
