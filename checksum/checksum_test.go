package checksum

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestKnownSums compares with the check values that the algorithms' catalogues
// give for "123456789".
func TestKnownSums(t *testing.T) {
	t.Parallel()
	f := func(a types.ChecksumAlgorithm, want string) {
		t.Helper()
		h := New(a)
		h.Write([]byte("123456789"))
		got := Encode(h.Sum(nil))
		if got != want {
			t.Errorf("%s: got %s, want %s", a, got, want)
		}
		if sum, ok := Decode(a, got); !ok || !bytes.Equal(sum, h.Sum(nil)) {
			t.Errorf("%s: %s does not decode", a, got)
		}
	}
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==")
	f(types.ChecksumAlgorithmCrc32c, "4waSgw==")
	f(types.ChecksumAlgorithmCrc64nvme, "rosUhgp5mIg=")
	f(types.ChecksumAlgorithmSha1, "98O8HYCOBHMq32eZZczDTKeuNEE=")
	f(types.ChecksumAlgorithmSha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, a := range All() {
		if got, ok := FromHeader(HeaderName(a)); !ok || got != a {
			t.Errorf("FromHeader(%q) = %q", HeaderName(a), got)
		}
	}
	f := func(name string, want types.ChecksumAlgorithm) {
		t.Helper()
		if got, ok := FromHeader(name); got != want || ok != (want != "") {
			t.Errorf("FromHeader(%q) = %q, want %q", name, got, want)
		}
	}
	f("X-Amz-Checksum-Crc64nvme", types.ChecksumAlgorithmCrc64nvme)
	f("X-AMZ-CHECKSUM-SHA1", types.ChecksumAlgorithmSha1)
	f("x-amz-checksum-type", "")
	f("x-amz-checksum-", "")
	f("x-amz-checksum-md5", "")
	f("content-md5", "")
}

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	f := func(s string) {
		t.Helper()
		if _, ok := Decode(types.ChecksumAlgorithmCrc32, s); ok {
			t.Errorf("Decode accepts %q", s)
		}
	}
	f("")
	f("y/Q5Jg")         // no padding
	f("y/Q5Jh==")       // stray bits
	f("y/Q5\nJg==")     // a line break
	f("y/Q5Jg==-2")     // composite
	f("rosUhgp5lIg=")   // another algorithm's length
	f("y_Q5Jg==")       // URL alphabet
	f("y/Q5Jg== ")      // space
	f("not base64 at!") // junk
}

// TestCombine holds that combining the parts' CRCs gives that of the whole.
func TestCombine(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		var whole []byte
		parts := make([][]byte, 1+r.IntN(6))
		for i := range parts {
			parts[i] = make([]byte, r.IntN(5000)*r.IntN(2))
			for j := range parts[i] {
				parts[i][j] = byte(r.Uint32())
			}
			whole = append(whole, parts[i]...)
		}
		for _, a := range All() {
			if !ValidType(a, types.ChecksumTypeFullObject) {
				continue
			}
			var sums [][]byte
			var sizes []int64
			for _, p := range parts {
				sums, sizes = append(sums, sum(a, p)), append(sizes, int64(len(p)))
			}
			if got, want := Combine(a, sums, sizes), sum(a, whole); !bytes.Equal(got, want) {
				t.Fatalf("%s of %d parts: got %x, want %x", a, len(parts), got, want)
			}
		}
	}
}

// sum hashes data at once.
func sum(a types.ChecksumAlgorithm, data []byte) []byte {
	h := New(a)
	h.Write(data)
	return h.Sum(nil)
}

// TestComposite uses the definition: the hash of the sums, and their number.
func TestComposite(t *testing.T) {
	t.Parallel()
	a := types.ChecksumAlgorithmSha256
	one, two := sum(a, []byte("one")), sum(a, []byte("two"))
	want := Encode(sum(a, append(append([]byte{}, one...), two...))) + "-2"
	if got := Composite(a, [][]byte{one, two}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValidType(t *testing.T) {
	t.Parallel()
	f := func(a types.ChecksumAlgorithm, full, composite bool) {
		t.Helper()
		if got := ValidType(a, types.ChecksumTypeFullObject); got != full {
			t.Errorf("%s FULL_OBJECT: %v", a, got)
		}
		if got := ValidType(a, types.ChecksumTypeComposite); got != composite {
			t.Errorf("%s COMPOSITE: %v", a, got)
		}
	}
	f(types.ChecksumAlgorithmCrc32, true, true)
	f(types.ChecksumAlgorithmCrc32c, true, true)
	f(types.ChecksumAlgorithmCrc64nvme, true, false)
	f(types.ChecksumAlgorithmSha1, false, true)
	f(types.ChecksumAlgorithmSha256, false, true)
	f("MD5", false, false)
}

func TestFields(t *testing.T) {
	t.Parallel()
	for _, a := range All() {
		for _, v := range []any{
			&s3.PutObjectInput{}, &s3.PutObjectOutput{}, &s3.GetObjectOutput{}, &s3.HeadObjectOutput{},
			&s3.UploadPartInput{}, &s3.UploadPartOutput{}, &s3.CompleteMultipartUploadInput{},
			&s3.CompleteMultipartUploadOutput{}, &types.CompletedPart{}, &types.CopyPartResult{},
			&types.CopyObjectResult{}, &types.Part{}, &types.Checksum{}, &types.ObjectPart{},
		} {
			if Get(v, a) != nil {
				t.Errorf("%T: %s is set", v, a)
			}
			value := "x"
			if Set(v, a, &value); Get(v, a) != &value {
				t.Errorf("%T: %s was not set", v, a)
			}
		}
	}
	if Get(&s3.CreateMultipartUploadInput{}, types.ChecksumAlgorithmCrc32) != nil {
		t.Error("a value from a struct without the field")
	}
}
