package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// keeper looks after the buckets that have versions: in the background, and when it is told to.
type keeper struct {
	cfg      *config.Config
	router   *router.Router
	composer *composer
	tenants  []string
	buckets  []router.BucketRecord // of the configuration
	log      *slog.Logger

	since map[string]time.Time // by place: when a sweep began that left nothing to wait for
	now   func() time.Time     // of sweeps and retention; nil: the clock's
}

// newKeeper returns the keeper of an app.
func newKeeper(a *app, cfg *config.Config, m *mapping.Map) *keeper {
	return &keeper{cfg: cfg, router: a.router, composer: a.composer, tenants: m.Tenants, buckets: m.Buckets, log: a.log, since: map[string]time.Time{}}
}

// kept is a place that is looked after, and what the keys of the bucket have more than the place's.
type kept struct {
	*upkeep.Place
	under string
	below string // of the place's keys, those that begin with it are meant
	from  upkeep.Position

	has func(key string) bool // whether the bucket shows a key there; an alias may show more
}

// places are the places of a bucket. There are none while it keeps no versions.
func (k *keeper) places(route *router.Route) []kept {
	if !isVersioned(route) || route.Record.Versions == nil {
		return nil
	}
	var list []kept
	selector := router.NewSelector(route.Record)
	mounts := selector.Mounts()
	for i := range mounts {
		m := &mounts[i]
		if isPlace(m, route.Record.Versions) {
			continue
		}
		o := k.composer.place(route.Record, m, route)
		o.Now = k.now
		name := route.Name
		if route.TenantID != router.DefaultTenant {
			name = route.TenantID + "/" + name
		}
		if len(mounts) > 1 {
			name += " " + m.ID
		}
		list = append(list, kept{Place: &upkeep.Place{Place: versioned.NewPlace(o), Name: name}, under: m.Under, has: func(key string) bool {
			at, err := selector.Select(m.Under + key)
			return err == nil && at == i
		}})
	}
	return list
}

// all are the places of all buckets. Aliases have the same. missed is how many buckets could not be resolved.
func (k *keeper) all(ctx context.Context) (list []kept, missed int, err error) {
	routes, missed, err := k.routes(ctx)
	seen := map[string]bool{}
	for _, r := range routes {
		for _, p := range k.places(r) {
			if !seen[p.BucketID] {
				seen[p.BucketID] = true
				list = append(list, p)
			}
		}
	}
	return list, missed, err
}

// routes are those of all buckets of all tenants. missed is how many could not be resolved.
func (k *keeper) routes(ctx context.Context) (list []*router.Route, missed int, err error) {
	for _, tenant := range k.tenants {
		id := router.Identity{TenantID: tenant}
		for after, more := "", true; more; {
			var buckets []router.Bucket
			if buckets, more, err = k.router.ListBuckets(ctx, id, "", after, 1000); err != nil {
				return nil, missed, err
			}
			for _, b := range buckets {
				after = b.Name
				route, err := k.router.Resolve(ctx, tenant, b.Name)
				if err != nil {
					k.log.Warn("a bucket is not looked after", slog.String("tenant", tenant), slog.String("bucket", b.Name), slog.Any("cause", err))
					missed++
					continue
				}
				list = append(list, route)
			}
		}
	}
	return list, missed, nil
}

// job is something to be done.
type job struct {
	Do     string    `json:"do"`
	As     string    `json:"as,omitempty"`     // access key whose tenant the bucket is of
	Bucket string    `json:"bucket,omitempty"` // empty: all
	Key    string    `json:"key,omitempty"`
	Prefix string    `json:"prefix,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Repair bool      `json:"repair,omitempty"`
	DryRun bool      `json:"dryRun,omitempty"`

	From upkeep.Position `json:"from,omitzero"` // where an earlier one was broken off
}

// event is what is told of a job: one of these.
type event struct {
	Progress *upkeep.Progress `json:"progress,omitempty"`
	Item     json.RawMessage  `json:"item,omitempty"`   // something that was found or done
	Result   json.RawMessage  `json:"result,omitempty"` // of a place
	Ended    bool             `json:"ended,omitempty"`  // the last
	Error    string           `json:"error,omitempty"`  // why it ended before all was done
}

// task is a job that is being done.
type task struct {
	*keeper
	job
	emit func(event)
}

// do does a job. What it emits is emitted by one call at a time.
func (k *keeper) do(ctx context.Context, j job, emit func(event)) error {
	var mu sync.Mutex
	t := &task{keeper: k, job: j, emit: func(e event) {
		mu.Lock()
		defer mu.Unlock()
		emit(e)
	}}
	switch j.Do {
	case "verify":
		return t.each(ctx, t.verify)
	case "sweep":
		return t.each(ctx, t.sweep)
	case "retention":
		return t.each(ctx, t.retention)
	case "restore":
		return t.each(ctx, t.restore)
	case "rebuild":
		return t.each(ctx, t.rebuild)
	case "import":
		return t.importAll(ctx)
	case "dump":
		return t.dump(ctx)
	case "history":
		return t.history(ctx)
	}
	return fmt.Errorf("unknown job %q", j.Do)
}

// item tells of something that was found or done.
func (t *task) item(v any) {
	if data, err := json.Marshal(v); err == nil {
		t.emit(event{Item: data})
	}
}

// route is the route of the bucket that the job is about.
func (t *task) route(ctx context.Context) (*router.Route, error) {
	id, err := identityOf(t.cfg, t.As)
	if err != nil {
		return nil, err
	}
	route, err := t.router.Resolve(ctx, id.TenantID, t.Bucket)
	if err != nil {
		return nil, clientError(err)
	}
	if !isVersioned(route) {
		return nil, fmt.Errorf("bucket %q keeps no versions", t.Bucket)
	}
	return route, nil
}

// result is what came of a place.
type result struct {
	Place string `json:"place"`
	Done  any    `json:"result"`
}

// each does something with each place that the job is about.
func (t *task) each(ctx context.Context, do func(context.Context, kept) (any, error)) error {
	var places []kept
	var err error
	if t.Bucket == "" {
		places, _, err = t.all(ctx)
	} else {
		var route *router.Route
		if route, err = t.route(ctx); err == nil {
			places = t.places(route)
		}
	}
	if err != nil {
		return err
	}
	if t.From.Place != "" {
		i := slices.IndexFunc(places, func(p kept) bool { return p.BucketID == t.From.Place })
		if i < 0 {
			return errors.New("there is no such bucket any more, or it is not meant, where it is to go on; do it again without --from")
		}
		places = places[i:]
		places[0].from = t.From
	}
	for _, p := range places {
		prefix, ok := p.prefix(t.Prefix)
		if !ok {
			continue
		}
		p.Progress = func(w upkeep.Progress) { t.emit(event{Progress: &w}) }
		p.below = prefix
		done, err := do(ctx, p)
		data, e := json.Marshal(result{p.Name, done})
		if e != nil {
			return e
		}
		t.emit(event{Result: data})
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// prefix is what the keys of the place begin with of the objects of the bucket whose keys begin with a prefix; false when
// it has none of those.
func (p kept) prefix(prefix string) (string, bool) {
	if strings.HasPrefix(p.under, prefix) {
		return "", true
	}
	return strings.CutPrefix(prefix, p.under)
}

// verifyGrace is how long a write may take from when it is committed until storage shows it.
const verifyGrace = 2 * time.Second

// verify verifies a place.
func (t *task) verify(ctx context.Context, p kept) (any, error) {
	return p.Verify(ctx, upkeep.Check{Prefix: p.below, From: p.from, Repair: t.Repair, Grace: verifyGrace, Report: func(x upkeep.Problem) {
		x.Key = p.under + x.Key
		t.item(x)
	}})
}

// sweep sweeps a place.
func (t *task) sweep(ctx context.Context, p kept) (any, error) { return p.Sweep(ctx, time.Time{}) }

// retention applies the rules of retention to a place.
func (t *task) retention(ctx context.Context, p kept) (any, error) {
	return p.Retain(ctx, t.expiry(func(x upkeep.Expired) {
		x.Key = p.under + x.Key
		t.item(expired{p.Name, x})
	}, t.DryRun))
}

// expired is a version beyond the rules, and where it is.
type expired struct {
	Place string `json:"place"`
	upkeep.Expired
}

// expiry is what the configuration says of retention.
func (k *keeper) expiry(report func(upkeep.Expired), dryRun bool) upkeep.Expiry {
	x := upkeep.Expiry{Enforce: k.cfg.Proxy.Retention == config.RetentionEnforce && !dryRun, Report: report}
	if k.cfg.Xronox != nil {
		ver := k.cfg.Xronox.Retention.Ver
		x.Rules = upkeep.Rules{Days: ver.Days, MaxPerItem: ver.MaxPerItem}
	}
	return x
}

// restore brings a place back, as far as the bucket shows it.
func (t *task) restore(ctx context.Context, p kept) (any, error) {
	return p.RestoreAsOf(ctx, upkeep.Past{
		Prefix: p.below, At: t.At, Has: p.has, DryRun: t.DryRun, By: backends.Request{AccessKey: t.As},
		Report: func(x upkeep.Change) {
			x.Key = p.under + x.Key
			t.item(x)
		},
	})
}

// rebuild makes the rows of a place again.
func (t *task) rebuild(ctx context.Context, p kept) (any, error) { return p.Rebuild(ctx, p.from) }

// importAll takes into the index what it does not know, and notes of buckets that it knows all. What a bucket's aliases
// show is the bucket's too.
func (t *task) importAll(ctx context.Context) error {
	routes, missed, err := t.routes(ctx)
	if err != nil {
		return err
	}
	only := ""
	if t.Bucket != "" {
		route, err := t.route(ctx)
		if err != nil {
			return err
		}
		only = route.BucketID
	}
	seen := map[string]bool{}
	records := map[string]*router.BucketRecord{}
	for _, route := range routes {
		for _, p := range t.places(route) {
			if only != "" && route.BucketID != only || seen[p.BucketID] {
				continue
			}
			seen[p.BucketID] = true
			records[route.BucketID] = route.Record
			p.Progress = func(w upkeep.Progress) { t.emit(event{Progress: &w}) }
			done, err := p.Import(ctx)
			data, e := json.Marshal(result{p.Name, done})
			if err = errors.Join(err, e); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			t.emit(event{Result: data})
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d buckets could not be looked at, and may show more of the same objects; listings go on asking the storage", missed)
	}
	for _, r := range records {
		if err := t.router.Imported(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// contents is what the index has, as far as the configuration and its own records tell.
func (k *keeper) contents(ctx context.Context) (upkeep.Contents, error) {
	c := upkeep.Contents{Values: []string{tokenKeys}, Tenants: k.tenants}
	for i := range k.buckets {
		c.Values = append(c.Values, k.buckets[i].ValueName())
	}
	routes, missed, err := k.routes(ctx)
	if err == nil && missed > 0 {
		err = fmt.Errorf("%d buckets could not be looked at", missed)
	}
	for _, r := range routes {
		c.Settings = append(c.Settings, r.BucketID)
		for i := range r.Record.Mounts {
			m := &r.Record.Mounts[i]
			switch {
			case m.Old:
				c.Tombstones = append(c.Tombstones, oldID(r.Record, m))
			case r.Record.Versions != nil && !isPlace(m, r.Record.Versions):
				c.Places = append(c.Places, r.Record.IndexID(m))
			}
		}
	}
	for _, list := range []*[]string{&c.Values, &c.Settings, &c.Places, &c.Tombstones} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return c, err
}

// dump tells all that the index has.
func (t *task) dump(ctx context.Context) error {
	c, err := t.contents(ctx)
	if err != nil {
		return err
	}
	done, err := upkeep.Dump(ctx, t.composer.index, c, itemWriter{t}, func(w upkeep.Progress) { t.emit(event{Progress: &w}) })
	if err != nil {
		return err
	}
	data, err := json.Marshal(result{"index", done})
	t.emit(event{Result: data})
	return err
}

// itemWriter tells of each line that is written.
type itemWriter struct{ t *task }

// Write implements io.Writer.
func (w itemWriter) Write(line []byte) (int, error) {
	w.t.emit(event{Item: bytes.Clone(bytes.TrimSpace(line))})
	return len(line), nil
}

// history tells what happened to an object.
func (t *task) history(ctx context.Context) error {
	route, err := t.route(ctx)
	if err != nil {
		return err
	}
	i, err := router.NewSelector(route.Record).Select(t.Key)
	if err != nil {
		return clientError(err)
	}
	m := router.NewSelector(route.Record).Mounts()[i]
	for _, p := range t.places(route) {
		if p.BucketID != route.Record.IndexID(&m) {
			continue
		}
		list, err := p.History(ctx, strings.TrimPrefix(t.Key, m.Under))
		if err != nil {
			return clientError(err)
		}
		for _, e := range list {
			t.item(e)
		}
		return nil
	}
	return fmt.Errorf("the keys that begin with %q are those of versions themselves", m.Under)
}

// The times of the background: a first round some time after the start, and then again and again.
const (
	firstRound = 5 * time.Minute
	nextRound  = time.Hour
)

// loop makes rounds until ctx ends.
func (k *keeper) loop(ctx context.Context) {
	for wait := firstRound; ; wait = nextRound {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		k.round(ctx)
	}
}

// early is an index that hands out slots before they are on disk.
type early interface {
	Losses() []versions.Loss
	Recovered(ctx context.Context) error
}

// recover looks for bodies that have lost their slots, when a process has ended without closing the index. When it does not
// get to the end of all places, the next round does it again.
func (k *keeper) recover(ctx context.Context, places []kept, missed int) {
	x, ok := k.composer.index.(early)
	if !ok {
		return
	}
	losses := x.Losses()
	if len(losses) == 0 {
		return
	}
	var private []*upkeep.Place
	for _, p := range places {
		if p.Private {
			private = append(private, p.Place)
		}
	}
	n, err := upkeep.Recover(ctx, private, losses)
	k.log.Info("recovery", slog.Int64("bodies", n), slog.Any("cause", err))
	if errors.Is(err, upkeep.ErrNoRows) {
		k.log.Warn("bodies that writes left behind when the server was killed may stay: see `xronox-proxy index verify`")
	} else if err != nil || missed > 0 {
		return
	}
	if err := x.Recovered(ctx); err != nil {
		k.log.Warn("bodies will be looked for again", slog.Any("cause", err))
	}
}

// round sweeps all places and applies the rules of retention, a few objects at a time. What fails is tried again by the next.
func (k *keeper) round(ctx context.Context) {
	places, missed, err := k.all(ctx)
	if err != nil {
		k.log.Warn("versions are not looked after", slog.Any("cause", err))
		return
	}
	k.recover(ctx, places, missed)
	for _, p := range places {
		p.Concurrency = 2
		began := p.Now()
		retained, err := p.Retain(ctx, k.expiry(nil, false))
		if retained.Beyond > 0 || err != nil {
			k.log.Info("retention", slog.String("place", p.Name), slog.Int64("beyond", retained.Beyond), slog.Int64("bytes", retained.Bytes),
				slog.Int64("removed", retained.Removed), slog.Any("cause", err))
		}
		swept, err := p.Sweep(ctx, k.since[p.BucketID])
		if err == nil && swept.Marked == 0 {
			k.since[p.BucketID] = began
		}
		if swept != (upkeep.Swept{}) || err != nil {
			k.log.Info("sweep", slog.String("place", p.Name), slog.Int64("waiting", swept.Marked), slog.Int64("bodies", swept.Bodies),
				slog.Int64("rows", swept.Rows), slog.Int64("slots", swept.Slots), slog.Any("cause", err))
		}
		if ctx.Err() != nil {
			return
		}
	}
}
