package overlay_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/overlay"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// TestUnfit: a key that is too long for the new place, behind its longer prefix, is read, copied
// and deleted where it is.
func TestUnfit(t *testing.T) {
	t.Parallel()
	newer, old := mountOf(t, memory(t), "a-longer-prefix/"), mountOf(t, memory(t), "o/")
	b := overlay.New(overlay.Options{New: newer, Old: old, BucketID: "bucket", Tombstones: memindex.New()})
	one, two := strings.Repeat("1", 1020), strings.Repeat("2", 1020)
	put(t, old, one, "body")
	put(t, old, two, "body")
	if got := read(t, b, one); got != "body" {
		t.Errorf("reads %q", got)
	}
	if _, err := b.CopyObject(t.Context(), backends.CopySource{Bucket: "virtual", Key: one}, &s3.CopyObjectInput{Bucket: new("virtual"), Key: new("copy")}); err != nil {
		t.Error(err)
	}
	if err := tryDelete(t, b, one, ""); err != nil {
		t.Errorf("delete: %v", err)
	}
	out, err := b.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("virtual"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: &two}}}})
	if err != nil || len(out.Deleted) != 1 {
		t.Errorf("delete of several: %+v, %v", out, err)
	}
	if got := list(t, b, "", 10); !slices.Equal(got, []string{"copy"}) {
		t.Errorf("lists %q", got)
	}
	if got := read(t, b, one); got != "KeyTooLongError" {
		t.Errorf("after the deletion: %q", got)
	}
	if got := read(t, old, one); got != "body" {
		t.Errorf("the old object became %q", got)
	}
}
