package versioned_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestCopyTags holds that a copy has the tags of the version that it is of, unless others are asked for.
func TestCopyTags(t *testing.T) {
	t.Parallel()
	f := func(change func(*versioned.Options)) {
		t.Helper()
		b := open(t, change)
		id := "null"
		if b.o.Complete {
			id = b.put("from", "1")
		} else {
			b.putPlain("from", "1")
		}
		b.tag("from", id, "red")
		copied := func(key, version string, directive types.TaggingDirective) string {
			_, err := b.CopyObject(t.Context(), backends.CopySource{Key: "from", VersionID: version}, &s3.CopyObjectInput{Key: &key, TaggingDirective: directive})
			if err != nil {
				t.Fatal(err)
			}
			return b.tags(key, "")
		}
		if got := copied("to", "", ""); got != "red" {
			t.Errorf("a copy has the tags %q", got)
		}
		if got := copied("as asked", "", types.TaggingDirectiveReplace); got != "" {
			t.Errorf("a copy with other tags has %q", got)
		}
		b.put("from", "2")
		if got := copied("of a version", id, types.TaggingDirectiveCopy); got != "red" {
			t.Errorf("a copy of a version has the tags %q", got)
		}
	}
	f(nil)
	f(before)
}

// TestImmutable holds that versions stay where clients cannot remove any, and that delete markers can be removed.
func TestImmutable(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *versioned.Options) { o.Immutable = true })
	first, second := b.put("k", "1"), b.put("k", "2")
	for _, id := range []string{first, second} {
		if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: &id}); !s3err.Is(err, s3err.AccessDenied) {
			t.Errorf("removing a version says %v", err)
		}
	}
	marker := b.remove("k", "")
	b.remove("k", *marker.VersionId)
	if got, err := b.get("k", ""); got != "2" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: new("0000000000000000000000000o")}); err != nil {
		t.Errorf("removing one that is not there says %v", err)
	}
}
