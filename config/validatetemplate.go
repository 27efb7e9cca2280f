package config

import (
	"regexp"
	"strings"
)

// placeholder is what a bucket template can contain.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// template checks that bucketTemplate gives every bucket of every tenant a
// place of its own. Bucket names and tenant ids hold no "/", so that two of
// them with a "/" between, and one behind, can be told apart.
func (v *validator) template(s spot) {
	t := v.cfg.Proxy.BucketTemplate
	v.connectionName(s.key("connection"), t.Connection)
	for _, m := range []struct{ name, text string }{{"bucket", t.Bucket}, {"prefix", t.Prefix}, {"versionsPrefix", t.VersionsPrefix}} {
		for _, p := range placeholder.FindAllString(m.text, -1) {
			if p != eachTenant && p != "{bucket}" {
				v.fail(s.key(m.name), "Unknown placeholder "+p, "there are {tenantId} and {bucket}")
			}
		}
	}
	if t.Connection != "" && strings.Contains(t.Bucket, "/") {
		v.fail(s.key("bucket"), "The name of a bucket at an object store has no /", `name one bucket, and write "prefix": "buckets/{tenantId}/{bucket}/"`)
		return
	}
	place := t.Bucket + "/" + t.Prefix
	for _, p := range []string{eachTenant, "{bucket}"} {
		if !strings.Contains(place, p) {
			v.fail(s, "Neither bucket nor prefix contains "+p+", so that buckets would share their keys", `write for instance "prefix": "buckets/{tenantId}/{bucket}/"`)
		}
	}
	for _, text := range []string{t.Bucket + "/", t.Prefix} {
		for _, segment := range strings.SplitAfter(text, "/") {
			if n := len(placeholder.FindAllString(segment, -1)); n > 1 || n == 1 && !strings.HasSuffix(segment, "/") {
				v.fail(s, "Nothing separates "+segment+" from what follows, so that buckets could share their keys", `put "/" behind {tenantId} and behind {bucket}`)
			}
		}
	}
}
