package versioned_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
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

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
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
	*bucketOf // for looking at what is there at rest
	run       linearRun
	chaos     *chaos
	proxies   []*proxy
	clock     atomic.Int64
	opCount   atomic.Int64

	mu       sync.Mutex
	history  []porcupine.Operation
	open     map[string]bool     // writes of which it is not known whether they happened
	ids      map[string][]string // of versions, by key
	etags    map[string][]string // by key
	values   map[string]string   // by ETag
	problems []string
}

// newWorld makes the store, the index and the proxies.
func newWorld(t testing.TB, run linearRun) *world {
	w := &world{
		run: run, chaos: &chaos{rate: run.rate, yield: 12},
		open: map[string]bool{}, ids: map[string][]string{}, etags: map[string][]string{}, values: map[string]string{},
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

// etagOf is the ETag of an object that was put at once.
func etagOf(value string) string {
	sum := md5.Sum([]byte(value))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// begin begins an operation.
func (w *world) begin(kind, key string) *linearOp {
	return &linearOp{w: w, in: linearInput{kind: kind, key: key}, call: w.clock.Add(1), name: fmt.Sprint("op", w.opCount.Add(1))}
}

// linearOp is an operation that runs.
type linearOp struct {
	w    *world
	in   linearInput
	out  linearOutput
	call int64
	name string
}

// ctx is the operation's context: rows say which operation made them.
func (o *linearOp) ctx() context.Context {
	return backends.WithRequest(context.Background(), &backends.Request{Operation: o.in.kind, AccessKey: o.name})
}

// done notes an operation and its answer. Reads that failed say nothing; of writes that failed the log says later
// whether they happened.
func (o *linearOp) done(err error) {
	w := o.w
	e := (*s3err.Error)(nil)
	unknown := errors.Is(err, errBroken)
	switch {
	case unknown:
	case errors.As(err, &e):
		o.out.code = e.Code
		for _, h := range e.Headers {
			if h.Name == "x-amz-version-id" {
				o.out.id = h.Value
			}
		}
	}
	at := w.clock.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	writes := o.in.kind == opPut || o.in.kind == opDelete || o.in.kind == opRemove
	switch {
	case unknown && !writes:
		return
	case unknown:
		w.open[o.name] = true
	case err != nil && !slices.Contains([]s3err.Code{s3err.NoSuchKey, s3err.NoSuchVersion, s3err.PreconditionFailed, s3err.MethodNotAllowed}, o.out.code):
		w.problems = append(w.problems, fmt.Sprintf("%+v: %v: %v", o.in, err, errors.Unwrap(err)))
	}
	if err == nil && o.in.kind != opRemove {
		w.note(o.in.key, o.out.id, o.out.etag)
	}
	w.history = append(w.history, porcupine.Operation{Input: o.in, Output: o.out, Call: o.call, Return: at, Metadata: o.name})
}

// note notes a version for others to use.
func (w *world) note(key, id, etag string) {
	if id != "" {
		w.ids[key] = append(w.ids[key], id)
	}
	if etag != "" {
		w.etags[key] = append(w.etags[key], etag)
	}
}

// pick picks one of the last of a list; empty when there is none.
func (w *world) pick(lists map[string][]string, key string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := lists[key]
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1-rand.IntN(min(len(list), 5))]
}

// knows notes the value of an ETag.
func (w *world) knows(etag, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.values[etag] = value
}

// value is that of an ETag.
func (w *world) value(etag string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.values[etag]
}

// client does operations until there were enough.
func (w *world) client() {
	for w.opCount.Load() < int64(w.run.ops) {
		p := w.proxies[rand.IntN(len(w.proxies))]
		key := w.key(rand.IntN(w.run.keys))
		switch rand.IntN(16) {
		case 0, 1:
			w.put(p, key, "", "")
		case 2, 3:
			w.put(p, key, "", "*")
		case 4, 5:
			w.put(p, key, w.pick(w.etags, key), "")
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
			w.get(p, key, w.pick(w.ids, key))
		case 15:
			w.list(p, key)
		}
	}
}

// put puts an object.
func (w *world) put(p *proxy, key, match, noneMatch string) {
	o := w.begin(opPut, key)
	value := o.name
	w.knows(etagOf(value), value)
	o.in.value, o.in.match, o.in.noneMatch, o.in.null = value, match, noneMatch, p.null
	out, err := p.PutObject(o.ctx(), &s3.PutObjectInput{
		Key: &key, Body: strings.NewReader(value), ContentLength: new(int64(len(value))), Metadata: map[string]string{"says": value},
		IfMatch: orNil(match), IfNoneMatch: orNil(noneMatch),
	})
	if err == nil {
		o.out.id, o.out.etag = aws.ToString(out.VersionId), aws.ToString(out.ETag)
	}
	o.done(err)
}

// delete deletes an object.
func (w *world) delete(p *proxy, key string) {
	o := w.begin(opDelete, key)
	o.in.null = p.null
	out, err := p.DeleteObject(o.ctx(), &s3.DeleteObjectInput{Key: &key})
	if err == nil {
		o.out.id, o.out.marker = aws.ToString(out.VersionId), true
	}
	o.done(err)
}

// remove removes a version.
func (w *world) remove(p *proxy, key string) {
	id := w.pick(w.ids, key)
	if id == "" {
		return
	}
	o := w.begin(opRemove, key)
	o.in.version = id
	out, err := p.DeleteObject(o.ctx(), &s3.DeleteObjectInput{Key: &key, VersionId: &id})
	if err == nil {
		o.out.marker = aws.ToBool(out.DeleteMarker)
	}
	o.done(err)
}

// complete makes an object by an upload, which is completed by two at once.
func (w *world) complete(p *proxy, key string) {
	u, _ := backends.As[backends.MultipartUploader](p.Backend)
	o := w.begin(opPut, key)
	value := o.name
	o.in.value, o.in.null = value, p.null
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
	w.knows(backends.PartsETag(in), value)
	w.knows(etagOf(value), value) // of copies
	var outs [2]*s3.CompleteMultipartUploadOutput
	var errs [2]error
	var wg sync.WaitGroup
	for i := range outs {
		r := &backends.Request{Operation: opPut, AccessKey: o.name, UserID: fmt.Sprint(i)}
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
		o.out.id, o.out.etag = aws.ToString(outs[i].VersionId), aws.ToString(outs[i].ETag)
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
	read, write := w.begin(opGet, from), w.begin(opPut, to)
	if from == to || rand.IntN(2) == 0 {
		if src.VersionID = w.pick(w.ids, from); src.VersionID == "" {
			return
		}
		read.in.kind, read.in.version = opGetVersion, src.VersionID
	}
	write.in.null = p.null
	out, err := p.CopyObject(write.ctx(), src, &s3.CopyObjectInput{Key: &to})
	switch {
	case err == nil:
		write.out.id, write.out.etag = aws.ToString(out.VersionId), aws.ToString(out.CopyObjectResult.ETag)
		write.in.value = w.value(write.out.etag)
		if read.in.kind == opGetVersion { // Else it is not said which version was current.
			read.out.value = write.in.value
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
	o := w.begin(opGet, key)
	if version != "" {
		o.in.kind, o.in.version = opGetVersion, version
	}
	out, err := p.GetObject(o.ctx(), &s3.GetObjectInput{Key: &key, VersionId: orNil(version)})
	if err == nil {
		body, e := io.ReadAll(out.Body)
		err = errors.Join(e, out.Body.Close())
		o.out.id, o.out.value = aws.ToString(out.VersionId), string(body)
		if out.Metadata["says"] != string(body) {
			o.out.value += " with the metadata of " + out.Metadata["says"]
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
	o := w.begin(opObject, key)
	out, err := p.ListObjectsV2(o.ctx(), &s3.ListObjectsV2Input{Prefix: &key})
	if err == nil && len(out.Contents) > 0 {
		o.out.etag = aws.ToString(out.Contents[0].ETag)
	}
	o.done(err)
}

// listVersions lists the versions. It returns their ids.
func (w *world) listVersions(p *proxy, key string) (ids []string) {
	o := w.begin(opVersions, key)
	lister, _ := backends.As[backends.Versioned](p.Backend)
	out, err := lister.ListObjectVersions(o.ctx(), &s3.ListObjectVersionsInput{Prefix: &key})
	if err == nil {
		type line struct {
			at time.Time
			v  linearVersion
		}
		var lines []line
		for _, v := range out.Versions {
			lines = append(lines, line{*v.LastModified, linearVersion{id: *v.VersionId, etag: *v.ETag}})
		}
		for _, m := range out.DeleteMarkers {
			lines = append(lines, line{*m.LastModified, linearVersion{id: *m.VersionId, marker: true}})
		}
		slices.SortFunc(lines, func(a, b line) int { return b.at.Compare(a.at) })
		var s linearState
		for _, l := range lines {
			s = append(s, l.v)
			ids = append(ids, l.v.id)
		}
		o.out.list = s.list()
	}
	o.done(err)
	return ids
}

// resolve gives writes the order of the log. Of those that failed it says whether they happened: those that did not are
// not in the history.
func (w *world) resolve() {
	rows, ranks := map[string]versions.Row{}, map[string]int{}
	for i := range w.run.keys {
		all, err := w.o.Index.Rows(context.Background(), versions.Object{BucketID: bucketID, Key: w.key(i)}, 0, 1_000_000)
		if err != nil {
			w.Fatal(err)
		}
		rank := 0
		for _, r := range slices.Backward(all) {
			if name := r.By.AccessKey; name != "" { // else an object from before was taken into the index
				if rank++; ranks[name] > 0 {
					w.problems = append(w.problems, fmt.Sprintf("%s has two rows", name))
				}
				rows[name], ranks[name] = r, rank
			}
		}
	}
	w.history = slices.DeleteFunc(w.history, func(op porcupine.Operation) bool {
		name := op.Metadata.(string) //nolint:forcetypeassert // ours
		return w.open[name] && ranks[name] == 0
	})
	for i := range w.history {
		op := &w.history[i]
		name, in := op.Metadata.(string), op.Input.(linearInput) //nolint:forcetypeassert // ours
		in.rank = ranks[name]
		if r := rows[name]; w.open[name] {
			op.Output = linearOutput{id: r.Version.ID.String(), etag: r.Version.ETag, marker: r.Version.Marker}
			if in.kind == opPut {
				in.value = w.values[r.Version.ETag]
			}
		}
		op.Input = in
	}
}

// live runs the clients, brings everything to rest, and looks at it.
func (w *world) live() {
	if w.run.before {
		for i := range w.run.keys {
			key, value := w.key(i), fmt.Sprint("old", i)
			w.putPlain(key, value)
			w.knows(etagOf(value), value)
			o := w.begin(opInit, key)
			o.out = linearOutput{id: "null", etag: etagOf(value), value: value}
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
			w.problems = append(w.problems, "something could not be settled")
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
	w.problems = append(w.problems, w.headProblems(key)...)
	w.problems = append(w.problems, w.bodyProblems(key)...)
	if w.run.rate == 0 { // Nothing failed: then nothing is left behind.
		w.problems = append(w.problems, w.leftProblems(key)...)
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

// checkTimeout is how long the checker may think. What is linearizable takes it milliseconds.
const checkTimeout = 20 * time.Second

// verdict is what is wrong with a run; empty when nothing is.
func (w *world) verdict() string {
	w.live()
	switch porcupine.CheckOperationsTimeout(linearModel, w.history, checkTimeout) {
	case porcupine.Illegal:
		w.problems = append(w.problems, "the history is not linearizable")
	case porcupine.Unknown:
		w.problems = append(w.problems, "it was not found out in time whether the history is linearizable")
	}
	return strings.Join(w.problems, "\n")
}

// explain says how far the history of each key can be put in order, and what does not come next.
func (w *world) explain() string {
	var text strings.Builder
	for _, ops := range linearModel.Partition(w.history) {
		result, info := porcupine.CheckOperationsVerbose(linearModel, ops, checkTimeout)
		if result == porcupine.Ok {
			continue
		}
		var best []porcupine.Operation
		for _, partial := range info.PartialLinearizationsOperations() {
			for _, p := range partial {
				if len(p) > len(best) {
					best = p
				}
			}
		}
		state := any(linearAt{})
		ordered := map[int64]bool{}
		for _, op := range best {
			_, state = linearModel.Step(state, op.Input, op.Output)
			ordered[op.Call] = true
		}
		fmt.Fprintf(&text, "\n%d of %d in order, the last of them\n", len(best), len(ops))
		for _, op := range best[max(0, len(best)-12):] {
			fmt.Fprintf(&text, "  %d-%d %+v -> %+v\n", op.Call, op.Return, op.Input, op.Output)
		}
		fmt.Fprintf(&text, "then the versions are\n%+v\nand none of these can be next\n", state)
		left := slices.DeleteFunc(slices.Clone(ops), func(op porcupine.Operation) bool { return ordered[op.Call] })
		slices.SortFunc(left, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		for _, op := range left[:min(8, len(left))] {
			fmt.Fprintf(&text, "  %d-%d %+v -> %+v\n", op.Call, op.Return, op.Input, op.Output)
		}
	}
	return text.String()
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
					t.Fatalf("%s%s", problem, w.explain())
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
