package backends

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// copyBody copies with a small buffer and returns what arrived.
func copyBody(ctx context.Context, body Body) (string, *Digest, error) {
	var dst bytes.Buffer
	d := NewDigest(types.ChecksumAlgorithmSha256)
	err := d.CopyBody(ctx, &dst, body, make([]byte, 4))
	return dst.String(), d, err
}

func TestCopyBody(t *testing.T) {
	t.Parallel()
	const text = "hello, world"
	got, d, err := copyBody(t.Context(), Body{strings.NewReader(text), 12})
	if err != nil || got != text || d.Size() != 12 {
		t.Errorf("got %q, %d bytes, %v", got, d.Size(), err)
	}
	if d.ETag() != `"e4d7f1b4ed2e42d15898f4b27b019da4"` || d.Checksum() != "Ccp+TqpuiunH0mEWcSkYSINkTQffuny/vEyKLgg2DVs=" {
		t.Errorf("ETag %s, checksum %s", d.ETag(), d.Checksum())
	}
	if got, _, err = copyBody(t.Context(), Body{iotest.DataErrReader(strings.NewReader(text)), 12}); err != nil || got != text {
		t.Errorf("io.EOF together with bytes: %q, %v", got, err)
	}
	if _, _, err = copyBody(t.Context(), Body{}); err != nil {
		t.Errorf("no body: %v", err)
	}
	for _, length := range []int64{0, 4, 11, 13, 100} {
		if _, _, err := copyBody(t.Context(), Body{strings.NewReader(text), length}); !s3err.Is(err, s3err.IncompleteBody) {
			t.Errorf("a length of %d: %v", length, err)
		}
	}
	broken := errors.New("broken")
	if _, _, err := copyBody(t.Context(), Body{iotest.ErrReader(broken), 0}); !errors.Is(err, broken) {
		t.Errorf("an error in place of io.EOF: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, body := range []Body{{}, {strings.NewReader(text), 12}} {
		if _, _, err := copyBody(ctx, body); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that ended: %v", err)
		}
	}
}
