package conformance

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Results of a case on a shape.
const (
	pass   = "pass"
	fail   = "fail"
	notRun = "-" // an excluded case is not run
)

// The classes of cases. All that are not counted are listed with a reason each.
const (
	counts  = "counts"
	aws     = "aws"     // runs; asserts something that AWS answers otherwise, as its documentation says or as is on record
	needs   = "needs"   // runs; is of something else, but begins with an operation of later
	admin   = "admin"   // calls the admin API of the suite's own server, by its program
	later   = "later"   // is of an operation that is not part of this yet
	wording = "wording" // asserts the exact text of a message where AWS has another
)

// classes are all classes, in the order in which they are told.
var classes = []string{counts, aws, needs, admin, later, wording}

// runs reports whether cases of a class are run, and held to what is expected of them.
func runs(class string) bool { return class == counts || class == aws || class == needs }

// unexplained is what the reason of a failure begins with that nobody has given one.
const unexplained = "??"

// entry is a line of the manifest: what is expected of a case.
type entry struct {
	name, class string
	expect      []string // on each shape
	reason      string   // of what is not pass
}

// failing reports whether the case is expected to fail on any shape.
func (e *entry) failing() bool { return runs(e.class) && slices.Contains(e.expect, fail) }

// differs reports whether the shapes differ.
func (e *entry) differs() bool { return len(slices.Compact(slices.Clone(e.expect))) > 1 }

// manifest is what is expected of all cases.
type manifest struct {
	comment string  // the lines before the first setting
	floor   float64 // percent of the cases that count which must pass on every shape
	shapes  []string
	entries []*entry
}

// manifestFile is where it is kept.
const manifestFile = "manifest.tsv"

// readManifest reads it.
func readManifest() (*manifest, error) {
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		return nil, err
	}
	return parseManifest(string(text))
}

// parseManifest reads a manifest: comments, the floor, a line with the names of the columns, and a line for each case.
func parseManifest(text string) (*manifest, error) {
	m := &manifest{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		f := strings.Split(line, "\t")
		switch {
		case strings.HasPrefix(line, "#"):
			m.comment += line + "\n"
		case f[0] == "floor" && len(f) == 2:
			v, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				return nil, err
			}
			m.floor = v
		case f[0] == "case" && len(f) > 3:
			m.shapes = f[2 : len(f)-1]
		case len(m.shapes) > 0 && len(f) == len(m.shapes)+3:
			m.entries = append(m.entries, &entry{f[0], f[1], f[2 : len(f)-1], f[len(f)-1]})
		default:
			return nil, fmt.Errorf("%s: %q is no line of it", manifestFile, line)
		}
	}
	return m, nil
}

// String is the text that parseManifest reads.
func (m *manifest) String() string {
	var b bytes.Buffer
	b.WriteString(m.comment)
	fmt.Fprintf(&b, "floor\t%g\n", m.floor)
	line := func(f ...string) { b.WriteString(strings.Join(f, "\t") + "\n") }
	line(slices.Concat([]string{"case", "class"}, m.shapes, []string{"reason"})...)
	for _, e := range m.entries {
		line(slices.Concat([]string{e.name, e.class}, e.expect, []string{e.reason})...)
	}
	return b.String()
}

// at is the column of a shape, or -1.
func (m *manifest) at(shape string) int { return slices.Index(m.shapes, shape) }

// find returns the entry of a case, or nil.
func (m *manifest) find(name string) *entry {
	i := slices.IndexFunc(m.entries, func(e *entry) bool { return e.name == name })
	if i < 0 {
		return nil
	}
	return m.entries[i]
}

// adopt brings the manifest to the cases that there are and the shapes, in their order. What is new is expected to pass, until it
// is known better.
func (m *manifest) adopt(cases, shapes []string) {
	n := &manifest{comment: m.comment, floor: m.floor, shapes: shapes}
	for _, name := range cases {
		e, old := &entry{name: name, class: classOf(name)}, m.find(name)
		if old != nil {
			e.class, e.reason = old.class, old.reason
		}
		for _, s := range shapes {
			x := pass
			if !runs(e.class) {
				x = notRun
			} else if at := m.at(s); old != nil && at >= 0 {
				x = old.expect[at]
			}
			e.expect = append(e.expect, x)
		}
		n.entries = append(n.entries, e)
	}
	*m = *n
}

// record takes what a run found on a shape into the manifest. A reason goes with the last failure of its case.
func (m *manifest) record(shape string, found map[string]result) {
	at := m.at(shape)
	for _, e := range m.entries {
		r, ran := found[e.name]
		if !ran || !runs(e.class) {
			continue
		}
		if strings.Contains(r.Message, callsAdmin) {
			e.class, e.reason = admin, "calls the admin API of versitygw"
			for i := range e.expect {
				e.expect[i] = notRun
			}
			continue
		}
		e.expect[at] = r.Result
		if !r.passed() && e.reason == "" {
			e.reason = unexplained + " " + oneLine(r.Message)
		}
		if !e.failing() {
			e.reason = ""
		}
	}
}

// callsAdmin is in the message of a case that has run the program of its server, which is not there.
const callsAdmin = "exec ./versitygw"

// oneLine is a text that fits a manifest.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
}

// laterOperations are what the names of cases begin with that are of operations on settings of access and other
// things of buckets that are not built yet.
var laterOperations = []string{"BucketPolicy", "BucketPolicyStatus", "BucketAcl", "ObjectAcl", "BucketOwnershipControls", "PublicAccessBlock", "BucketWebsite", "BucketLogging", "BucketNotification"}

// classOf is the class that the name of a case tells.
func classOf(name string) string {
	operation, _, _ := strings.Cut(name, "_")
	for _, verb := range []string{"Put", "Get", "Delete"} {
		if what, ok := strings.CutPrefix(operation, verb); ok && slices.Contains(laterOperations, what) {
			return later
		}
	}
	return counts
}

// problems are what is wrong with a manifest whatever a run finds.
func (m *manifest) problems() (all []string) {
	wrong := func(e *entry, what string) { all = append(all, e.name+": "+what) }
	for _, e := range m.entries {
		switch {
		case !slices.Contains(classes, e.class):
			wrong(e, "there is no class "+e.class)
		case e.class != admin && (e.class == later) != (classOf(e.name) == later):
			wrong(e, "the class later is of the operations of later, and all of theirs")
		case strings.HasPrefix(e.reason, unexplained):
			wrong(e, "a reason is wanted for this failure: "+strings.TrimPrefix(e.reason, unexplained))
		case (e.failing() || !runs(e.class) && e.class != later) != (e.reason != ""):
			wrong(e, "a reason is wanted for each failure and exclusion, and only for them")
		}
		for _, x := range e.expect {
			if x != notRun && x != pass && x != fail || (x == notRun) == runs(e.class) {
				wrong(e, "cannot be expected to "+x)
			}
		}
	}
	return all
}

// score is how many of the cases of some classes pass on a shape.
func (m *manifest) score(shape string, classes ...string) (passed, of int) {
	at := m.at(shape)
	for _, e := range m.entries {
		if !slices.Contains(classes, e.class) {
			continue
		}
		of++
		if e.expect[at] == pass {
			passed++
		}
	}
	return passed, of
}

// low are the shapes on which too little passes.
func (m *manifest) low() (all []string) {
	for _, sh := range m.shapes {
		if passed, of := m.score(sh, counts); percent(passed, of) < m.floor {
			all = append(all, fmt.Sprintf("%s: %d of %d cases pass, which is less than %g %%", sh, passed, of, m.floor))
		}
	}
	return all
}

// percent is a share in percent.
func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(1, whole)) }
