package upkeep

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// What can be wrong. Readers are served what is right in all cases but the first three.
const (
	MissingBody   = "missing body"   // of a version: it is lost, or will be with the head
	WrongBody     = "wrong body"     // it is another version's, or has another size
	UnknownObject = "unknown object" // at the plain place, written past the proxy: nobody sees it
	MissingHead   = "missing head"   // the copy of what is current is not there
	StaleHead     = "stale head"     // it is a copy of something else
	LeftHead      = "left head"      // of an object that was deleted
	MissingMarker = "missing marker" // the object that tells of a delete marker
	OrphanBody    = "orphan body"    // that the index knows nothing of; kept for a day and then collected
	LeftBody      = "left body"      // of a version that was removed
)

// Problem is something that index and storage do not agree on.
type Problem struct {
	Problem   string `json:"problem"`
	Place     string `json:"place"`
	Key       string `json:"key"`
	VersionID string `json:"versionId,omitempty"`
	Body      string `json:"body,omitempty"` // key in the place of versions
	Repaired  bool   `json:"repaired,omitempty"`
	Error     string `json:"error,omitempty"` // why it could not be repaired
}

// Check is how a place is verified.
type Check struct {
	Prefix string        // of keys
	From   Position      // of an earlier run that was broken off; empty: all is verified
	Repair bool          // what can be repaired: all but what is lost, and unknown objects
	Grace  time.Duration // what is not right is looked at again so much later: a write may be under way
	Report func(Problem) // called by one at a time
}

// Verified is what was found.
type Verified struct {
	Objects  int64 `json:"objects"`
	Versions int64 `json:"versions"` // with delete markers
	Bodies   int64 `json:"bodies"`
	Pending  int64 `json:"pending"` // bodies whose writes may be under way
	Problems int64 `json:"problems"`
	Repaired int64 `json:"repaired"`
}

// How many are remembered before they are looked at again, and for how long: a run that is broken off meanwhile has come
// no further than to the first of them.
const (
	maxSuspects = 10_000
	settleAfter = 30 * time.Second
)

// suspect is what did not seem right, and how to look again.
type suspect struct {
	Problem
	mark   *mark                               // which is not done before
	again  func(context.Context) (bool, error) // whether it is still so
	repair func(context.Context) error         // nil: nothing can be done
	young  bool                                // what follows a commit may be under way
}

// young reports whether what follows a commit may be under way.
func (v *verifier) young(r versions.Row) bool { return v.Now().Sub(r.Time) < time.Minute }

// verifier verifies a place.
type verifier struct {
	*Place
	Check
	mu       sync.Mutex
	out      Verified
	suspects []suspect
	oldest   time.Time // of them
}

// step is one of verifying a place. Its do tells how far it has come, and begins behind what an earlier run had come to.
type step struct {
	name string
	do   func(ctx context.Context, name, after string) error
}

// Verify compares the index of a place with the storage, in both directions.
func (p *Place) Verify(ctx context.Context, c Check) (Verified, error) {
	v := &verifier{Place: p, Check: c}
	steps := []step{{"versions", v.known}, {"bodies", v.bodies}, {"heads", v.plain}}
	after := ""
	if c.From.Step != "" {
		i := slices.IndexFunc(steps, func(s step) bool { return s.name == c.From.Step })
		if i < 0 {
			return v.out, errOtherStep
		}
		steps, after = steps[i:], c.From.After
	}
	for _, s := range steps {
		if err := s.do(ctx, s.name, after); err != nil {
			return v.out, err
		}
		after = ""
	}
	return v.out, nil
}

// suspect notes a problem that will be looked at again.
func (v *verifier) suspect(s suspect) {
	s.Place = v.Name
	s.mark.hold()
	v.mu.Lock()
	if len(v.suspects) == 0 {
		v.oldest = time.Now()
	}
	v.suspects = append(v.suspects, s)
	v.mu.Unlock()
}

// settleSome looks again at what did not seem right when there is much of it, or has been for long.
func (v *verifier) settleSome(ctx context.Context) error {
	v.mu.Lock()
	n := len(v.suspects)
	due := n >= maxSuspects || n > 0 && time.Since(v.oldest) >= settleAfter
	v.mu.Unlock()
	if due {
		return v.settle(ctx)
	}
	return nil
}

// settle looks again at what did not seem right, and reports and repairs what still is not.
func (v *verifier) settle(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.suspects) == 0 {
		return nil
	}
	if slices.ContainsFunc(v.suspects, func(s suspect) bool { return s.young }) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(v.Grace):
		}
	}
	for len(v.suspects) > 0 {
		s := v.suspects[0]
		bad, err := s.again(ctx)
		if err != nil {
			return err
		}
		if bad {
			v.report(ctx, s)
		}
		s.mark.end()
		v.suspects = v.suspects[1:]
	}
	v.suspects = nil
	return nil
}

// report repairs what can be repaired of a problem, and reports it.
func (v *verifier) report(ctx context.Context, s suspect) {
	v.out.Problems++
	if v.Repair && s.repair != nil {
		if err := s.repair(ctx); err != nil {
			s.Error = err.Error()
		} else if bad, err := s.again(ctx); err == nil && !bad {
			s.Repaired = true
			v.out.Repaired++
		}
	}
	if v.Report != nil {
		v.Report(s.Problem)
	}
}

// known verifies what the index knows.
func (v *verifier) known(ctx context.Context, name, after string) error {
	s := span{v.Prefix, after}
	total, err := v.count(ctx, s)
	if err != nil {
		return err
	}
	w := v.beginAfter(name, after, total)
	defer w.tell()
	err = w.walk(ctx, s, false, func(ctx context.Context, o *object) error {
		if err := v.settleSome(ctx); err != nil {
			return err
		}
		live := int64(0)
		for i := range o.entries {
			e := &o.entries[i]
			if !o.Top.State.Live(e.Row) {
				continue
			}
			live++
			if err := v.version(ctx, o, e); err != nil {
				return err
			}
		}
		v.mu.Lock()
		v.out.Objects++
		v.out.Versions += live
		v.mu.Unlock()
		return v.head(ctx, o)
	})
	if err != nil {
		return err
	}
	return v.settle(ctx)
}

// version verifies the body of a version, or the object of a delete marker.
func (v *verifier) version(ctx context.Context, o *object, e *versions.Entry) error {
	kind, err := v.judgeBody(ctx, o.Top, e)
	if err != nil || kind == "" {
		return err
	}
	s := suspect{mark: o.mark, Problem: Problem{
		Problem: kind, Key: o.Key, VersionID: e.Version.ID.String(), Body: v.Body(o.Key, e.Version.ID.N),
	}}
	s.again = func(ctx context.Context) (bool, error) {
		top, err := v.Index.Top(ctx, o.Object)
		if err != nil {
			return false, err
		}
		about, err := v.Index.Find(ctx, o.Object, e.Version.ID.N)
		if err != nil || !about.Version.Is(&e.Version) || !top.State.Live(about) {
			return false, err
		}
		kind, err := v.judgeBody(ctx, top, e)
		return kind != "", err
	}
	switch {
	case kind == MissingMarker:
		s.young = v.young(e.Row)
		s.repair = func(ctx context.Context) error { return v.Tell(ctx, o.Key, e.Row) }
	case kind == MissingBody && e.Version.Is(o.Top.State.Current):
		s.repair = func(ctx context.Context) error {
			_, err := v.BringBack(ctx, o.Key, &e.Version)
			return err
		}
	}
	v.suspect(s)
	return nil
}

// judgeBody says what is wrong with a body; nothing when it is as it should be.
func (v *verifier) judgeBody(ctx context.Context, top versions.Row, e *versions.Entry) (string, error) {
	at, key := v.Bodies, v.Body(e.Key, e.Version.ID.N)
	out, err := backends.HeadKeyless(ctx, at, &s3.HeadObjectInput{Key: &key})
	missing := s3err.Is(err, s3err.NoSuchKey)
	if missing && e.Version.Plain && e.Version.Is(top.State.Current) { // It stays where it was until it is written over.
		out, err = backends.HeadKeyless(ctx, v.Heads, &s3.HeadObjectInput{Key: &e.Key})
		if missing = s3err.Is(err, s3err.NoSuchKey); err == nil {
			if aws.ToString(out.ETag) != e.Version.ETag {
				return WrongBody, nil
			}
			return "", nil
		}
	}
	switch {
	case missing && e.Version.Marker:
		return MissingMarker, nil
	case missing:
		return MissingBody, nil
	case err != nil:
		return "", err
	case e.Version.Encryption.Customer: // Its metadata cannot be read.
		if aws.ToString(out.ETag) != e.Version.ETag || aws.ToInt64(out.ContentLength) != e.Version.Size {
			return WrongBody, nil
		}
	case !versioned.Names(out.Metadata, &e.Version), !e.Version.Marker && aws.ToInt64(out.ContentLength) != e.Version.Size:
		return WrongBody, nil
	}
	return "", nil
}

// head verifies the head of an object.
func (v *verifier) head(ctx context.Context, o *object) error {
	kind, err := v.judgeHead(ctx, o.Key, o.Top)
	if err != nil || kind == "" {
		return err
	}
	s := suspect{mark: o.mark, Problem: Problem{Problem: kind, Key: o.Key}, young: v.young(o.Top)}
	s.again = func(ctx context.Context) (bool, error) {
		top, err := v.Index.Top(ctx, o.Object)
		if err != nil {
			return false, err
		}
		kind, err := v.judgeHead(ctx, o.Key, top)
		return kind != "", err
	}
	s.repair = func(ctx context.Context) error { return v.Settle(ctx, o.Key) }
	v.suspect(s)
	return nil
}

// judgeHead says what is wrong with a head. Where nobody reads heads there are none.
func (v *verifier) judgeHead(ctx context.Context, key string, top versions.Row) (string, error) {
	current := top.State.Current
	if top.Seq == 0 || v.Private || current != nil && current.Plain { // It is a body, which was looked at.
		return "", nil
	}
	out, err := backends.HeadKeyless(ctx, v.Heads, &s3.HeadObjectInput{Key: &key})
	missing := s3err.Is(err, s3err.NoSuchKey)
	switch {
	case err != nil && !missing:
		return "", err
	case !missing && versioned.MaybeUpload(out) && v.Now().Sub(aws.ToTime(out.LastModified)) < maxUncommitted:
		return "", nil // It may be copied to the place of versions at this moment.
	case (current.Meta() == nil || current.Encryption.Customer) && !missing:
		return LeftHead, nil
	case current.Meta() == nil || current.Encryption.Customer:
		return "", nil
	case missing && current.Encryption.Algorithm != "":
		return "", nil // There is none where heads cannot be encrypted.
	case missing:
		return MissingHead, nil
	case !versioned.Names(out.Metadata, current):
		return StaleHead, nil
	}
	return "", nil
}

// maxUncommitted is how old a body is whose write is over, if it has taken a slot.
const maxUncommitted = versions.KeepDead / 12

// bodies verifies that somebody knows every body.
func (v *verifier) bodies(ctx context.Context, name, after string) error {
	w := v.beginAfter(name, after, 0)
	defer w.tell()
	g, do := errgroup.WithContext(ctx)
	g.SetLimit(maxConcurrent)
	err := v.eachBody(do, v.Prefix, after, func(b body) error {
		b.mark = w.trail.begin(b.at)
		g.Go(func() error {
			defer w.add()
			err := v.body(do, b)
			if err == nil {
				b.mark.end()
			}
			return err
		})
		return do.Err()
	})
	if e := g.Wait(); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	return v.settle(ctx)
}

// body verifies that somebody knows a body.
func (v *verifier) body(ctx context.Context, b body) error {
	if err := v.settleSome(ctx); err != nil {
		return err
	}
	v.mu.Lock()
	v.out.Bodies++
	v.mu.Unlock()
	kind, err := v.judgeKnown(ctx, b)
	if err != nil || kind == "" {
		return err
	}
	if kind == OrphanBody && v.Now().Sub(b.modified) < maxUncommitted {
		taken, err := v.hasSlot(ctx, b)
		if taken {
			v.mu.Lock()
			v.out.Pending++
			v.mu.Unlock()
		}
		if taken || err != nil {
			return err
		}
	}
	s := suspect{mark: b.mark, Problem: Problem{Problem: kind, Key: b.key, Body: b.at}}
	s.again = func(ctx context.Context) (bool, error) {
		if kind, err := v.judgeKnown(ctx, b); err != nil || kind == "" {
			return false, err
		}
		_, err := backends.HeadKeyless(ctx, v.Bodies, &s3.HeadObjectInput{Key: &b.at})
		if s3err.Is(err, s3err.NoSuchKey) {
			return false, nil
		}
		return err == nil, err
	}
	switch {
	case kind == LeftBody:
		s.young = true
		s.repair = func(ctx context.Context) error { return v.DeleteBody(ctx, b.key, b.n) }
	case b.key != "":
		s.repair = func(ctx context.Context) error { return v.collectLater(ctx, b) }
	}
	v.suspect(s)
	return nil
}

// judgeKnown says what is wrong with a body that is there: that no version needs it.
func (v *verifier) judgeKnown(ctx context.Context, b body) (string, error) {
	if b.key == "" {
		return OrphanBody, nil
	}
	about, err := v.Index.Find(ctx, v.Object(b.key), b.n)
	if err != nil {
		return "", err
	}
	if about.Seq == 0 {
		return OrphanBody, nil
	}
	top, err := v.Index.Top(ctx, v.Object(b.key))
	if err != nil || top.State.Live(about) {
		return "", err
	}
	return LeftBody, nil
}

// ErrNoRows is why a body is kept that nobody knows: more may be lost than that.
var ErrNoRows = errors.New("the index may have lost rows: `xronox-proxy index rebuild` takes the body in again")

// ErrSealed is why a body is kept that takes a customer's key to read: after a loss of the index, [Place.Rebuild] cannot know which
// version it is, nor whether that is locked.
var ErrSealed = errors.New("it is encrypted with a customer's key, and may be a version that the index has lost")

// collectLater leaves a body to the sweeper, which needs a slot for that, and begins its day. Only where the index
// knows of later versions it is sure that it has not just lost this one.
func (v *verifier) collectLater(ctx context.Context, b body) error {
	top, err := v.Index.Top(ctx, v.Object(b.key))
	switch {
	case err != nil:
		return err
	case b.n >= top.State.NextN || b.n < 0 && -b.n > top.Seq:
		return ErrNoRows
	case b.n < 0: // Nobody writes the object of a delete marker again that has no row.
		return v.DeleteBody(ctx, b.key, b.n)
	}
	out, err := backends.HeadKeyless(ctx, v.Bodies, &s3.HeadObjectInput{Key: &b.at})
	switch {
	case s3err.Is(err, s3err.NoSuchKey):
		return nil
	case err != nil:
		return err
	case out.SSECustomerAlgorithm != nil && out.Metadata == nil:
		return ErrSealed
	}
	_, err = v.orphanSlot(ctx, versions.Slot{Object: v.Object(b.key), N: b.n, Taken: v.Now()})
	return err
}

// plain verifies that the index of a complete place knows all that is at the plain place.
func (v *verifier) plain(ctx context.Context, name, after string) error {
	if !v.Complete {
		return nil
	}
	w := v.beginAfter(name, after, v.out.Objects)
	defer w.tell()
	err := v.eachUnknown(ctx, span{v.Prefix, after}, w, func(key string, m *mark) error {
		if err := v.settleSome(ctx); err != nil {
			return err
		}
		s := suspect{mark: m, Problem: Problem{Problem: UnknownObject, Key: key}}
		s.again = func(ctx context.Context) (bool, error) {
			top, err := v.Index.Top(ctx, v.Object(key))
			if err != nil || top.Seq > 0 {
				return false, err
			}
			_, err = backends.HeadKeyless(ctx, v.Heads, &s3.HeadObjectInput{Key: &key})
			if s3err.Is(err, s3err.NoSuchKey) {
				return false, nil
			}
			return err == nil, err
		}
		v.suspect(s)
		return nil
	})
	if err != nil {
		return err
	}
	return v.settle(ctx)
}
