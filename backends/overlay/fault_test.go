package overlay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// TestDeleteBreaksOff holds that a deletion that ends between tombstone and new place has not
// happened, and can be made again; and that the old object never comes back.
func TestDeleteBreaksOff(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	put(t, p.past, "k", "old")
	put(t, p, "k", "new")
	f := func(op string, call func() error) {
		t.Helper()
		broken := s3err.New(s3err.SlowDown)
		p.new.SetPlan(faultbackend.On(op, faultbackend.Fault{Err: broken}))
		if err := call(); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
		p.new.SetPlan(nil)
		if hidden, _ := p.tombstones.Hidden(t.Context(), "bucket", "k"); !hidden {
			t.Error("the new object would have been deleted before the old one was hidden")
		}
		if got := read(t, p, "k"); got != "new" {
			t.Errorf("k reads %q after a deletion that failed", got)
		}
	}
	f("DeleteObject", func() error { return tryDelete(t, p, "k", "") })
	f("DeleteObject", func() error { return tryDelete(t, p, "k", etag("new")) })
	f("DeleteObjects", func() error {
		_, err := p.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
			Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: new("k")}}},
		})
		return err
	})
	if err := tryDelete(t, p, "k", ""); err != nil {
		t.Fatal(err)
	}
	if got := read(t, p, "k"); got != "NoSuchKey" {
		t.Errorf("k reads %q after it was deleted", got)
	}
	if got := list(t, p, "", 10); len(got) > 0 {
		t.Errorf("listed %q", got)
	}
}

// TestIndexDown holds that without the index nothing is deleted, hidden or shown by guess.
func TestIndexDown(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	put(t, p.past, "old", "old")
	put(t, p, "new", "new")
	p.tombstones.fail.Store(true)
	f := func(err error) {
		t.Helper()
		if !errors.Is(err, errIndex) {
			t.Errorf("got %v, want that the index is down", err)
		}
	}
	for _, tag := range []string{"", "*"} {
		f(tryDelete(t, p, "old", tag))
	}
	f(tryPut(t, p, "old", "x", absent))
	f(tryPut(t, p, "old", "x", match("*")))
	_, err := p.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("virtual"), Key: new("old")})
	f(err)
	_, err = p.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("none")})
	f(err)
	_, err = p.CopyObject(t.Context(), backends.CopySource{Key: "old"}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")})
	f(err)
	_, err = p.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("virtual")})
	f(err)
	out, err := p.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
		Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: new("old")}, {Key: new("new")}}},
	})
	if err != nil || len(out.Errors) != 2 {
		t.Errorf("DeleteObjects: %+v, %v; want an error for each key", out, err)
	}
	if got := read(t, p, "new"); got != "new" {
		t.Errorf("what the new place has reads %q", got)
	}
	p.tombstones.fail.Store(false)
	if got := list(t, p, "", 10); !slices.Equal(got, []string{"new", "old"}) {
		t.Errorf("listed %q", got)
	}
}

// TestOldFails holds that an old place that fails is not taken for an empty one, and one
// that is gone, or cannot have the key, is.
func TestOldFails(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	put(t, p.past, "k", "old")
	f := func(code s3err.Code, want, wantPut, wantDelete string) {
		t.Helper()
		p.old.SetPlan(func(faultbackend.Call) faultbackend.Fault { return faultbackend.Fault{Err: s3err.New(code)} })
		result := func(err error) string {
			if err == nil {
				return ""
			}
			return string(s3err.From(err).Code)
		}
		if got := read(t, p, "k"); got != want {
			t.Errorf("%s: reads %q, want %q", code, got, want)
		}
		if got := result(tryDelete(t, p, "k", "*")); got != wantDelete {
			t.Errorf("%s: deleting says %q, want %q", code, got, wantDelete)
		}
		if got := result(tryPut(t, p, "k", "x", absent)); got != wantPut {
			t.Errorf("%s: creating says %q, want %q", code, got, wantPut)
		}
		if err := p.newerRemove(t); err != nil {
			t.Fatal(err)
		}
	}
	f(s3err.SlowDown, "SlowDown", "SlowDown", "SlowDown")
	f(s3err.AccessDenied, "AccessDenied", "AccessDenied", "AccessDenied")
	f(s3err.NoSuchBucket, "NoSuchKey", "", "NoSuchKey")
	f(s3err.KeyTooLong, "NoSuchKey", "", "NoSuchKey")
	p.old.SetPlan(nil)
	if got := read(t, p, "k"); got != "old" {
		t.Errorf("k reads %q", got)
	}
}

// newerRemove takes k out of the new place.
func (p *parts) newerRemove(t testing.TB) error { return tryDelete(t, p.newer, "k", "") }

// TestNotMoved holds what an object that only the old place has answers to If-Match.
func TestNotMoved(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	put(t, p.past, "k", "old")
	err := tryPut(t, p, "k", "x", match(etag("old")))
	if !s3err.Is(err, s3err.NotImplemented) || !strings.Contains(err.Error(), "not been moved") {
		t.Errorf("got %v; want NotImplemented, and why", err)
	}
	put(t, p, "k", "new")
	if err := tryPut(t, p, "k", "newer", match(etag("new"))); err != nil {
		t.Error(err)
	}
	if err := tryPut(t, p, "none", "x", match(etag("old"))); !s3err.Is(err, s3err.NoSuchKey) {
		t.Errorf("got %v, want NoSuchKey", err)
	}
}

// late is a set of tombstones one of which is inserted when it is looked for, by a deletion
// that goes no further, after a write.
type late struct {
	overlay.Tombstones
	before func()
}

func (x late) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	x.before()
	if _, err := x.Hide(ctx, bucketID, key); err != nil {
		return false, err
	}
	return x.Tombstones.Hidden(ctx, bucketID, key)
}

// TestHiddenWhileRead holds that an object that was there all the time is found: at first
// in the old place, then in the new one.
func TestHiddenWhileRead(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	put(t, p.past, "k", "old")
	b := overlay.New(overlay.Options{New: p.newer, Old: p.past, BucketID: "bucket", Tombstones: late{
		memindex.New(), func() { put(t, p.newer, "k", "new") },
	}})
	if got := read(t, b, "k"); got != "new" {
		t.Errorf("k reads %q", got)
	}
}

// TestCopyMoves copies from the old place: on the side of the store when it is the
// new one's, too, and through here when not.
func TestCopyMoves(t *testing.T) {
	t.Parallel()
	store := memory(t)
	same := func(testing.TB) faultbackend.Store { return store }
	f := func(p *parts, want string) {
		t.Helper()
		put(t, p.past, "from", "old")
		src := backends.CopySource{Bucket: "virtual", Key: "from"}
		out, err := p.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")})
		if err != nil {
			t.Fatal(err)
		}
		head, err := p.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("virtual"), Key: new("to")})
		if err != nil || *head.ETag != *out.CopyObjectResult.ETag || *head.ContentType != "text/old" {
			t.Errorf("the copy: %+v, %v", head, err)
		}
		if ops := wrote(p.new); !slices.Equal(ops, []string{want}) {
			t.Errorf("the new place was asked to %v, want %s", ops, want)
		}
	}
	f(over(t, memory, memory), "PutObject")
	p := over(t, same, same)
	one := faultbackend.New(store, nil)
	p.new, p.old, p.newer, p.past = one, one, mountOf(t, one, "n/"), mountOf(t, one, "o/")
	p.Backend = overlay.New(overlay.Options{New: p.newer, Old: p.past, BucketID: "bucket", Tombstones: p.tombstones})
	put(t, p.past, "from", "old")
	one.SetPlan(nil)
	src := backends.CopySource{Bucket: "virtual", Key: "from"}
	if _, err := p.CopyObject(t.Context(), src, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("to")}); err != nil {
		t.Fatal(err)
	}
	if ops := wrote(one); !slices.Equal(ops, []string{"CopyObject"}) {
		t.Errorf("one store was asked to %v", ops)
	}
	// Onto itself: refused as anywhere, unless something changes; then the object has moved.
	in := &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("from")}
	if _, err := p.CopyObject(t.Context(), src, in); !s3err.Is(err, s3err.InvalidRequest) {
		t.Errorf("a copy onto itself: %v", err)
	}
	in.StorageClass = types.StorageClassStandardIa
	if _, err := p.CopyObject(t.Context(), src, in); err != nil || read(t, p.newer, "from") != "old" {
		t.Errorf("a copy onto itself that changes something: %v", err)
	}
}

// TestListCost holds that tombstones are read along with a listing, not key by key.
func TestListCost(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	for i := range 3000 {
		key := fmt.Sprintf("%02d/%04d", i/100, i)
		put(t, p.past, key, "old")
		if i%3 > 0 || i < 1000 {
			if _, err := p.tombstones.Hide(t.Context(), "bucket", key); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := func(delimiter string, size, shown int, questions int64, calls int) {
		t.Helper()
		p.new.SetPlan(nil)
		p.old.SetPlan(nil)
		p.tombstones.calls.Store(0)
		out, err := p.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
			Bucket: new("virtual"), Delimiter: &delimiter, MaxKeys: aws.Int32(int32(size)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(out.Contents) + len(out.CommonPrefixes); n != shown {
			t.Errorf("%d entries are shown, want %d", n, shown)
		}
		asked, called := p.tombstones.calls.Load(), len(p.new.Calls())+len(p.old.Calls())
		t.Logf("delimiter %q: %d entries, %d questions to the index, %d calls", delimiter, shown, asked, called)
		if asked > questions || called > calls {
			t.Errorf("delimiter %q: %d questions to the index and %d calls, want %d and %d", delimiter, asked, called, questions, calls)
		}
	}
	f("", 1000, 666, 4, 7)
	f("", 10, 10, 6, 8)
	f("/", 1000, 20, 4, 60)
}
