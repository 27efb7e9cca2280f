package mount

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// window is which part of a mount a listing in virtual names is about.
type window struct {
	empty  bool    // none
	common string  // all keys of the mount, and this common prefix is what is shown of them
	walk   bool    // the keys, which must be split here: a delimiter begins in Under and ends in what follows
	prefix *string // physical: the keys below it,
	after  *string // and after this
}

// window translates the prefix, delimiter and marker of a listing. Under is a part
// of every virtual key and of no physical one, so what they say of Under is answered here.
func (m *mount) window(prefix, delimiter, after *string) window {
	p, d, a := aws.ToString(prefix), aws.ToString(delimiter), aws.ToString(after)
	below, inside := strings.CutPrefix(p, m.Under)
	if !inside && !strings.HasPrefix(m.Under, p) {
		return window{empty: true}
	}
	if !inside {
		below = ""
		if common, ok := firstEntry(m.Under, len(p), d); ok {
			return window{empty: common <= a, common: common}
		}
	}
	w := window{prefix: aws.String(m.Prefix + below), walk: !inside && runsOver(m.Under[len(p):], d)}
	rest, begun := strings.CutPrefix(a, m.Under)
	switch {
	case begun && (a != "" || m.Prefix != ""):
		// Without Under also for an empty marker: an object named as the prefix itself has
		// no virtual key and must not take a place in the page.
		w.after = aws.String(m.Prefix + rest)
	case a > m.Under:
		w.empty = true
	}
	return w
}

// firstEntry is the common prefix that stands for every key that begins with
// under, when the delimiter is in it behind the first n bytes.
func firstEntry(under string, n int, delimiter string) (entry string, ok bool) {
	i := strings.Index(under[n:], delimiter)
	if delimiter == "" || i < 0 {
		return "", false
	}
	return under[:n+i+len(delimiter)], true
}

// runsOver reports whether a delimiter can begin in s and end behind it.
func runsOver(s, delimiter string) bool {
	for n := 1; n < len(delimiter) && n <= len(s); n++ {
		if strings.HasSuffix(s, delimiter[:n]) {
			return true
		}
	}
	return false
}
