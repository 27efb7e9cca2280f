package router

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTemplateValidate(t *testing.T) {
	t.Parallel()
	f := func(bucket, prefix string, tenants int, want string) {
		t.Helper()
		err := Template{Bucket: bucket, Prefix: prefix}.validate(tenants)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s|%s: %v, want %q", bucket, prefix, err, want)
		}
	}
	f("{tenantId}/{bucket}", "", 2, "")
	f("content", "buckets/{tenantId}/{bucket}/", 2, "")
	f("content-{tenantId}", "{bucket}/", 2, "")
	f("xp-{bucket}", "", 1, "")
	f("xp-{bucket}", "", 2, "tenants would share")
	f("content", "", 1, "all buckets would be one")
	f("content", "{tenantId}/", 1, "all buckets would be one")
	f("content", "{bucket}", 1, "slash behind {bucket}")
	f("{tenantId}-{bucket}", "", 2, "slash behind {tenantId}")
	f("content", "{tenantId}{bucket}/", 2, "slash behind {tenantId}")
	f("content", "{tenant}/{bucket}/", 1, "unknown placeholder {tenant}")
}

// TestTemplateIsInjective holds that under any template that is let through no
// two buckets share an object.
func TestTemplateIsInjective(t *testing.T) {
	t.Parallel()
	segment := rapid.SampledFrom([]string{tenantMark, bucketMark, "a", "-", "a-" + bucketMark, "-" + tenantMark, tenantMark + "a"})
	text := rapid.Map(rapid.SliceOfN(segment, 1, 3), func(s []string) string { return strings.Join(s, "/") })
	tenant := rapid.StringMatching(`[a\-]{1,3}`)
	bucket := rapid.StringMatching(`[a\-]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		tpl := Template{Backend: "b", Bucket: text.Draw(t, "bucket"), Prefix: text.Draw(t, "prefix") + rapid.SampledFrom([]string{"", "/"}).Draw(t, "end")}
		if tpl.validate(2) != nil {
			t.Skip("not let through")
		}
		t1, t2, b1, b2 := tenant.Draw(t, "t1"), tenant.Draw(t, "t2"), bucket.Draw(t, "b1"), bucket.Draw(t, "b2")
		one, two := tpl.mounts(t1, b1)[0], tpl.mounts(t2, b2)[0]
		if same := t1 == t2 && b1 == b2; one.overlaps(&two) != same {
			t.Fatalf("%s and %s", one, two)
		}
		if !tpl.spots()[0].reaches(&one) {
			t.Fatalf("a template does not reach its own %s", one)
		}
	})
}
