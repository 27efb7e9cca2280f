package backends

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/s3err"
)

// stored is the object that conditions are tried on.
var stored = ObjectMeta{ETag: `"abc"`, Size: 3, LastModified: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}

// verdict is an error's code and details in one string; "" for nil.
func verdict(err error) string {
	var e *s3err.Error
	if !errors.As(err, &e) {
		return ""
	}
	out := string(e.Code)
	for _, d := range e.Details {
		out += " " + d.Name + "=" + d.Value
	}
	return out
}

func TestCheckRead(t *testing.T) {
	t.Parallel()
	const notModified = `NotModified ETag="abc" Last-Modified=Fri, 02 Jan 2026 03:04:05 GMT`
	second := stored.LastModified.Truncate(time.Second)
	before, after := second.Add(-time.Second), second.Add(time.Second)
	f := func(c ReadConditions, want, wantCopy string) {
		t.Helper()
		if got := verdict(CheckRead(&stored, c)); got != want {
			t.Errorf("CheckRead: got %q, want %q", got, want)
		}
		if got := verdict(CheckCopySource(&stored, c)); got != wantCopy {
			t.Errorf("CheckCopySource: got %q, want %q", got, wantCopy)
		}
	}
	failed := func(condition string) (string, string) {
		return "PreconditionFailed Condition=" + condition, "PreconditionFailed Condition=x-amz-copy-source-" + condition
	}
	match, matchCopy := failed("If-Match")
	unmodified, unmodifiedCopy := failed("If-Unmodified-Since")
	_, noneMatchCopy := failed("If-None-Match")
	_, modifiedCopy := failed("If-Modified-Since")

	f(ReadConditions{}, "", "")
	for _, list := range []string{`"abc"`, "abc", "*", `W/"abc"`, `"x", "abc"`, `"x",abc , "y"`} {
		f(ReadConditions{IfMatch: &list}, "", "")
		f(ReadConditions{IfNoneMatch: &list}, notModified, noneMatchCopy)
	}
	for _, list := range []string{`"ABC"`, "", `""`, `"ab"`, `"x", "y"`, `"*"`, "ab,c"} {
		f(ReadConditions{IfMatch: &list}, match, matchCopy)
		f(ReadConditions{IfNoneMatch: &list}, "", "")
	}
	f(ReadConditions{IfUnmodifiedSince: &second}, "", "")
	f(ReadConditions{IfUnmodifiedSince: &before}, unmodified, unmodifiedCopy)
	f(ReadConditions{IfModifiedSince: &second}, notModified, modifiedCopy)
	f(ReadConditions{IfModifiedSince: &after}, notModified, modifiedCopy)
	f(ReadConditions{IfModifiedSince: &before}, "", "")

	f(ReadConditions{IfMatch: new("abc"), IfUnmodifiedSince: &before}, "", "")
	f(ReadConditions{IfMatch: new("x"), IfUnmodifiedSince: &after}, match, matchCopy)
	f(ReadConditions{IfNoneMatch: new("abc"), IfModifiedSince: &before}, notModified, noneMatchCopy)
	f(ReadConditions{IfNoneMatch: new("x"), IfModifiedSince: &after}, "", "")
	f(ReadConditions{IfMatch: new("x"), IfNoneMatch: new("abc")}, match, matchCopy)
	f(ReadConditions{IfMatch: new("abc"), IfNoneMatch: new("abc")}, notModified, noneMatchCopy)
	f(ReadConditions{IfMatch: new("abc"), IfModifiedSince: &after}, notModified, modifiedCopy)
	f(ReadConditions{IfUnmodifiedSince: &before, IfNoneMatch: new("abc")}, unmodified, unmodifiedCopy)
}

func TestCheckWrite(t *testing.T) {
	t.Parallel()
	f := func(existing *ObjectMeta, match, noneMatch *string, want string) {
		t.Helper()
		if got := verdict(CheckWrite(existing, match, noneMatch)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(nil, nil, nil, "")
	f(&stored, nil, nil, "")
	f(&stored, new(`"abc"`), nil, "")
	f(&stored, new("abc"), nil, "")
	f(&stored, new("*"), nil, "")
	f(&stored, new("x"), nil, "PreconditionFailed Condition=If-Match")
	f(nil, new("abc"), nil, "NoSuchKey")
	f(nil, new("*"), nil, "NoSuchKey")
	f(nil, nil, new("*"), "")
	f(&stored, nil, new("*"), "PreconditionFailed Condition=If-None-Match")
	f(nil, nil, new("abc"), "NotImplemented Header=If-None-Match")
	f(&stored, nil, new("x"), "NotImplemented Header=If-None-Match")
}

func TestCheckDelete(t *testing.T) {
	t.Parallel()
	f := func(existing *ObjectMeta, in s3.DeleteObjectInput, want string) {
		t.Helper()
		if got := verdict(CheckDelete(existing, &in)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	second := stored.LastModified.Truncate(time.Second)
	f(nil, s3.DeleteObjectInput{}, "")
	f(nil, s3.DeleteObjectInput{IfMatch: new("*")}, "NoSuchKey")
	f(nil, s3.DeleteObjectInput{IfMatchSize: new(int64(1)), IfMatchLastModifiedTime: &second}, "")
	f(&stored, s3.DeleteObjectInput{}, "")
	f(&stored, s3.DeleteObjectInput{IfMatch: new("*")}, "")
	f(&stored, s3.DeleteObjectInput{IfMatch: new("x")}, "PreconditionFailed Condition=If-Match")
	f(&stored, s3.DeleteObjectInput{IfMatchSize: new(int64(3)), IfMatchLastModifiedTime: &second}, "")
	f(&stored, s3.DeleteObjectInput{IfMatchSize: new(int64(2))}, "PreconditionFailed Condition=x-amz-if-match-size")
	f(&stored, s3.DeleteObjectInput{IfMatchLastModifiedTime: new(second.Add(time.Second))},
		"PreconditionFailed Condition=x-amz-if-match-last-modified-time")
}

func TestConditionsOfInputs(t *testing.T) {
	t.Parallel()
	at := stored.LastModified
	want := ReadConditions{new("m"), new("n"), &at, new(at.Add(time.Hour))}
	get := GetConditions(&s3.GetObjectInput{
		IfMatch: want.IfMatch, IfNoneMatch: want.IfNoneMatch,
		IfModifiedSince: want.IfModifiedSince, IfUnmodifiedSince: want.IfUnmodifiedSince,
	})
	copied := CopyConditions(&s3.CopyObjectInput{
		CopySourceIfMatch: want.IfMatch, CopySourceIfNoneMatch: want.IfNoneMatch,
		CopySourceIfModifiedSince: want.IfModifiedSince, CopySourceIfUnmodifiedSince: want.IfUnmodifiedSince,
	})
	part := PartCopyConditions(&s3.UploadPartCopyInput{
		CopySourceIfMatch: want.IfMatch, CopySourceIfNoneMatch: want.IfNoneMatch,
		CopySourceIfModifiedSince: want.IfModifiedSince, CopySourceIfUnmodifiedSince: want.IfUnmodifiedSince,
	})
	for _, got := range []ReadConditions{get, copied, part} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
