package history

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// History is what clients did and were answered, and what they know from that. It is safe for concurrent use until
// it is resolved.
type History struct {
	mu       sync.Mutex
	clock    int64
	begun    int
	done     []porcupine.Operation
	unknown  map[string]bool     // writes of which it is not known whether they happened
	ids      map[string][]string // of versions, by key
	etags    map[string][]string // by key
	values   map[string]string   // by ETag
	problems []string
}

// New returns an empty history.
func New() *History {
	return &History{unknown: map[string]bool{}, ids: map[string][]string{}, etags: map[string][]string{}, values: map[string]string{}}
}

// Op is an operation that runs. Rows of the log that it makes must have its name as their access key.
type Op struct {
	In   Input
	Out  Output
	Name string

	h    *History
	call int64
}

// Begin begins an operation.
func (h *History) Begin(kind, key string) *Op {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun++
	h.clock++
	return &Op{h: h, In: Input{Kind: kind, Key: key}, call: h.clock, Name: fmt.Sprint("op", h.begun)}
}

// Begun is how many operations have begun.
func (h *History) Begun() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.begun
}

// writes reports whether the operation changes something.
func (o *Op) writes() bool { return o.In.Kind == Put || o.In.Kind == Delete || o.In.Kind == Remove }

// Done notes that the operation was answered, with o.Out.
func (o *Op) Done() {
	h := o.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	switch o.Out.Code {
	case "":
		if o.In.Kind != Remove {
			h.note(o)
		}
	case s3err.NoSuchKey, s3err.NoSuchVersion, s3err.PreconditionFailed, s3err.MethodNotAllowed:
	default:
		h.problems = append(h.problems, fmt.Sprintf("%+v: %s", o.In, o.Out.Code))
	}
	h.done = append(h.done, porcupine.Operation{Input: o.In, Output: o.Out, Call: o.call, Return: h.clock, Metadata: o.Name})
}

// Failed notes that the operation was not answered. A read that was not answered says nothing. A write may have
// happened, or may happen at any time from now: somebody may have the request who was not killed.
func (o *Op) Failed() {
	if !o.writes() {
		return
	}
	h := o.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unknown[o.Name] = true
	h.done = append(h.done, porcupine.Operation{Input: o.In, Output: o.Out, Call: o.call, Return: math.MaxInt64, Metadata: o.Name})
}

// note notes a version for others to use.
func (h *History) note(o *Op) {
	if o.Out.ID != "" {
		h.ids[o.In.Key] = append(h.ids[o.In.Key], o.Out.ID)
	}
	if o.Out.ETag != "" {
		h.etags[o.In.Key] = append(h.etags[o.In.Key], o.Out.ETag)
	}
}

// Problem notes what must not be.
func (h *History) Problem(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// ID picks one of the last versions of a key that somebody was told of; empty when there is none.
func (h *History) ID(intN func(int) int, key string) string { return h.pick(intN, h.ids, key) }

// ETag picks one of the last ETags of a key; empty when there is none.
func (h *History) ETag(intN func(int) int, key string) string { return h.pick(intN, h.etags, key) }

// pick picks one of the last of a list.
func (h *History) pick(intN func(int) int, lists map[string][]string, key string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := lists[key]
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1-intN(min(len(list), 5))]
}

// Knows notes the value of an ETag. Values must differ.
func (h *History) Knows(etag, value string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.values[etag] = value
}

// Value is that of an ETag.
func (h *History) Value(etag string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.values[etag]
}

// ETagOf is the ETag of an object that was put at once.
func ETagOf(value string) string {
	sum := md5.Sum([]byte(value))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// Resolve gives writes the order of the logs of all keys, each from its first row on. Of those that were not answered
// the logs say whether they happened: those that did not are not in the history.
func (h *History) Resolve(logs [][]versions.Row) {
	rows, ranks := map[string]versions.Row{}, map[string]int{}
	for _, log := range logs {
		rank := 0
		for _, r := range log {
			if name := r.By.AccessKey; name != "" { // else an object from before was taken into the index
				if rank++; ranks[name] > 0 {
					h.problems = append(h.problems, fmt.Sprintf("%s has two rows", name))
				}
				rows[name], ranks[name] = r, rank
			}
		}
	}
	h.done = slices.DeleteFunc(h.done, func(op porcupine.Operation) bool {
		name := op.Metadata.(string) //nolint:forcetypeassert // ours
		return h.unknown[name] && ranks[name] == 0
	})
	for i := range h.done {
		op := &h.done[i]
		name, in := op.Metadata.(string), op.Input.(Input) //nolint:forcetypeassert // ours
		in.Rank = ranks[name]
		if r := rows[name]; h.unknown[name] {
			op.Output = Output{ID: r.Version.ID.String(), ETag: r.Version.ETag, Marker: r.Version.Marker}
			if in.Kind == Put {
				in.Value = h.values[r.Version.ETag]
			}
		}
		op.Input = in
	}
}

// checkTimeout is how long the checker may think. What is linearizable takes it milliseconds.
const checkTimeout = 20 * time.Second

// Verdict is what is wrong with a history that was resolved; empty when nothing is.
func (h *History) Verdict() string {
	problems := h.problems
	switch porcupine.CheckOperationsTimeout(model, h.done, checkTimeout) {
	case porcupine.Illegal:
		problems = append(problems, "the history is not linearizable")
	case porcupine.Unknown:
		problems = append(problems, "it was not found out in time whether the history is linearizable")
	}
	return strings.Join(problems, "\n")
}

// Explain says how far the history of each key can be put in order, and what does not come next.
func (h *History) Explain() string {
	var text strings.Builder
	for _, ops := range model.Partition(h.done) {
		result, info := porcupine.CheckOperationsVerbose(model, ops, checkTimeout)
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
		state := any(at{})
		ordered := map[int64]bool{}
		for _, op := range best {
			_, state = model.Step(state, op.Input, op.Output)
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
