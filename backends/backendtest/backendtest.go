// Package backendtest is the suite that every store and every composition of
// stores passes: the contract of package backends, sentence by sentence, and
// a model that random operations are compared with.
package backendtest

import (
	"slices"
	"testing"

	"github.com/xronox/xronox-proxy/backends"
)

// Open returns a backend and the name of an empty bucket in it. It is called
// for every case and cleans up through t. Several may be open at once.
type Open func(t *testing.T) (b backends.Backend, bucket string)

// Options say what the suite can know of a backend besides its methods.
type Options struct {
	// Count returns how many keys or rows the backend has read in its life. When
	// it is given, the cost of listings is checked.
	Count func(backends.Backend) int64
	// OneBucket says that the backend is a virtual bucket: it ignores Bucket,
	// and so has no missing ones.
	OneBucket bool
	// MaxKeyBytes is the longest key that fits, when that is less than S3's 1,024.
	MaxKeyBytes int
	// Lacks has, by ability, why the service behind the backend has it not.
	Lacks map[Ability]string
	// Skip has, by name of a case, why the backend cannot pass it.
	Skip map[string]string
}

// testCase is one promise of the contract.
type testCase struct {
	name        string
	explanation string // the promise, printed with a failure; a trap's number is S3-TRAPS's
	run         func(*env)
}

// cases returns the whole suite. The multipart and bucket cases need those abilities.
func cases() []testCase {
	return slices.Concat(
		objectCases, readCases, rangeCases, conditionCases, deleteCases, copyCases, keyCases,
		listCases, concurrencyCases, multipartCases, completeCases, partCases, uploadListCases, attributesCases, tagCases, encryptionCases,
		bucketCases, lockCases, restoreCases, renameCases, modelCases,
	)
}

// Run runs the suite. A case whose optional ability the backend lacks is skipped.
func Run(t *testing.T, open Open, o Options) {
	all := cases()
	for name := range o.Skip {
		if !slices.ContainsFunc(all, func(c testCase) bool { return c.name == name }) {
			t.Errorf("Options.Skip names %q, and there is no such case", name)
		}
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			if why, ok := o.Skip[c.name]; ok {
				t.Skip(why)
			}
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					t.Log("the contract says: " + c.explanation)
				}
			})
			b, bucket := open(t)
			c.run(&env{T: t, b: b, bucket: bucket, options: o})
		})
	}
}
