package versioned_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/history"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// chaos gives way to others at every call, and lets some fail, before or after they are made.
type chaos struct {
	rate  float64 // of each kind of failure
	calm  atomic.Bool
	yield int // at most so often at once
}

// fault is what happens to a call.
func (c *chaos) fault() (f indexFault) {
	if c.calm.Load() {
		return f
	}
	for range rand.IntN(c.yield) {
		runtime.Gosched()
	}
	if r := rand.Float64(); r < 2*c.rate {
		f.Err, f.After = errBroken, r < c.rate
	}
	return f
}

// chaosStore is a store in chaos.
type chaosStore struct {
	faultbackend.Store
	*chaos
}

// GetObject implements [backends.ObjectReader].
func (s chaosStore) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return through(s.fault(), func() (*s3.GetObjectOutput, error) { return s.Store.GetObject(ctx, in) })
}

// HeadObject implements [backends.ObjectReader].
func (s chaosStore) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	return through(s.fault(), func() (*s3.HeadObjectOutput, error) { return s.Store.HeadObject(ctx, in) })
}

// PutObject implements [backends.ObjectWriter].
func (s chaosStore) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	return through(s.fault(), func() (*s3.PutObjectOutput, error) { return s.Store.PutObject(ctx, in) })
}

// CopyObject implements [backends.ObjectWriter].
func (s chaosStore) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	return through(s.fault(), func() (*s3.CopyObjectOutput, error) { return s.Store.CopyObject(ctx, src, in) })
}

// DeleteObject implements [backends.ObjectWriter].
func (s chaosStore) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	return through(s.fault(), func() (*s3.DeleteObjectOutput, error) { return s.Store.DeleteObject(ctx, in) })
}

// CompleteMultipartUpload implements [backends.MultipartUploader].
func (s chaosStore) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	return through(s.fault(), func() (*s3.CompleteMultipartUploadOutput, error) { return s.Store.CompleteMultipartUpload(ctx, in) })
}

// linearRun says what runs.
type linearRun struct {
	keys, clients, ops int
	rate               float64             // of failures
	settings           []router.Versioning // of the proxies
	before             bool                // the keys have objects from before
	index              func(testing.TB) versions.Index
	seed               seededBug // what is wrong with it
}

// proxy is a process: a bucket value over what all share.
type proxy struct {
	backends.Backend
	null bool
	o    versioned.Options
}

// world is a run.
type world struct {
	*bucketOf        // for looking at what is there at rest
	*history.History // what clients do

	run     linearRun
	chaos   *chaos
	proxies []*proxy
}

// newWorld makes the store, the index and the proxies.
func newWorld(t testing.TB, run linearRun) *world {
	w := &world{
		run: run, History: history.New(), chaos: &chaos{rate: run.rate, yield: 12},
	}
	mem := memory(t)
	var x versions.Index = memindex.New()
	if run.index != nil {
		x = run.index(t)
	}
	w.bucketOf = &bucketOf{TB: t, below: mem, store: faultbackend.New(mem, nil), index: &faultIndex{Index: x}}
	w.o = options(mem, x)
	w.o.Complete = !run.before
	w.Backend = versioned.New(w.o)
	for i, setting := range run.settings {
		store, index := faultbackend.Store(chaosStore{mem, w.chaos}), versions.Index(&faultIndex{Index: x, plan: func(indexCall) indexFault { return w.chaos.fault() }})
		if run.seed.store != nil {
			store = run.seed.store(w, store)
		}
		if run.seed.index != nil {
			index = run.seed.index(w, index, i)
		}
		o := options(store, index)
		o.Complete, o.Versioning = !run.before, setting
		if run.rate > 0 { // Else heads are right without.
			o.Repairs = versioned.NewRepairs()
		}
		if run.seed.options != nil {
			run.seed.options(w, &o)
		}
		p := &proxy{Backend: versioned.New(o), null: setting == router.Suspended, o: o}
		if run.seed.bucket != nil {
			p.Backend = run.seed.bucket(p.Backend)
		}
		w.proxies = append(w.proxies, p)
	}
	return w
}

// key is the name of a key.
func (w *world) key(i int) string { return fmt.Sprint("key", i, ".txt") }

// linearOp is an operation that runs.
type linearOp struct{ *history.Op }

// begin begins an operation.
func (w *world) begin(kind, key string) linearOp { return linearOp{w.Begin(kind, key)} }

// ctx is the operation's context: rows say which operation made them.
func (o linearOp) ctx() context.Context {
	return backends.WithRequest(context.Background(), &backends.Request{Operation: o.In.Kind, AccessKey: o.Name})
}

// done notes an operation and its answer.
func (o linearOp) done(err error) {
	if errors.Is(err, errBroken) {
		o.Failed()
		return
	}
	e := (*s3err.Error)(nil)
	if errors.As(err, &e) {
		o.Out.Code = e.Code
		for _, h := range e.Headers {
			if h.Name == "x-amz-version-id" {
				o.Out.ID = h.Value
			}
		}
	} else if err != nil {
		o.Out.Code = s3err.InternalError
	}
	o.Done()
}

// client does operations until there were enough.
func (w *world) client() {
	for w.Begun() < w.run.ops {
		p := w.proxies[rand.IntN(len(w.proxies))]
		key := w.key(rand.IntN(w.run.keys))
		switch rand.IntN(16) {
		case 0, 1:
			w.put(p, key, "", "")
		case 2, 3:
			w.put(p, key, "", "*")
		case 4, 5:
			w.put(p, key, w.ETag(rand.IntN, key), "")
		case 6:
			w.delete(p, key)
		case 7, 8, 9:
			w.remove(p, key)
		case 10:
			w.complete(p, key)
		case 11:
			w.copy(p, key, w.key(rand.IntN(w.run.keys)))
		case 12, 13:
			w.get(p, key, "")
		case 14:
			w.get(p, key, w.ID(rand.IntN, key))
		case 15:
			w.list(p, key)
		}
	}
}

// put puts an object.
func (w *world) put(p *proxy, key, match, noneMatch string) {
	o := w.begin(history.Put, key)
	value := o.Name
	w.Knows(history.ETagOf(value), value)
	o.In.Value, o.In.Match, o.In.NoneMatch, o.In.Null = value, match, noneMatch, p.null
	out, err := p.PutObject(o.ctx(), &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader(value), ContentLength: new(int64(len(value))), Metadata: map[string]string{"says": value},
		IfMatch: orNil(match), IfNoneMatch: orNil(noneMatch),
	})
	if err == nil {
		o.Out.ID, o.Out.ETag = aws.ToString(out.VersionId), aws.ToString(out.ETag)
	}
	o.done(err)
}

// delete deletes an object.
func (w *world) delete(p *proxy, key string) {
	o := w.begin(history.Delete, key)
	o.In.Null = p.null
	out, err := p.DeleteObject(o.ctx(), &s3.DeleteObjectInput{Key: &key})
	if err == nil {
		o.Out.ID, o.Out.Marker = aws.ToString(out.VersionId), true
	}
	o.done(err)
}

// remove removes a version.
func (w *world) remove(p *proxy, key string) {
	id := w.ID(rand.IntN, key)
	if id == "" {
		return
	}
	o := w.begin(history.Remove, key)
	o.In.Version = id
	out, err := p.DeleteObject(o.ctx(), &s3.DeleteObjectInput{Key: &key, VersionId: &id})
	if err == nil {
		o.Out.Marker = aws.ToBool(out.DeleteMarker)
	}
	o.done(err)
}

// complete makes an object by an upload, which is completed by two at once.
func (w *world) complete(p *proxy, key string) {
	u, _ := backends.As[backends.MultipartUploader](p.Backend)
	o := w.begin(history.Put, key)
	value := o.Name
	o.In.Value, o.In.Null = value, p.null
	begun, err := u.CreateMultipartUpload(o.ctx(), &s3.CreateMultipartUploadInput{
		Key: &key, Metadata: map[string]string{"says": value},
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		return
	}
	part, err := u.UploadPart(o.ctx(), &s3.UploadPartInput{
		Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(value), ContentLength: new(int64(len(value))),
	})
	if err != nil {
		return
	}
	in := &s3.CompleteMultipartUploadInput{Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
		Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}},
	}}
	w.Knows(backends.PartsETag(in), value)
	w.Knows(history.ETagOf(value), value) // of copies
	var outs [2]*s3.CompleteMultipartUploadOutput
	var errs [2]error
	var wg sync.WaitGroup
	for i := range outs {
		r := &backends.Request{Operation: history.Put, AccessKey: o.Name, UserID: fmt.Sprint(i)}
		wg.Go(func() {
			outs[i], errs[i] = u.CompleteMultipartUpload(backends.WithRequest(context.Background(), r), in)
		})
	}
	wg.Wait()
	// Who comes second is told that the upload is gone, when another version is current by then.
	i := 0
	if errs[0] != nil {
		i = 1
	}
	switch {
	case errs[i] == nil:
		o.Out.ID, o.Out.ETag = aws.ToString(outs[i].VersionId), aws.ToString(outs[i].ETag)
		o.done(nil)
	case errors.Is(errs[0], errBroken) || errors.Is(errs[1], errBroken):
		o.done(errBroken)
	default:
		o.done(errors.Join(errs[:]...))
	}
}

// copy copies the current object, or a version of it. It reads and writes: these are two operations.
func (w *world) copy(p *proxy, from, to string) {
	src := backends.CopySource{Key: from}
	read, write := w.begin(history.Get, from), w.begin(history.Put, to)
	if from == to || rand.IntN(2) == 0 {
		if src.VersionID = w.ID(rand.IntN, from); src.VersionID == "" {
			return
		}
		read.In.Kind, read.In.Version = history.GetVersion, src.VersionID
	}
	write.In.Null = p.null
	out, err := p.CopyObject(write.ctx(), src, &s3.CopyObjectInput{Key: &to})
	switch {
	case err == nil:
		write.Out.ID, write.Out.ETag = aws.ToString(out.VersionId), aws.ToString(out.CopyObjectResult.ETag)
		write.In.Value = w.Value(write.Out.ETag)
		if read.In.Kind == history.GetVersion { // Else it is not said which version was current.
			read.Out.Value = write.In.Value
			read.done(nil)
		}
		write.done(nil)
	case errors.Is(err, errBroken):
		write.done(err)
	case s3err.Is(err, s3err.InvalidRequest): // a delete marker, or the current version onto itself
	default:
		read.done(err)
	}
}

// get reads an object.
func (w *world) get(p *proxy, key, version string) {
	o := w.begin(history.Get, key)
	if version != "" {
		o.In.Kind, o.In.Version = history.GetVersion, version
	}
	out, err := p.GetObject(o.ctx(), &s3.GetObjectInput{Key: &key, VersionId: orNil(version)})
	if err == nil {
		body, e := io.ReadAll(out.Body)
		err = errors.Join(e, out.Body.Close())
		o.Out.ID, o.Out.Value = aws.ToString(out.VersionId), string(body)
		if out.Metadata["says"] != string(body) {
			o.Out.Value += " with the metadata of " + out.Metadata["says"]
		}
	}
	o.done(err)
}

// list lists the versions of a key, or its object.
func (w *world) list(p *proxy, key string) {
	if rand.IntN(2) == 0 {
		w.listObject(p, key)
	} else {
		w.listVersions(p, key)
	}
}

// listObject lists the object.
func (w *world) listObject(p *proxy, key string) {
	o := w.begin(history.Object, key)
	out, err := p.ListObjectsV2(o.ctx(), &s3.ListObjectsV2Input{Prefix: &key})
	if err == nil && len(out.Contents) > 0 {
		o.Out.ETag = aws.ToString(out.Contents[0].ETag)
	}
	o.done(err)
}

// listVersions lists the versions. It returns their ids.
func (w *world) listVersions(p *proxy, key string) (ids []string) {
	o := w.begin(history.Versions, key)
	lister, _ := backends.As[backends.Versioned](p.Backend)
	out, err := lister.ListObjectVersions(o.ctx(), &s3.ListObjectVersionsInput{Prefix: &key})
	if err == nil {
		type line struct {
			at time.Time
			v  history.Version
		}
		var lines []line
		for _, v := range out.Versions {
			lines = append(lines, line{*v.LastModified, history.Version{ID: *v.VersionId, ETag: *v.ETag}})
		}
		for _, m := range out.DeleteMarkers {
			lines = append(lines, line{*m.LastModified, history.Version{ID: *m.VersionId, Marker: true}})
		}
		slices.SortFunc(lines, func(a, b line) int { return b.at.Compare(a.at) })
		var s history.State
		for _, l := range lines {
			s = append(s, l.v)
			ids = append(ids, l.v.ID)
		}
		o.Out.List = s.List()
	}
	o.done(err)
	return ids
}

// resolve gives writes the order of the logs.
func (w *world) resolve() {
	var logs [][]versions.Row
	for i := range w.run.keys {
		log, err := w.o.Index.Rows(context.Background(), versions.Object{BucketID: bucketID, Key: w.key(i)}, 0, 1_000_000)
		if err != nil {
			w.Fatal(err)
		}
		slices.Reverse(log)
		logs = append(logs, log)
	}
	w.Resolve(logs)
}

// live runs the clients, brings everything to rest, and looks at it.
func (w *world) live() {
	if w.run.before {
		for i := range w.run.keys {
			key, value := w.key(i), fmt.Sprint("old", i)
			w.putPlain(key, value)
			w.Knows(history.ETagOf(value), value)
			o := w.begin(history.Init, key)
			o.Out = history.Output{ID: "null", ETag: history.ETagOf(value), Value: value}
			o.done(nil)
		}
	}
	var wg sync.WaitGroup
	for range w.run.clients {
		wg.Go(w.client)
	}
	wg.Wait()
	w.chaos.calm.Store(true)
	for _, p := range w.proxies {
		if p.o.Repairs != nil && p.o.Repairs.Settle(context.Background()) > 0 {
			w.Problem("something could not be settled")
		}
	}
	for i := range w.run.keys {
		w.rest(w.key(i))
	}
	w.resolve()
}

// rest looks at a key at rest.
func (w *world) rest(key string) {
	for _, p := range w.proxies {
		w.listObject(p, key)
		w.get(p, key, "")
		for _, id := range w.listVersions(p, key) {
			w.get(p, key, id)
		}
	}
	problems := slices.Concat(w.headProblems(key), w.bodyProblems(key))
	if w.run.rate == 0 { // Nothing failed: then nothing is left behind.
		problems = append(problems, w.leftProblems(key)...)
	}
	for _, p := range problems {
		w.Problem("%s", p)
	}
}

// leftProblems are the bodies of versions that are no more.
func (w *world) leftProblems(key string) (problems []string) {
	o := versions.Object{BucketID: bucketID, Key: key}
	top, err := w.o.Index.Top(context.Background(), o)
	if err != nil {
		return []string{err.Error()}
	}
	for _, name := range w.stored(bodyPrefix) {
		_, k, n, ok := w.o.Layout.Parse(name)
		if !ok || k != key {
			continue
		}
		about, err := w.o.Index.Find(context.Background(), o, n)
		if err != nil || about.Seq > 0 && !top.State.Live(about) {
			problems = append(problems, fmt.Sprintf("%s is left behind, %v", name, err))
		}
	}
	return problems
}

// verdict is what is wrong with a run; empty when nothing is.
func (w *world) verdict() string {
	w.live()
	return w.Verdict()
}

// TestLinearizable has many clients work on few keys through two proxies, and holds that what they are answered is
// what one bucket would have answered that does one thing after another.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	total := 1500
	if os.Getenv("XRONOX_LONG") != "" {
		total = 50_000
	}
	const each = 500
	f := func(name string, run linearRun) {
		t.Run(name, func(t *testing.T) {
			run.keys, run.clients, run.ops = 3, 10, each
			for done := 0; done < total && (run.index == nil || done == 0); done += each { // a disk is slow
				w := newWorld(t, run)
				if problem := w.verdict(); problem != "" {
					t.Fatalf("%s%s", problem, w.Explain())
				}
			}
		})
	}
	enabled := []router.Versioning{router.Enabled, router.Enabled}
	suspended := []router.Versioning{router.Suspended, router.Suspended}
	mixed := []router.Versioning{router.Enabled, router.Suspended}
	const rate = 0.01
	f("enabled", linearRun{settings: enabled, rate: rate})
	f("enabled, nothing fails", linearRun{settings: enabled})
	f("suspended", linearRun{settings: suspended, rate: rate})
	f("suspended, nothing fails", linearRun{settings: suspended})
	f("mixed", linearRun{settings: mixed, rate: rate})
	f("before", linearRun{settings: enabled, rate: rate, before: true})
	f("embedded", linearRun{settings: mixed, rate: rate, index: kv})
	f("before, suspended", linearRun{settings: suspended, rate: rate, before: true})
}
