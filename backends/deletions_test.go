package backends_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xronox/xronox-proxy/backends"
)

// deleter is a store whose DeleteObjects answers in an order of its own: the last object first, errors
// for versions called "bad", and a delete marker for what has no version.
type deleter struct{ backends.ObjectWriter }

func (deleter) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	out := &s3.DeleteObjectsOutput{}
	for i := len(in.Delete.Objects) - 1; i >= 0; i-- {
		o := in.Delete.Objects[i]
		switch aws.ToString(o.VersionId) {
		case "silent":
		case "bad":
			out.Errors = append(out.Errors, types.Error{Key: o.Key, VersionId: o.VersionId, Code: new("InvalidArgument")})
		case "":
			out.Deleted = append(out.Deleted, types.DeletedObject{Key: o.Key, DeleteMarker: new(true), DeleteMarkerVersionId: new("new")})
		default:
			out.Deleted = append(out.Deleted, types.DeletedObject{Key: o.Key, VersionId: o.VersionId})
		}
	}
	return out, nil
}

// TestDeletionsByVersion: a request may name a key several times, with and without versions; each gets
// the answer that is about it.
func TestDeletionsByVersion(t *testing.T) {
	t.Parallel()
	object := func(version string) types.ObjectIdentifier {
		o := types.ObjectIdentifier{Key: new("k")}
		if version != "" {
			o.VersionId = &version
		}
		return o
	}
	in := &s3.DeleteObjectsInput{Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		object("1"), object("bad"), object(""), object("2"), object("1"), object("silent"), object("3"), object("4"),
	}}}
	d := backends.NewDeletions(in)
	if err := d.Delete(t.Context(), deleter{}, []int{0, 1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	d.Report(6, types.DeletedObject{Key: new("k"), VersionId: new("3"), DeleteMarker: new(true), DeleteMarkerVersionId: new("3")})
	d.Done(7, errors.New("disk on fire"))
	want := &s3.DeleteObjectsOutput{
		Deleted: []types.DeletedObject{
			{Key: new("k"), VersionId: new("1")},
			{Key: new("k"), DeleteMarker: new(true), DeleteMarkerVersionId: new("new")},
			{Key: new("k"), VersionId: new("2")},
			{Key: new("k"), VersionId: new("1")},
			{Key: new("k"), VersionId: new("3"), DeleteMarker: new(true), DeleteMarkerVersionId: new("3")},
		},
		Errors: []types.Error{
			{Key: new("k"), VersionId: new("bad"), Code: new("InvalidArgument")},
			{Key: new("k"), VersionId: new("silent"), Code: new("InternalError")},
			{Key: new("k"), VersionId: new("4"), Code: new("InternalError")},
		},
	}
	ignored := cmpopts.IgnoreFields(types.Error{}, "Message")
	unexported := cmpopts.IgnoreUnexported(types.DeletedObject{}, types.Error{})
	got := d.Output()
	if diff := cmp.Diff(want.Deleted, got.Deleted, unexported); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Errors, got.Errors, ignored, unexported); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
