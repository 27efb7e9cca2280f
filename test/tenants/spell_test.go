package tenants

import (
	"strings"

	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/sigv4"
)

// spelled is a place as an attacker writes it.
type spelled struct {
	bucket, key string // for a path, escaped
	plain       bool   // as anybody would write it
}

// spell writes a place in one of the ways that could be taken for it, or for another.
func (w *world) spell(c *choices, at place) spelled {
	s := spelled{bucket: at.bucket, key: escaped(at.key), plain: true}
	if c.oneIn(3) {
		s.key, s.plain = w.spellKey(c, at), false
	}
	if c.oneIn(4) {
		s.bucket, s.plain = w.spellBucket(c, at), false
	}
	return s
}

// spellKey is a key in odd spellings.
func (w *world) spellKey(c *choices, at place) string {
	key := escaped(at.key)
	return pick(c,
		strings.ReplaceAll(key, "/", "%2F"),
		escapeAll(at.key),
		strings.ReplaceAll(key, "%", "%25"),
		escaped(escapeAll(at.key)), // every byte, twice
		at.key,                     // not escaped at all
		"/"+key, "./"+key, "../"+key, "..%2f"+key, "%2e%2e/"+key, "%2e%2e%2f"+key, "..\\"+key, "%c0%ae%c0%ae/"+key,
		"../"+at.bucket+"/"+key,
		"../../"+at.tenant+"/"+at.bucket+"/"+key,
		"..%2f..%2f"+at.tenant+"%2f"+at.bucket+"%2f"+key,
		at.tenant+"/"+at.bucket+"/"+key,
		escaped(w.root)+at.tenant+"/"+at.bucket+"/"+key,
		granted+"../"+key, granted+"%2e%2e/"+key, granted+"/../"+key, "granted%2F"+key, "granted%252F"+key, "granted", "granted2/",
		key+"%00", "%00"+key, key+"/", key+"/..", key+"?", key+"%3Fx", key+"%20", key+"%ff", key+";x",
		strings.ToUpper(key), key[:len(key)/2], strings.ReplaceAll(key, "/", "//"),
	)
}

// spellBucket is a bucket in odd spellings.
func (w *world) spellBucket(c *choices, at place) string {
	b := at.bucket
	return pick(c,
		escapeAll(b), strings.ToUpper(b), b+".", b+"%00", "%00"+b, b+"%20", b+"/", b+"%2F", "."+b, "./"+b, "%2e/"+b, "/"+b, "", ".", "..", "%2e%2e",
		at.tenant+"/"+b, at.tenant+"%2F"+b, at.tenant+"%252F"+b, at.tenant+"."+b, at.tenant+"-"+b, "../"+at.tenant+"/"+b, "..%2F"+at.tenant+"%2F"+b,
		escaped(w.root)+at.tenant+"/"+b, strings.ReplaceAll(w.root, "/", "%2F")+at.tenant+"%2F"+b, strings.ReplaceAll(w.root, "/", ""),
		b+"%3F", b+"%23", b+"*", "*", b[:len(b)-1], b+"\x00", s3test.Bucket, "nobody-has-this",
	)
}

// address puts a place into host and path.
func (w *world) address(c *choices, a *attempt, s spelled) {
	a.path = "/" + s.bucket + "/" + s.key
	if !a.op.onObject() {
		a.path = strings.TrimSuffix(a.path, s.key)
		if c.oneIn(2) {
			a.path = strings.TrimSuffix(a.path, "/")
		}
	}
	if a.op.scope == "onService" {
		a.path = "/"
		return
	}
	if !c.oneIn(4) {
		return
	}
	path := "/" + s.key
	if !a.op.onObject() {
		path = "/"
	}
	hosted := s.bucket + "." + s3test.Domain
	switch c.n(9) {
	case 0, 1, 2:
		a.host, a.path = hosted, path
	case 3:
		a.host = hosted // and the bucket in the path as well
	case 4:
		a.host, a.path = strings.ToUpper(hosted), path
	case 5:
		a.host, a.path = hosted+pick(c, ".", ":9000", ".:80", "@"+s3test.Domain, "."+s3test.Domain), path
	case 6:
		a.absolute = "http://" + hosted // against the Host header
	case 7:
		a.late = append(a.late, sigv4.Header{Name: pick(c, "X-Forwarded-Host", "X-Original-Url", "Forwarded", "X-Host"), Value: hosted})
	case 8:
		a.host, a.path = pick(c, alpha, beta)+"."+hosted, path
	}
}

// copySource is a header that names the place, in one of its spellings.
func (w *world) copySource(c *choices, at place) string {
	s := w.spell(c, at)
	b, k := s.bucket, s.key
	if c.oneIn(2) {
		return pick(c, b+"/"+k, "/"+b+"/"+k) // these are right
	}
	return pick(c,
		b+"%2F"+k, "%2F"+b+"%2F"+k, escapeAll("/"+at.bucket+"/"+at.key), "//"+b+"/"+k, b+"//"+k, "./"+b+"/"+k, "../"+b+"/"+k,
		at.tenant+"/"+b+"/"+k, "/"+at.tenant+"/"+b+"/"+k, "../"+at.tenant+"/"+b+"/"+k, at.tenant+"%2F"+b+"/"+k, escaped(w.root)+at.tenant+"/"+b+"/"+k,
		b+"/"+k+"?versionId=null", b+"/"+k+"?versionId="+w.anyToken(c), b+"/"+k+"%3FversionId=null", b+"/"+k+"?versionId=null?versionId=null",
		"arn:aws:s3:us-east-1:123456789012:accesspoint/"+b+"/object/"+k, "arn%3Aaws:s3:::"+b+"/"+k, "arn:aws:s3:::"+b+"/"+k,
		"open-data/../"+b+"/"+k, "open-data/%2e%2e/"+b+"/"+k, "open-data/..%2F"+b+"%2F"+k,
		"http://"+s3test.Domain+"/"+b+"/"+k, "s3://"+b+"/"+k, b+"."+s3test.Domain+"/"+k, b, "/"+b+"/", "", b+"/"+k+"\x00",
	)
}
