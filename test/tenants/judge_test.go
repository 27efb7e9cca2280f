package tenants

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// try makes an attempt and judges what came of it.
func (w *world) try(a *attempt) reply {
	got := w.send(a)
	w.ended[got.code]++
	request := decodings(string(a.bytes()))
	switch {
	case got.status >= 500 && got.status != 501:
		w.violation(a, "the server fails: %d %s", got.status, got.body)
	case got.status < 300 && a.refuse != "":
		w.violation(a, "%s, and yet %d %s", a.refuse, got.status, got.body)
	case got.status < 300 && a.who == nil:
		w.violation(a, "nobody is let in: %d %s", got.status, got.body)
	}
	for _, m := range marker.FindAllString(got.headers+got.body, -1) {
		if !strings.Contains(request, m) && !w.visible(a.who, m) {
			w.violation(a, "shown %s, which %s may not see: %+v", m, a.who.name(), w.secrets[m])
		}
	}
	if got.more {
		w.violation(a, "answered more than once")
	}
	if n := w.written(); n != w.writes {
		w.writes = n
		w.judgeChanges(a, request)
	}
	return got
}

// judgeChanges judges what is different in the store and the index.
func (w *world) judgeChanges(a *attempt, request string) {
	before := w.now
	w.now = w.take()
	changes := compare(before, w.now)
	for _, c := range changes {
		if !w.permitted(a.who, c, changes) {
			w.violation(a, "%s %+v: %q is %q now", c.kind, c.at, c.before, c.after)
		}
		if c.after != "" {
			w.spread(a, c, request)
		}
	}
}

// decodings is a request as it is, in lower case, and with its escapes undone once and more
// often: what the client said himself is no secret.
func decodings(request string) string {
	all := request
	for strings.Contains(request, "%") {
		next := unescaped(request)
		if next == request {
			break
		}
		request = next
		all += "\n" + request
	}
	return all + "\n" + strings.ToLower(all)
}

// unescaped is s with its escapes undone; what only looks like one stays.
func unescaped(s string) string {
	return escape.ReplaceAllStringFunc(s, func(s string) string {
		b, _ := hex.DecodeString(s[1:])
		return string(b)
	})
}

// escape is an escaped byte.
var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// visible reports whether the marker may be shown to p.
func (w *world) visible(p *person, m string) bool {
	return slices.ContainsFunc(w.secrets[m], func(s sighting) bool {
		return s.need == 's' && p.sees(s.at) || p.may(s.need, s.at)
	})
}

// permitted reports whether p may have made the change.
func (w *world) permitted(p *person, c change, all []change) bool {
	bucket := place{tenant: c.at.tenant, bucket: c.at.bucket}
	switch c.kind {
	case "record", "bucket":
		return p.may('a', bucket)
	case "object":
		if c.after != "" {
			return p.may('w', c.at)
		}
		return p.may('d', c.at)
	}
	gone := slices.ContainsFunc(all, func(d change) bool { return d.kind == "record" && d.at == bucket && d.after == "" })
	return p.may('w', c.at) || gone && p.may('a', bucket) // a bucket takes its unfinished uploads along
}

// spread follows markers to where an attempt has put them. To put a content where one
// may read it takes the right to read it in the first place.
func (w *world) spread(a *attempt, c change, request string) {
	for _, m := range marker.FindAllString(c.at.bucket, -1) {
		w.secrets[m] = append(w.secrets[m], sighting{'s', c.at})
	}
	for _, m := range marker.FindAllString(c.at.key, -1) {
		w.secrets[m] = append(w.secrets[m], sighting{'l', c.at})
	}
	for _, m := range w.found(c) {
		here := sighting{'r', c.at}
		if slices.Contains(w.secrets[m], here) {
			continue
		}
		if w.planted[m] && !strings.Contains(request, m) && !w.visible(a.who, m) {
			w.violation(a, "%s copied to %+v, which %s may not read: %+v", m, c.at, a.who.name(), w.secrets[m])
		}
		w.secrets[m] = append(w.secrets[m], here)
	}
}

// found is the markers in an object, or in the parts of an upload as far as they are
// copies of an object.
func (w *world) found(c change) []string {
	if c.kind == "upload" {
		var list []string
		for _, digest := range quoted.FindAllString(c.after, -1) {
			if m, ok := w.digests[digest]; ok {
				list = append(list, m)
			}
		}
		return list
	}
	if c.kind != "object" || c.at.tenant == "" {
		return nil
	}
	bucket, key := w.physical(c.at)
	out, err := w.store.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	must(w.t, err)
	body, err := io.ReadAll(out.Body)
	must(w.t, err)
	text := fmt.Sprint(string(body), out.Metadata, aws.ToString(out.ContentType), aws.ToString(out.ContentDisposition), aws.ToString(out.WebsiteRedirectLocation))
	return marker.FindAllString(text, -1)
}

// quoted is an ETag.
var quoted = regexp.MustCompile(`"[0-9a-f]{32}"`)
