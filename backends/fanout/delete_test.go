package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/fanout"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/s3err"
)

// deleteAll deletes at once and returns what was deleted, and "key code" of what was not.
func deleteAll(ctx context.Context, b backends.Backend, objects ...types.ObjectIdentifier) (deleted, failed []string, err error) {
	out, err := b.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: objects}})
	if err != nil {
		return nil, nil, err
	}
	for _, d := range out.Deleted {
		deleted = append(deleted, *d.Key)
	}
	for _, e := range out.Errors {
		failed = append(failed, *e.Key+" "+*e.Code)
	}
	return deleted, failed, nil
}

// objects are identifiers of keys.
func objects(keys ...string) (all []types.ObjectIdentifier) {
	for _, key := range keys {
		all = append(all, types.ObjectIdentifier{Key: &key})
	}
	return all
}

// TestDeleteObjects holds that a request is split by mount, one call each, and put
// together again in its order, whatever a mount says.
func TestDeleteObjects(t *testing.T) {
	t.Parallel()
	one, two := faultbackend.New(memory(t), nil), faultbackend.New(memory(t), nil)
	b := over(t, refusing, one, two)
	f := func(request []types.ObjectIdentifier, deleted, failed []string) {
		t.Helper()
		gone, errs, err := deleteAll(t.Context(), b, request...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(gone, deleted) || !slices.Equal(errs, failed) {
			t.Errorf("deleted %q, errors %q; want %q and %q", gone, errs, deleted, failed)
		}
	}
	keys := []string{"5", "4", "x", "3", "2", "1", "0", "y", "5"}
	for _, key := range []string{"0", "1", "2", "3", "4", "5"} {
		put(t, b, "virtual", key, key)
	}
	request := objects(keys...)
	request[4].ETag, request[7].ETag = new(`"other"`), new("*")
	one.SetPlan(nil)
	two.SetPlan(nil)
	f(request, []string{"5", "4", "x", "3", "1", "0", "5"}, []string{"2 PreconditionFailed", "y NoSuchKey"})
	if len(one.Calls()) != 1 || len(two.Calls()) != 1 {
		t.Errorf("calls %v and %v; want one each", one.Calls(), two.Calls())
	}
	if got := read(t, b, "2"); got != "2" {
		t.Errorf("a key whose condition failed reads %q", got)
	}

	// A mount that fails takes its keys with it, and no others.
	slow := s3err.New(s3err.SlowDown)
	two.SetPlan(faultbackend.On("DeleteObjects", faultbackend.Fault{Err: slow}))
	f(objects("2", "3", "x", "1", "0"), []string{"2", "x", "0"}, []string{"3 SlowDown", "1 SlowDown"})
	if _, _, err := deleteAll(t.Context(), b, objects("3", "x", "1")...); !errors.Is(err, slow) {
		t.Errorf("got %v; want the error of the only mount that was asked", err)
	}
	one.SetPlan(faultbackend.On("DeleteObjects", faultbackend.Fault{Err: slow}))
	if _, _, err := deleteAll(t.Context(), b, objects("3", "2")...); !errors.Is(err, slow) {
		t.Errorf("got %v; want the error of all mounts", err)
	}
	f(objects("x", "y"), []string{"x", "y"}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := deleteAll(ctx, b, objects("3", "2")...); err == nil {
		t.Error("no error with a context that has ended")
	}
}

// careless is a mount that answers a DeleteObjects in another order and forgets a key.
type careless struct{ backends.Backend }

func (b careless) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	out, err := b.Backend.DeleteObjects(ctx, in)
	if err == nil {
		slices.Reverse(out.Deleted)
		out.Deleted = slices.DeleteFunc(out.Deleted, func(d types.DeletedObject) bool { return *d.Key == "forgotten" })
	}
	return out, err
}

// TestDeleteCareless holds that nobody is told of a deletion that nobody reported.
func TestDeleteCareless(t *testing.T) {
	t.Parallel()
	b := fanout.New(fanout.Options{
		Mounts: []fanout.Mount{{Backend: careless{mountOf(t, memory(t), 0)}}},
		Select: func(string) (int, error) { return 0, nil },
	})
	deleted, failed, err := deleteAll(t.Context(), b, objects("a", "forgotten", "b", "c")...)
	if got := fmt.Sprint(deleted, failed, err); got != "[a b c] [forgotten InternalError] <nil>" {
		t.Errorf("got %s", got)
	}
}
