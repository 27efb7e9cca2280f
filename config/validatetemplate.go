package config

import (
	"regexp"
	"slices"
	"strings"
)

// placeholder is what a bucket template can contain.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// template checks that bucketTemplate gives every bucket of every tenant a
// place of its own, or several. Bucket names and tenant ids hold no "/", so that two of
// them with a "/" between, and one behind, can be told apart.
func (v *validator) template(s spot) {
	t := v.cfg.Proxy.BucketTemplate
	v.placeholders(s.key("versionsPrefix"), t.VersionsPrefix)
	if t.Mode == ModeSpread {
		v.templatePlaces(s, t)
		return
	}
	if s.node.get("places") != nil {
		v.fail(s.key("places"), "This has a meaning only in mode spread", `add "mode": "spread", or name one place by connection, bucket and prefix`)
	}
	v.templatePlace(s, Spot{t.Connection, t.Bucket, t.Prefix})
}

// templatePlaces checks the places of mode spread.
func (v *validator) templatePlaces(s spot, t BucketTemplate) {
	for _, member := range []string{"connection", "bucket", "prefix"} {
		if s.node.get(member) != nil {
			v.fail(s.key(member), "This has no meaning in mode spread", "write it into one of places")
		}
	}
	if len(t.Places) < 2 {
		v.fail(s, "Keys cannot be spread over less than two places", "name them in places, or use mode flat")
	}
	for i, p := range t.Places {
		at := s.key("places").item(i)
		if strings.Contains(p.Bucket, "{bucket}") {
			v.fail(at.key("bucket"), "A physical bucket for each bucket goes with one place only", `name one bucket, and write "prefix": "buckets/{tenantId}/{bucket}/"`)
			continue
		}
		v.templatePlace(at, p)
	}
}

// placeholders refuses unknown ones.
func (v *validator) placeholders(s spot, text string) {
	for _, p := range placeholder.FindAllString(text, -1) {
		if p != eachTenant && p != "{bucket}" {
			v.fail(s, "Unknown placeholder "+p, "there are {tenantId} and {bucket}")
		}
	}
}

// templatePlace checks one place.
func (v *validator) templatePlace(s spot, t Spot) {
	v.connectionName(s.key("connection"), t.Connection)
	v.placeholders(s.key("bucket"), t.Bucket)
	v.placeholders(s.key("prefix"), t.Prefix)
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

// isLocal reports whether some of what t places is on local disk.
func (t BucketTemplate) isLocal() bool {
	if t.Mode != ModeSpread {
		return t.Connection == ""
	}
	return slices.ContainsFunc(t.Places, func(p Spot) bool { return p.Connection == "" })
}
