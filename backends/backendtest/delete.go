package backendtest

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// deleteCases are about DeleteObject and DeleteObjects.
var deleteCases = []testCase{
	{"delete", "DeleteObject removes Key; that it was not there is no error", deleteOne},
	{"delete/condition", "IfMatch, IfMatchLastModifiedTime and IfMatchSize as CheckDelete judges them (trap 20)", deleteCondition},
	{"delete/many", "DeleteObjects reports on each key in the order given, in Deleted or Errors", deleteMany},
	{"delete/many-quiet", "in Deleted also when Quiet", deleteQuiet},
	{"delete/thousand", "DeleteObjects removes up to 1,000 keys", deleteThousand},
}

func deleteOne(e *env) {
	e.put("k", "x")
	below := "k/below"
	if e.lacks(AllKeys) {
		below = "k-beside"
	}
	e.put(below, "y")
	e.remove("k")
	e.missing("k")
	e.holds(below, "y")
	e.remove("k")
	e.remove("never was")
	e.same("keys", e.keys(), []string{below})
}

func deleteCondition(e *env) {
	byETag := e.deletes(ConditionalDelete, s3.DeleteObjectInput{IfMatch: new(etag("other"))})
	unchanged := e.deletes(DeleteIfUnchanged, s3.DeleteObjectInput{IfMatchSize: new(int64(1))}) &&
		e.deletes(DeleteIfUnchanged, s3.DeleteObjectInput{IfMatchLastModifiedTime: new(time.Unix(0, 0))})
	e.put("k", "12345")
	at := *e.head("k").LastModified
	f := func(want s3err.Code, in s3.DeleteObjectInput) {
		e.Helper()
		if in.IfMatch != nil && !byETag || in.IfMatch == nil && !unchanged {
			return
		}
		in.Bucket, in.Key = &e.bucket, new("k")
		_, err := e.b.DeleteObject(e.Context(), &in)
		if want != "" {
			e.refused(err, want)
			e.holds("k", "12345")
			return
		}
		if err != nil {
			e.Errorf("DeleteObject: %v", err)
		}
		e.missing("k")
		e.put("k", "12345")
		at = *e.head("k").LastModified
	}
	f(s3err.PreconditionFailed, s3.DeleteObjectInput{IfMatch: new(etag("other"))})
	f("", s3.DeleteObjectInput{IfMatch: new(etag("12345"))})
	f("", s3.DeleteObjectInput{IfMatch: new("*")})
	f(s3err.PreconditionFailed, s3.DeleteObjectInput{IfMatchSize: new(int64(4))})
	f("", s3.DeleteObjectInput{IfMatchSize: new(int64(5))})
	f(s3err.PreconditionFailed, s3.DeleteObjectInput{IfMatchLastModifiedTime: new(at.Add(-time.Second))})
	f("", s3.DeleteObjectInput{IfMatchLastModifiedTime: &at})
	if byETag {
		none := s3.DeleteObjectInput{Bucket: &e.bucket, Key: new("none"), IfMatch: new("*")}
		_, err := e.b.DeleteObject(e.Context(), &none)
		e.refused(err, s3err.NoSuchKey)
	}
	if !byETag || !unchanged {
		return
	}
	f(s3err.PreconditionFailed, s3.DeleteObjectInput{IfMatch: new(etag("12345")), IfMatchSize: new(int64(1))})
	none := s3.DeleteObjectInput{Bucket: &e.bucket, Key: new("none"), IfMatchSize: new(int64(1))}
	if _, err := e.b.DeleteObject(e.Context(), &none); err != nil {
		e.Errorf("IfMatchSize of a missing object: %v", err)
	}
}

// deleteKeys deletes at once.
func (e *env) deleteKeys(quiet bool, objects ...types.ObjectIdentifier) *s3.DeleteObjectsOutput {
	e.Helper()
	out, err := e.b.DeleteObjects(e.Context(), &s3.DeleteObjectsInput{
		Bucket: &e.bucket, Delete: &types.Delete{Objects: objects, Quiet: &quiet},
	})
	if err != nil {
		e.Fatalf("DeleteObjects: %v", err)
	}
	return out
}

func deleteMany(e *env) {
	for _, key := range []string{"a", "b", "c", "d"} {
		e.put(key, key)
	}
	right, code := new(etag("a")), s3err.PreconditionFailed
	if e.lacks(ConditionalDelete) {
		right, code = nil, s3err.NotImplemented
	}
	out := e.deleteKeys(
		false,
		types.ObjectIdentifier{Key: new("c")},
		types.ObjectIdentifier{Key: new("none")},
		types.ObjectIdentifier{Key: new("b"), ETag: new(etag("other"))},
		types.ObjectIdentifier{Key: new("a"), ETag: right},
	)
	var deleted []string
	for _, d := range out.Deleted {
		deleted = append(deleted, deref(d.Key))
	}
	e.same("Deleted", deleted, []string{"c", "none", "a"})
	if len(out.Errors) != 1 {
		e.Fatalf("Errors: %+v", out.Errors)
	}
	e.same("Errors[0].Key", deref(out.Errors[0].Key), "b")
	e.same("Errors[0].Code", deref(out.Errors[0].Code), string(code))
	e.same("keys", e.keys(), []string{"b", "d"})
}

func deleteQuiet(e *env) {
	e.put("a", "x")
	out := e.deleteKeys(true, types.ObjectIdentifier{Key: new("a")})
	e.same("Deleted", len(out.Deleted), 1)
	e.same("keys", e.keys(), []string{})
}

func deleteThousand(e *env) {
	var objects []types.ObjectIdentifier
	for i := range 1000 {
		key := fmt.Sprintf("k%04d", i)
		objects = append(objects, types.ObjectIdentifier{Key: &key})
		if i%10 == 0 {
			e.put(key, "x")
		}
	}
	e.put("other", "x")
	out := e.deleteKeys(false, objects...)
	e.same("Deleted", len(out.Deleted), 1000)
	for i, d := range out.Deleted {
		if deref(d.Key) != *objects[i].Key {
			e.Fatalf("Deleted[%d] is %q, want %q", i, deref(d.Key), *objects[i].Key)
		}
	}
	e.same("keys", e.keys(), []string{"other"})
}
