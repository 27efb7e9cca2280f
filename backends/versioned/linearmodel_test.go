package versioned_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/xronox/xronox-proxy/s3err"
)

// The operations of the checker's history.
const (
	opInit       = "init"        // what was there before
	opPut        = "put"         // also of a copy, and of an upload
	opDelete     = "delete"      // without a version
	opRemove     = "remove"      // a version
	opGet        = "get"         // the current object
	opGetVersion = "get version" // one version
	opVersions   = "versions"    // all versions, in order
	opObject     = "object"      // the object in a listing of objects
)

// linearInput is an operation on one key.
type linearInput struct {
	kind, key, version string
	value              string // of a put
	match, noneMatch   string // conditions; match is an ETag or "*"
	null               bool   // in a bucket that is suspended

	// rank is the place of a write among those that changed the key, as the log has it; 0 when it changed nothing.
	// Without it the checker would try all orders of writes that run at once.
	rank int
}

// linearOutput is what it answered.
type linearOutput struct {
	code     s3err.Code
	id, etag string
	value    string
	marker   bool
	list     string
}

// linearVersion is a version in the model.
type linearVersion struct {
	id, etag, value string
	marker          bool
}

// linearState are the versions of a key, the newest first. It is not changed.
type linearState []linearVersion

// linearAt is the state after some changes.
type linearAt struct {
	linearState

	rank int
}

// stepAt is step, in the order of the log: what a write is answered must be right just where its row is.
func stepAt(s linearAt, in linearInput, out linearOutput) (bool, linearAt) {
	changes := in.kind == opDelete || in.kind == opPut && out.code == "" || in.kind == opRemove && s.find(in.version) >= 0
	if changes != (in.rank > 0) || changes && in.rank != s.rank+1 {
		return false, s
	}
	if changes {
		s.rank++
	}
	ok, next := step(s.linearState, in, out)
	return ok, linearAt{next, s.rank}
}

// current is the newest version; nil when it is no object.
func (s linearState) current() *linearVersion {
	if len(s) == 0 || s[0].marker {
		return nil
	}
	return &s[0]
}

// find is where a version is; -1 when it is not there.
func (s linearState) find(id string) int {
	return slices.IndexFunc(s, func(v linearVersion) bool { return v.id == id })
}

// add adds a version; a null one replaces the null one.
func (s linearState) add(v linearVersion) linearState {
	next := linearState{v}
	for _, old := range s {
		if v.id != "null" || old.id != "null" {
			next = append(next, old)
		}
	}
	return next
}

// list is how a listing of versions shows the state.
func (s linearState) list() string {
	var lines []string
	for _, v := range s {
		lines = append(lines, fmt.Sprint(v.id, " ", v.etag, " ", v.marker))
	}
	return strings.Join(lines, "\n")
}

// refusal is the error that a write's conditions give.
func (s linearState) refusal(in linearInput) s3err.Code {
	c := s.current()
	switch {
	case in.match != "" && c == nil:
		return s3err.NoSuchKey
	case in.match != "" && in.match != "*" && in.match != c.etag, in.noneMatch != "" && c != nil:
		return s3err.PreconditionFailed
	}
	return ""
}

// step is S3, as far as one key goes.
//
//nolint:gocyclo // a case for each operation
func step(s linearState, in linearInput, out linearOutput) (bool, linearState) {
	switch in.kind {
	case opInit:
		return true, s.add(linearVersion{id: out.id, etag: out.etag, value: out.value})
	case opPut:
		if want := s.refusal(in); want != out.code || want != "" {
			return want == out.code, s
		}
		fresh := out.id == "null" || s.find(out.id) < 0
		return fresh && (out.id == "null") == in.null, s.add(linearVersion{id: out.id, etag: out.etag, value: in.value})
	case opDelete:
		fresh := out.id == "null" || s.find(out.id) < 0
		return fresh && (out.id == "null") == in.null, s.add(linearVersion{id: out.id, marker: true})
	case opRemove:
		i := s.find(in.version)
		if i < 0 {
			return !out.marker, s
		}
		return out.marker == s[i].marker, slices.Concat(s[:i], s[i+1:])
	case opGet:
		c := s.current()
		switch {
		case c != nil:
			return out.code == "" && out.id == c.id && out.value == c.value, s
		case len(s) > 0:
			return out.code == s3err.NoSuchKey && out.id == s[0].id, s
		}
		return out.code == s3err.NoSuchKey && out.id == "", s
	case opGetVersion:
		i := s.find(in.version)
		switch {
		case i < 0:
			return out.code == s3err.NoSuchVersion, s
		case s[i].marker:
			return out.code == s3err.MethodNotAllowed, s
		}
		return out.code == "" && out.value == s[i].value, s
	case opVersions:
		return out.list == s.list(), s
	case opObject:
		c := s.current()
		return c == nil && out.etag == "" || c != nil && out.etag == c.etag, s
	}
	panic("BUG: " + in.kind)
}

// linearModel is the model for the checker: keys have nothing to do with each other.
var linearModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		keys := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(linearInput).key //nolint:forcetypeassert // ours
			keys[key] = append(keys[key], op)
		}
		var all [][]porcupine.Operation
		for _, ops := range keys {
			all = append(all, ops)
		}
		return all
	},
	Init: func() any { return linearAt{} },
	Step: func(state, in, out any) (bool, any) {
		return stepAt(state.(linearAt), in.(linearInput), out.(linearOutput)) //nolint:forcetypeassert // ours
	},
	Equal: func(a, b any) bool {
		x, y := a.(linearAt), b.(linearAt) //nolint:forcetypeassert // ours
		return x.rank == y.rank && slices.Equal(x.linearState, y.linearState)
	},
	Hash:              func(state any) uint64 { return uint64(state.(linearAt).rank) }, //nolint:forcetypeassert // ours
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}
