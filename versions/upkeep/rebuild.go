package upkeep

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// Rebuilt is what was taken into an index.
type Rebuilt struct {
	Objects  int64 `json:"objects"`
	Versions int64 `json:"versions"` // that the index did not know, with delete markers
	Known    int64 `json:"known"`
	Pending  int64 `json:"pending"`  // bodies whose writes may be under way
	Unmarked int64 `json:"unmarked"` // objects in the place of versions that are no bodies
}

// rebuilder rebuilds the index of a place.
type rebuilder struct {
	*Place
	mu  sync.Mutex
	out Rebuilt
}

// found is a body, or the object of a delete marker, and what it says of itself.
type found struct {
	versions.Version
	at       time.Time // about when it was written
	modified time.Time // by the store's clock
}

// Rebuild makes rows of the bodies in the place of versions. Of an object that has no rows all are made: in the order of
// numbers, delete markers among them where their own say, with who wrote them. Of one that has some, those that came
// later, which an index that was restored from a backup lacks. It can be broken off and done again, or gone on with from
// a position.
//
// A body says all that is needed but its tags, retention and hold, and to the millisecond when it was committed. One that
// was never committed says nothing of that, and becomes a version.
func (p *Place) Rebuild(ctx context.Context, from Position) (Rebuilt, error) {
	const step = "rebuild"
	r := &rebuilder{Place: p}
	if from.Step != "" && from.Step != step {
		return r.out, errOtherStep
	}
	w := p.beginAfter(step, from.After, 0)
	defer w.tell()
	g, do := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(p.Concurrency, maxConcurrent))
	// The bodies of an object lie in a directory of their own, but those of objects below it may come in between.
	// One that was done before From may be looked at again for those.
	var open []string
	if from.After != "" {
		open = append(open, directory(from.After))
	}
	err := p.eachBody(do, "", from.After, func(b body) error {
		if b.key == "" {
			r.count(&r.out.Unmarked)
			return do.Err()
		}
		for len(open) > 0 && !strings.HasPrefix(b.at, open[len(open)-1]) {
			open = open[:len(open)-1]
		}
		dir := directory(b.at)
		if slices.Contains(open, dir) {
			return do.Err()
		}
		open = append(open, dir)
		m := w.trail.begin(b.at)
		g.Go(func() error {
			defer w.add()
			err := r.object(do, dir, b.key)
			if err == nil {
				m.end()
			}
			return err
		})
		return do.Err()
	})
	if e := g.Wait(); e != nil {
		return r.out, e
	}
	return r.out, err
}

// directory is where a body lies.
func directory(at string) string { return at[:strings.LastIndexByte(at, '/')+1] }

// object makes the rows of an object.
func (r *rebuilder) object(ctx context.Context, dir, key string) error {
	for {
		all, err := r.read(ctx, dir, key)
		if err != nil {
			return err
		}
		added, err := r.insert(ctx, key, all)
		if errors.Is(err, versions.ErrExists) {
			continue // Somebody has written meanwhile.
		}
		r.mu.Lock()
		r.out.Objects++
		r.out.Versions += added
		r.out.Known += int64(len(all)) - added
		r.mu.Unlock()
		return err
	}
}

// read reads what the bodies of an object say.
func (r *rebuilder) read(ctx context.Context, dir, key string) ([]found, error) {
	var all []found
	in := &s3.ListObjectsV2Input{Prefix: &dir, Delimiter: aws.String("/")}
	for {
		page, err := r.Bodies.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			n, ok := r.Layout.Number(r.DataType, key, aws.ToString(o.Key))
			if !ok {
				continue
			}
			f, ok, err := r.readBody(ctx, body{at: *o.Key, key: key, n: n, modified: aws.ToTime(o.LastModified)})
			if err != nil {
				return nil, err
			}
			if ok {
				all = append(all, f)
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return all, nil
		}
		in.ContinuationToken = page.NextContinuationToken
	}
}

// count counts something.
func (r *rebuilder) count(what *int64) {
	r.mu.Lock()
	*what++
	r.mu.Unlock()
}

// readBody reads what a body says.
func (r *rebuilder) readBody(ctx context.Context, b body) (f found, ok bool, err error) {
	out, err := backends.HeadKeyless(ctx, r.Bodies, &s3.HeadObjectInput{Key: &b.at, ChecksumMode: types.ChecksumModeEnabled})
	if s3err.Is(err, s3err.NoSuchKey) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	m, ok := versioned.ReadMark(out.Metadata)
	if !ok || m.ID.N != b.n {
		r.count(&r.out.Unmarked)
		return f, false, nil
	}
	if pending, err := r.pending(ctx, b); pending || err != nil {
		if pending {
			r.count(&r.out.Pending)
		}
		return f, false, err
	}
	f.ID, f.By, f.Marker, f.at, f.modified = m.ID, m.By, b.n < 0, m.Time, b.modified
	if f.at.IsZero() {
		f.at = b.modified
	}
	if !f.Marker {
		versioned.Measure(&f.Version, out)
		f.StorageClass, f.UploadID = m.StorageClass, m.Upload
		m.Lock.On(&f.Version)
	}
	return f, true, nil
}

// pending reports whether the write of a body may be under way.
func (p *Place) pending(ctx context.Context, b body) (bool, error) {
	if p.Now().Sub(b.modified) >= maxUncommitted || b.n < 0 {
		return false, nil
	}
	about, err := p.Index.Find(ctx, p.Object(b.key), b.n)
	if err != nil || about.Seq > 0 {
		return false, err
	}
	return p.hasSlot(ctx, b)
}

// hasSlot reports whether the slot of a body is taken.
func (p *Place) hasSlot(ctx context.Context, b body) (bool, error) {
	taken, err := p.Index.Slots(ctx, versions.Slot{Object: p.Object(b.key), N: b.n}, 1)
	return err == nil && len(taken) > 0 && taken[0].Key == b.key && taken[0].N == b.n, err
}

// insert inserts rows behind what there is, and returns how many.
func (r *rebuilder) insert(ctx context.Context, key string, all []found) (added int64, err error) {
	o := r.Object(key)
	top, err := r.Index.Top(ctx, o)
	if err != nil {
		return 0, err
	}
	if all, err = r.lost(ctx, versions.Head{Object: o, Top: top}, all); err != nil || len(all) == 0 {
		return 0, err
	}
	if err := r.Index.InsertKey(ctx, o); err != nil {
		return 0, err
	}
	for _, f := range inOrder(all, top.Seq) {
		if f.ID.N >= 0 {
			err := r.Index.TakeSlot(ctx, versions.Slot{Object: o, N: f.ID.N, Taken: f.at})
			if err != nil && !errors.Is(err, versions.ErrExists) {
				return added, err
			}
		}
		row := versions.Put(top, f.Version, f.at)
		if f.ID.N < 0 { // It is numbered as its row was, and no row that will come may have that number again.
			row.Seq = max(row.Seq, -f.ID.N)
		}
		if err := r.Index.InsertRow(ctx, o, row); err != nil {
			return added, err
		}
		top = row
		added++
	}
	return added, nil
}

// lost are those of the bodies of an object that its log has lost, or never had: with greater numbers than it knows, and those
// that were written after its top row, as uploads are that began before it.
func (r *rebuilder) lost(ctx context.Context, h versions.Head, all []found) ([]found, error) {
	var list []found
	for _, f := range all {
		after := f.ID.N >= h.Top.State.NextN
		if f.ID.N < 0 {
			after = -f.ID.N > h.Top.Seq
		} else if !after && f.modified.After(h.Top.Time) {
			about, err := r.Index.Find(ctx, h.Object, f.ID.N)
			if err != nil {
				return nil, err
			}
			after = about.Seq == 0
		}
		if after {
			list = append(list, f)
		}
	}
	return list, nil
}

// inOrder is the order in which versions were added: bodies in the order of numbers, and delete markers in theirs. What
// both say of the time merges them; a marker says too that there were not more rows before it than it has as number.
func inOrder(all []found, seq int64) []found {
	var bodies, markers []found
	for _, f := range all {
		if f.ID.N < 0 {
			markers = append(markers, f)
		} else {
			bodies = append(bodies, f)
		}
	}
	slices.SortFunc(bodies, func(a, b found) int { return cmp.Compare(a.ID.N, b.ID.N) })
	slices.SortFunc(markers, func(a, b found) int { return cmp.Compare(b.ID.N, a.ID.N) })
	out := make([]found, 0, len(all))
	for len(bodies)+len(markers) > 0 {
		if len(markers) > 0 && (len(bodies) == 0 || seq+1 >= -markers[0].ID.N || markers[0].at.Before(bodies[0].at)) {
			seq = max(seq+1, -markers[0].ID.N)
			out, markers = append(out, markers[0]), markers[1:]
			continue
		}
		seq++
		out, bodies = append(out, bodies[0]), bodies[1:]
	}
	return out
}

// Imported is what an import did.
type Imported struct {
	Adopted int64 `json:"adopted"`
	Failed  int64 `json:"failed"`
}

// Import takes into the index what it does not know at the plain place: objects from before there were versions, and such as
// were written past the proxy, as the null versions of their keys. No byte is copied. One object's failure keeps no other
// from it; the first is returned. When there is none, the index knows all.
func (p *Place) Import(ctx context.Context) (out Imported, err error) {
	var mu sync.Mutex
	var first error
	w := p.begin("import", 0)
	defer w.tell()
	g, do := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(p.Concurrency, maxConcurrent))
	err = p.eachUnknown(do, span{}, w, func(key string, _ *mark) error {
		g.Go(func() error {
			adopted, err := p.Adopt(do, key)
			mu.Lock()
			defer mu.Unlock()
			if adopted {
				out.Adopted++
			}
			if err != nil {
				out.Failed++
				first = cmp.Or(first, err)
			}
			return do.Err()
		})
		return do.Err()
	})
	if e := g.Wait(); e != nil && err == nil {
		err = e
	}
	if err == nil {
		err = first
	}
	return out, err
}
