package checksum

import (
	"bytes"
	"encoding/hex"
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
	f(types.ChecksumAlgorithmMd5, "JfnnlDI7RTiF9RgfG2JNCw==")
	f(types.ChecksumAlgorithmSha512, "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==")
}

// TestKnownXXHash compares with what the reference implementation, libxxhash 0.8.1, says
// with seed 0 of the first bytes of the buffer of its sanity test, in the big-endian form that it calls
// canonical. The lengths take every one of its ways.
//
// https://github.com/Cyan4973/xxHash/blob/dev/tests/sanity_test.c
func TestKnownXXHash(t *testing.T) {
	t.Parallel()
	buffer := make([]byte, 0, 2400)
	for g := uint64(2654435761); len(buffer) < cap(buffer); g *= 11400714785074694797 {
		buffer = append(buffer, byte(g>>56))
	}
	f := func(a types.ChecksumAlgorithm, n int, want string) {
		t.Helper()
		if got := hex.EncodeToString(sum(a, buffer[:n])); got != want {
			t.Errorf("%s of %d bytes: got %s, want %s", a, n, got, want)
		}
	}
	f(types.ChecksumAlgorithmXxhash64, 0, "ef46db3751d8e999")
	f(types.ChecksumAlgorithmXxhash64, 1, "e934a84adb052768")
	f(types.ChecksumAlgorithmXxhash64, 4, "9136a0dca57457ee")
	f(types.ChecksumAlgorithmXxhash64, 14, "8282dcc4994e35c8")
	f(types.ChecksumAlgorithmXxhash64, 222, "b641ae8cb691c174")
	f(types.ChecksumAlgorithmXxhash3, 0, "2d06800538d394c2")
	f(types.ChecksumAlgorithmXxhash3, 1, "c44bdff4074eecdb")
	f(types.ChecksumAlgorithmXxhash3, 6, "27b56a84cd2d7325")
	f(types.ChecksumAlgorithmXxhash3, 12, "a713daf0dfbb77e7")
	f(types.ChecksumAlgorithmXxhash3, 24, "a3fe70bf9d3510eb")
	f(types.ChecksumAlgorithmXxhash3, 48, "397da259ecba1f11")
	f(types.ChecksumAlgorithmXxhash3, 80, "bcdefbbb2c47c90a")
	f(types.ChecksumAlgorithmXxhash3, 195, "cd94217ee362ec3a")
	f(types.ChecksumAlgorithmXxhash3, 403, "cdeb804d65c6dea4")
	f(types.ChecksumAlgorithmXxhash3, 512, "617e49599013cb6b")
	f(types.ChecksumAlgorithmXxhash3, 2048, "dd59e2c3a5f038e0")
	f(types.ChecksumAlgorithmXxhash3, 2240, "6e73a90539cf2948")
	f(types.ChecksumAlgorithmXxhash3, 2367, "cb37aeb9e5d361ed")
	f(types.ChecksumAlgorithmXxhash128, 0, "99aa06d3014798d86001c324468d497f")
	f(types.ChecksumAlgorithmXxhash128, 1, "a6cd5e9392000f6ac44bdff4074eecdb")
	f(types.ChecksumAlgorithmXxhash128, 6, "082afe0b8162d12a3e7039bdda43cfc6")
	f(types.ChecksumAlgorithmXxhash128, 12, "6e3efd8fc7802b18061a192713f69ad9")
	f(types.ChecksumAlgorithmXxhash128, 24, "0ce966e4678d37611e7044d28b1b901d")
	f(types.ChecksumAlgorithmXxhash128, 48, "a002ac4e5478227ef942219aed80f67b")
	f(types.ChecksumAlgorithmXxhash128, 81, "4952f58181ab00425e8bafb9f95fb803")
	f(types.ChecksumAlgorithmXxhash128, 222, "337e09641b948717f1aebd597cec6b3a")
	f(types.ChecksumAlgorithmXxhash128, 403, "1b6de21e332dd73dcdeb804d65c6dea4")
	f(types.ChecksumAlgorithmXxhash128, 512, "18d2d110dcc9bca1617e49599013cb6b")
	f(types.ChecksumAlgorithmXxhash128, 2048, "f736557fd47073a5dd59e2c3a5f038e0")
	f(types.ChecksumAlgorithmXxhash128, 2240, "ccb134fbfa7ce49d6e73a90539cf2948")
	f(types.ChecksumAlgorithmXxhash128, 2367, "e89c0f6ff369b427cb37aeb9e5d361ed")
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
	f("x-amz-checksum-md5", types.ChecksumAlgorithmMd5)
	f("x-amz-checksum-xxhash128", types.ChecksumAlgorithmXxhash128)
	f("x-amz-checksum-sha384", "")
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

func TestIsObjectSum(t *testing.T) {
	t.Parallel()
	f := func(a types.ChecksumAlgorithm, s string, want bool) {
		t.Helper()
		if IsObjectSum(a, s) != want {
			t.Errorf("%s %q: want %v", a, s, want)
		}
	}
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==", true)
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==-10000", true)
	f(types.ChecksumAlgorithmMd5, "1B2M2Y8AsgTpgAmY7PhCfg==-1", true)
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==-", false)
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==-0", false)
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==--2", false)
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==-1-2", false)
	f(types.ChecksumAlgorithmCrc32, "y/Q5Jg==-2a", false)
	f(types.ChecksumAlgorithmSha1, "y/Q5Jg==", false)
	f("MD4", "y/Q5Jg==", false)
	f(types.ChecksumAlgorithmCrc32, "", false)
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
	f(types.ChecksumAlgorithmSha512, false, true)
	f(types.ChecksumAlgorithmMd5, false, true)
	f(types.ChecksumAlgorithmXxhash64, false, true)
	f(types.ChecksumAlgorithmXxhash3, false, true)
	f(types.ChecksumAlgorithmXxhash128, false, true)
	f("MD4", false, false)
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
	value := "x"
	put, got := &s3.PutObjectOutput{ChecksumCRC32: &value}, &s3.GetObjectOutput{ChecksumXXHASH3: &value}
	if Copy(put, got); put.ChecksumCRC32 != nil || put.ChecksumXXHASH3 != &value {
		t.Errorf("copied: %+v", put)
	}
	if Clear(put); put.ChecksumXXHASH3 != nil {
		t.Error("a value after Clear")
	}
}
