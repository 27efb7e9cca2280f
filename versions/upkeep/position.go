package upkeep

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Position is how far what looks at a place has come, for another run that is to go on there. All that is not behind it
// is done, and reported.
type Position struct {
	Place string `json:"place"` // BucketID
	Step  string `json:"step"`
	After string `json:"after,omitempty"` // the last key, or the last body, that is done; empty: none
}

// String is a position as a word that is good in a command line.
func (p Position) String() string {
	if p == (Position{}) {
		return ""
	}
	data, err := json.Marshal(p)
	if err != nil {
		panic("BUG: " + err.Error()) // It is plain data.
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// ParsePosition is the inverse of String.
func ParsePosition(s string) (p Position, err error) {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || p.Place == "" || p.Step == "" {
		return Position{}, fmt.Errorf("%q is no position: take the one that the command printed when it was broken off", s)
	}
	return p, nil
}

// errOtherStep says that a position is not one of what is done now.
var errOtherStep = errors.New("the position is one of another command")

// span is the objects whose keys begin with prefix and are behind after.
type span struct{ prefix, after string }

// from is where a listing of them begins.
func (s span) from() string {
	if s.after == "" {
		return s.prefix
	}
	return max(s.prefix, s.after+"\x00")
}

// trail is how far a walk has come in which several things are looked at at once: nothing is unfinished that is not
// behind it.
type trail struct {
	mu    sync.Mutex
	marks []*mark // in the order of the walk, from the first that is not done
	after string
}

// mark is something that is looked at.
type mark struct {
	trail *trail
	at    string
	todo  int
}

// begin notes that something is looked at now. It is done when there was an end for it and for each hold.
func (t *trail) begin(at string) *mark {
	m := &mark{trail: t, at: strings.Clone(at), todo: 1}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks = append(t.marks, m)
	return m
}

// hold has something not be done before there was one more end.
func (m *mark) hold() {
	m.trail.mu.Lock()
	defer m.trail.mu.Unlock()
	m.todo++
}

// end notes that something was done.
func (m *mark) end() {
	t := m.trail
	t.mu.Lock()
	defer t.mu.Unlock()
	m.todo--
	n := 0
	for n < len(t.marks) && t.marks[n].todo == 0 {
		t.after = t.marks[n].at
		n++
	}
	t.marks = t.marks[n:]
}

// position returns how far the walk has come.
func (t *trail) position() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.after
}
