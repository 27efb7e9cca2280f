package upkeep

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// What a restore does with an object.
const (
	PutBack = "put back" // the version that was current then is copied, and current again
	Delete  = "delete"   // it was not there then: it gets a delete marker
)

// Change is what is done, or to be done, to one object.
type Change struct {
	Change    string `json:"change"`
	Key       string `json:"key"`
	VersionID string `json:"versionId,omitempty"` // that is put back
	Size      int64  `json:"size,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Past is what a restore brings back.
type Past struct {
	Prefix string
	At     time.Time
	DryRun bool
	By     backends.Request // who does it
	Report func(Change)     // called by one at a time

	Has func(key string) bool // which keys are meant; nil: all that begin with Prefix
}

// Restored is what a restore did, or would do.
type Restored struct {
	PutBack int64 `json:"putBack"`
	Deleted int64 `json:"deleted"`
	Same    int64 `json:"same"` // objects that are as they were
	Bytes   int64 `json:"bytes"`
	Failed  int64 `json:"failed"`
}

// restoreOperation begins the operation that versions show which a restore made; the version they are
// copies of follows. So a restore that is run again knows what it has done.
const restoreOperation = "Restore:"

// restorer restores a place.
type restorer struct {
	*Place
	Past
	mu  sync.Mutex
	out Restored
}

// RestoreAsOf brings the objects of a place back to what they were at a time, as far as the versions
// are there still, by adding versions: so it can be undone by another. One object's failure keeps no other from it.
func (p *Place) RestoreAsOf(ctx context.Context, past Past) (Restored, error) {
	r := &restorer{Place: p, Past: past}
	r.At = r.At.UTC().Truncate(time.Millisecond)
	if !past.DryRun {
		if err := p.Writable(ctx); err != nil {
			return r.out, err
		}
	}
	total, err := p.count(ctx, span{prefix: past.Prefix})
	if err != nil {
		return r.out, err
	}
	w := p.begin("restore", total)
	defer w.tell()
	err = w.walk(ctx, span{prefix: past.Prefix}, false, func(ctx context.Context, o *object) error {
		return r.object(ctx, o)
	})
	if err == nil && !p.Complete {
		err = r.before(ctx)
	}
	return r.out, err
}

// then is the version of an object that was current at a time; nil when none was, or a delete marker.
func then(o *object, at time.Time) *versions.Version {
	for i := range o.entries {
		e := &o.entries[i]
		if e.Version.Time.After(at) || !o.Top.State.Live(e.Row) {
			continue
		}
		if e.Version.Marker {
			return nil
		}
		return &e.Version
	}
	return nil
}

// object restores an object that the index knows.
func (r *restorer) object(ctx context.Context, o *object) error {
	if r.Has != nil && !r.Has(o.Key) {
		return nil
	}
	want, now := then(o, r.At), o.Top.State.Current
	switch {
	case want == nil && now.Meta() == nil, want.Is(now), want != nil && isRestored(now, want):
		r.count(Change{}, nil)
		return nil
	case want == nil:
		return r.do(ctx, Change{Change: Delete, Key: o.Key}, "", func(ctx context.Context) error { return r.delete(ctx, o.Key) })
	}
	c := Change{Change: PutBack, Key: o.Key, VersionID: want.ID.String(), Size: want.Size}
	return r.do(ctx, c, want.ID.Name(), func(ctx context.Context) error { return r.Restore(ctx, o.Key, want) })
}

// isRestored reports whether the current version is what a restore has made of another.
func isRestored(now, want *versions.Version) bool {
	return now != nil && now.By.Operation == restoreOperation+want.ID.Name()
}

// delete deletes an object.
func (r *restorer) delete(ctx context.Context, key string) error {
	_, err := r.Backend().DeleteObject(ctx, &s3.DeleteObjectInput{Key: &key})
	return err
}

// before deletes the objects from before there were versions that were written after the time, as what is
// shown of the past does not have them.
func (r *restorer) before(ctx context.Context) error {
	w := r.begin("objects from before", 0)
	return r.eachUnknown(ctx, span{prefix: r.Prefix}, w, func(key string, _ *mark) error {
		if r.Has != nil && !r.Has(key) {
			return nil
		}
		head, err := backends.HeadKeyless(ctx, r.Heads, &s3.HeadObjectInput{Key: &key})
		if s3err.Is(err, s3err.NoSuchKey) {
			return nil
		}
		if err != nil {
			return err
		}
		if !aws.ToTime(head.LastModified).After(r.At) {
			r.count(Change{}, nil)
			return nil
		}
		return r.do(ctx, Change{Change: Delete, Key: key}, "", func(ctx context.Context) error { return r.delete(ctx, key) })
	})
}

// do makes a change, unless it is only to be told of.
func (r *restorer) do(ctx context.Context, c Change, of string, change func(context.Context) error) error {
	var err error
	if !r.DryRun {
		by := r.By
		by.Operation = restoreOperation + of
		if of == "" {
			by.Operation = strings.TrimSuffix(restoreOperation, ":")
		}
		err = change(backends.WithRequest(ctx, &by))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.count(c, err)
	return nil
}

// count counts and reports a change.
func (r *restorer) count(c Change, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case c.Change == "":
		r.out.Same++
		return
	case err != nil:
		c.Error = err.Error()
		r.out.Failed++
	case c.Change == Delete:
		r.out.Deleted++
	default:
		r.out.PutBack++
		r.out.Bytes += c.Size
	}
	if r.Report != nil {
		r.Report(c)
	}
}
