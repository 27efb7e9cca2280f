package faultbackend_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/s3err"
)

// open returns a store without faults, with a bucket.
func open(t *testing.T) *faultbackend.Backend {
	t.Helper()
	b := faultbackend.New(membackend.New(), nil)
	if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("bucket")}); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestContract holds that without a fault nothing changes.
func TestContract(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) { return open(t), "bucket" }, backendtest.Options{})
}

// put stores an object.
func put(ctx context.Context, b backends.Backend, text string) error {
	_, err := b.PutObject(ctx, &s3.PutObjectInput{
		Bucket: new("bucket"), Key: new("k"), Body: strings.NewReader(text), ContentLength: new(int64(len(text))),
	})
	return err
}

// get reads an object; what arrived is returned with an error, too.
func get(ctx context.Context, b backends.Backend) (string, error) {
	out, err := b.GetObject(ctx, &s3.GetObjectInput{Bucket: new("bucket"), Key: new("k")})
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(out.Body)
	return string(text), errors.Join(err, out.Body.Close())
}

// errBroken is the error that the tests inject.
var errBroken = errors.New("broken")

func TestCallsFail(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.SetPlan(faultbackend.Nth(2, faultbackend.Fault{Err: errBroken}))
	f := func(text string, want error) {
		t.Helper()
		if err := put(t.Context(), b, text); !errors.Is(err, want) {
			t.Errorf("put %s: %v", text, err)
		}
	}
	f("one", nil)
	f("two", errBroken)
	if text, err := get(t.Context(), b); text != "one" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	if calls := b.Calls(); len(calls) != 3 || calls[2] != (faultbackend.Call{Op: "GetObject", Key: "k", N: 3}) {
		t.Errorf("calls %v", calls)
	}
	b.SetPlan(faultbackend.On("PutObject", faultbackend.Fault{Err: errBroken, After: true}))
	f("three", errBroken)
	if text, err := get(t.Context(), b); text != "three" || err != nil {
		t.Errorf("after a write whose answer was lost: got %q, %v", text, err)
	}
}

func TestBodiesFail(t *testing.T) {
	t.Parallel()
	b := open(t)
	if err := put(t.Context(), b, "0123456789"); err != nil {
		t.Fatal(err)
	}
	b.SetPlan(faultbackend.On("GetObject", faultbackend.Fault{Err: errBroken, Body: true, BodyAt: 4}))
	if text, err := get(t.Context(), b); text != "0123" || !errors.Is(err, errBroken) {
		t.Errorf("got %q, %v", text, err)
	}
	b.SetPlan(faultbackend.On("PutObject", faultbackend.Fault{Err: s3err.New(s3err.BadDigest), Body: true, BodyAt: 4}))
	if err := put(t.Context(), b, "another"); !s3err.Is(err, s3err.BadDigest) {
		t.Errorf("put: %v", err)
	}
	if text, err := get(t.Context(), b); text != "0123456789" || err != nil {
		t.Errorf("after a failed put: got %q, %v", text, err)
	}
}

func TestCallsHang(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.SetPlan(faultbackend.On("PutObject", faultbackend.Fault{Hang: true}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- put(ctx, b, "one") }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if _, err := get(t.Context(), b); !s3err.Is(err, s3err.NoSuchKey) {
		t.Errorf("get: %v", err)
	}
}
