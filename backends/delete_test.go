package backends_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/s3err"
)

// gate is a store whose deletions wait until as many are there as open wants.
type gate struct {
	backends.Backend
	open             int32
	first, full      chan struct{}
	begin, fill      sync.Once
	now, most, calls atomic.Int32
}

// DeleteObject implements [backends.ObjectWriter].
func (g *gate) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	g.calls.Add(1)
	g.begin.Do(func() { close(g.first) })
	now := g.now.Add(1)
	defer g.now.Add(-1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	if now == g.open {
		g.fill.Do(func() { close(g.full) })
	}
	select {
	case <-g.full:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return g.Backend.DeleteObject(ctx, in)
}

// thousand is a DeleteObjects of 1,000 keys, of which the third fails.
func thousand() *s3.DeleteObjectsInput {
	in := &s3.DeleteObjectsInput{Bucket: new("bucket"), Delete: &types.Delete{}}
	for i := range 1000 {
		in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: new(fmt.Sprintf("k%03d", i))})
	}
	in.Delete.Objects[2].ETag = new("another")
	return in
}

// newGate returns a store that is open when so many deletions are at it at once.
func newGate(t *testing.T, open int32) *gate {
	t.Helper()
	b := membackend.New()
	if _, err := b.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("bucket")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("bucket"), Key: new("k002")}); err != nil {
		t.Fatal(err)
	}
	return &gate{Backend: b, open: open, first: make(chan struct{}), full: make(chan struct{})}
}

// TestDeleteEachAtOnce: sixteen deletions are made at once, since none ends before, and never more. The
// report has the order of the request.
func TestDeleteEachAtOnce(t *testing.T) {
	t.Parallel()
	const atOnce = 16
	g, in := newGate(t, atOnce), thousand()
	out, err := backends.DeleteEach(t.Context(), g, in)
	if err != nil {
		t.Fatal(err)
	}
	if most := g.most.Load(); most != atOnce {
		t.Errorf("%d at once, want %d", most, atOnce)
	}
	if len(out.Errors) != 1 || *out.Errors[0].Key != "k002" || *out.Errors[0].Code != string(s3err.PreconditionFailed) {
		t.Errorf("errors: %+v", out.Errors)
	}
	want := append(in.Delete.Objects[:2:2], in.Delete.Objects[3:]...)
	if len(out.Deleted) != len(want) {
		t.Fatalf("%d deleted, want %d", len(out.Deleted), len(want))
	}
	for i, o := range out.Deleted {
		if *o.Key != *want[i].Key {
			t.Fatalf("deleted %d is %s, want %s", i, *o.Key, *want[i].Key)
		}
	}
}

// TestDeleteEachEnds: with the context, and when there is no bucket, it ends without asking for all.
func TestDeleteEachEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	g := newGate(t, 1001)
	go func() {
		<-g.first
		cancel()
	}()
	if _, err := backends.DeleteEach(ctx, g, thousand()); err == nil || g.calls.Load() > 500 {
		t.Errorf("after %d calls: %v", g.calls.Load(), err)
	}
	in := thousand()
	in.Bucket = new("none")
	g = newGate(t, 1)
	if _, err := backends.DeleteEach(t.Context(), g, in); !s3err.Is(err, s3err.NoSuchBucket) || g.calls.Load() > 500 {
		t.Errorf("after %d calls: %v", g.calls.Load(), err)
	}
}

// TestDeleteEachOfOneKey: what is said twice of a key is done in order.
func TestDeleteEachOfOneKey(t *testing.T) {
	t.Parallel()
	g := newGate(t, 1)
	head, err := g.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("bucket"), Key: new("k002")})
	if err != nil {
		t.Fatal(err)
	}
	in := &s3.DeleteObjectsInput{Bucket: new("bucket"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: new("k002"), ETag: head.ETag}, {Key: new("other")}, {Key: new("k002"), ETag: head.ETag},
	}}}
	out, err := backends.DeleteEach(t.Context(), g, in)
	if err != nil || len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Key != "k002" {
		t.Errorf("%+v, %v", out, err)
	}
}
