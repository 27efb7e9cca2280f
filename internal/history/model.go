package history

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/xronox/xronox-proxy/s3err"
)

// The operations of the checker's history.
const (
	Init       = "init"        // what was there before
	Put        = "put"         // also of a copy, and of an upload
	Delete     = "delete"      // without a version
	Remove     = "remove"      // a version
	Get        = "get"         // the current object
	GetVersion = "get version" // one version
	Versions   = "versions"    // all versions, in order
	Object     = "object"      // the object in a listing of objects
)

// Input is an operation on one key.
type Input struct {
	Kind, Key, Version string
	Value              string // of a put
	Match, NoneMatch   string // conditions; Match is an ETag or "*"
	Null               bool   // in a bucket that is suspended

	// Rank is the place of a write among those that changed the key, as the log has it; 0 when it changed nothing.
	// Without it the checker would try all orders of writes that run at once. [History.Resolve] sets it.
	Rank int
}

// Output is what it answered.
type Output struct {
	Code     s3err.Code
	ID, ETag string
	Value    string
	Marker   bool
	List     string // what [State.List] gives
}

// Version is a version in the model.
type Version struct {
	ID, ETag, Value string
	Marker          bool
}

// State are the versions of a key, the newest first. It is not changed.
type State []Version

// at is the state after some changes.
type at struct {
	State

	rank int
}

// stepAt is [Step], in the order of the log: what a write is answered must be right just where its row is.
func stepAt(s at, in Input, out Output) (bool, at) {
	changes := in.Kind == Delete || in.Kind == Put && out.Code == "" || in.Kind == Remove && s.Find(in.Version) >= 0
	if changes != (in.Rank > 0) || changes && in.Rank != s.rank+1 {
		return false, s
	}
	if changes {
		s.rank++
	}
	ok, next := Step(s.State, in, out)
	return ok, at{next, s.rank}
}

// Current is the newest version; nil when it is no object.
func (s State) Current() *Version {
	if len(s) == 0 || s[0].Marker {
		return nil
	}
	return &s[0]
}

// Find is where a version is; -1 when it is not there.
func (s State) Find(id string) int {
	return slices.IndexFunc(s, func(v Version) bool { return v.ID == id })
}

// add adds a version; a null one replaces the null one.
func (s State) add(v Version) State {
	next := State{v}
	for _, old := range s {
		if v.ID != "null" || old.ID != "null" {
			next = append(next, old)
		}
	}
	return next
}

// List is how a listing of versions shows the state.
func (s State) List() string {
	var lines []string
	for _, v := range s {
		lines = append(lines, fmt.Sprint(v.ID, " ", v.ETag, " ", v.Marker))
	}
	return strings.Join(lines, "\n")
}

// refusal is the error that a write's conditions give.
func (s State) refusal(in Input) s3err.Code {
	c := s.Current()
	switch {
	case in.Match != "" && c == nil:
		return s3err.NoSuchKey
	case in.Match != "" && in.Match != "*" && in.Match != c.ETag, in.NoneMatch != "" && c != nil:
		return s3err.PreconditionFailed
	}
	return ""
}

// Step is S3, as far as one key goes: whether an operation could have been answered so, and the versions after it. Rank is not looked at.
//
//nolint:gocyclo // a case for each operation
func Step(s State, in Input, out Output) (bool, State) {
	switch in.Kind {
	case Init:
		return true, s.add(Version{ID: out.ID, ETag: out.ETag, Value: out.Value})
	case Put:
		if want := s.refusal(in); want != out.Code || want != "" {
			return want == out.Code, s
		}
		fresh := out.ID == "null" || s.Find(out.ID) < 0
		return fresh && (out.ID == "null") == in.Null, s.add(Version{ID: out.ID, ETag: out.ETag, Value: in.Value})
	case Delete:
		fresh := out.ID == "null" || s.Find(out.ID) < 0
		return fresh && (out.ID == "null") == in.Null, s.add(Version{ID: out.ID, Marker: true})
	case Remove:
		i := s.Find(in.Version)
		if i < 0 {
			return !out.Marker, s
		}
		return out.Marker == s[i].Marker, slices.Concat(s[:i], s[i+1:])
	case Get:
		c := s.Current()
		switch {
		case c != nil:
			return out.Code == "" && out.ID == c.ID && out.Value == c.Value, s
		case len(s) > 0:
			return out.Code == s3err.NoSuchKey && out.ID == s[0].ID, s
		}
		return out.Code == s3err.NoSuchKey && out.ID == "", s
	case GetVersion:
		i := s.Find(in.Version)
		switch {
		case i < 0:
			return out.Code == s3err.NoSuchVersion, s
		case s[i].Marker:
			return out.Code == s3err.MethodNotAllowed, s
		}
		return out.Code == "" && out.Value == s[i].Value, s
	case Versions:
		return out.List == s.List(), s
	case Object:
		c := s.Current()
		return c == nil && out.ETag == "" || c != nil && out.ETag == c.ETag, s
	}
	panic("BUG: " + in.Kind)
}

// model is the model for the checker: keys have nothing to do with each other.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		keys := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(Input).Key //nolint:forcetypeassert // ours
			keys[key] = append(keys[key], op)
		}
		var all [][]porcupine.Operation
		for _, ops := range keys {
			all = append(all, ops)
		}
		return all
	},
	Init: func() any { return at{} },
	Step: func(state, in, out any) (bool, any) {
		return stepAt(state.(at), in.(Input), out.(Output)) //nolint:forcetypeassert // ours
	},
	Equal: func(a, b any) bool {
		x, y := a.(at), b.(at) //nolint:forcetypeassert // ours
		return x.rank == y.rank && slices.Equal(x.State, y.State)
	},
	Hash:              func(state any) uint64 { return uint64(state.(at).rank) }, //nolint:forcetypeassert // ours
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}
