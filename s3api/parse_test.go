package s3api

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestUnescape compares with net/url, whose rules for paths and queries are ours.
func TestUnescape(t *testing.T) {
	f := func(s string) {
		t.Helper()
		got, ok := unescape(s, false)
		want, err := url.PathUnescape(s)
		if ok != (err == nil) || (ok && got != want) {
			t.Errorf("path %q: %q, %v; want %q, %v", s, got, ok, want, err)
		}
		got, ok = unescape(s, true)
		want, err = url.QueryUnescape(s)
		if ok != (err == nil) || (ok && got != want) {
			t.Errorf("query %q: %q, %v; want %q, %v", s, got, ok, want, err)
		}
	}
	for _, s := range []string{"", "a", "a+b", "%41%2f", "%2F%zz", "%", "%4", "100%25", "ü%C3%BC", "%00"} {
		f(s)
	}
}

func TestSplitTarget(t *testing.T) {
	f := func(target, wantPath, wantQuery string) {
		t.Helper()
		if path, query := splitTarget(target); path != wantPath || query != wantQuery {
			t.Errorf("%q: %q, %q", target, path, query)
		}
	}
	f("/", "/", "")
	f("/b/k?x=1", "/b/k", "x=1")
	f("//b//k/../?", "//b//k/../", "")
	f("http://host/b?q", "/b", "q")
	f("http://host?q", "/", "q")
	f("http://host", "/", "")
}

// TestTrap10RawTarget: path and query are taken as they stood on the wire.
func TestTrap10RawTarget(t *testing.T) {
	f := func(target, bucket, key string) {
		t.Helper()
		c, err := parseRequest("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if err != nil || c.bucket != bucket || c.key != key {
			t.Errorf("%s: bucket %q key %q, %v", target, c.bucket, c.key, err)
		}
	}
	f("/b/a//b", "b", "a//b")
	f("/b//a", "b", "/a")
	f("/b/./../c", "b", "./../c")
	f("/b/a%2Fb", "b", "a/b")
	f("/b/a+b%20c", "b", "a+b c")
	f("/b/%C3%BC", "b", "ü")
	f("/b/k%3Fversions", "b", "k?versions")
	f("/b/", "b", "")
}

// TestAboveRoot has the examples of the documentation, and keys that only look like them.
func TestAboveRoot(t *testing.T) {
	f := func(want bool, keys ...string) {
		t.Helper()
		for _, key := range keys {
			if aboveRoot(key) != want {
				t.Errorf("%q: %v", key, !want)
			}
		}
	}
	f(false, "k", ".", "./k", "/", "//", "..k", "k..", "...", "a/..", "a/../b", "videos/2014/../../video1.wmv", "a/b/../../c/../d")
	f(true, "..", "../", "../k", "./..", "/..", "//..", "videos/../../video1.wmv", "a/../../b/c/d")
}

// parseRequest runs the parser on a request as it stands on the wire.
func parseRequest(raw string) (*call, error) {
	var fc fasthttp.RequestCtx
	if err := fc.Request.Header.Read(newReader(raw)); err != nil {
		return &call{}, err
	}
	c := &call{fc: &fc}
	return c, c.parse(router.Domains{"s3.example.com"})
}

func TestParseRefuses(t *testing.T) {
	f := func(head string, want s3err.Code) {
		t.Helper()
		if _, err := parseRequest(head + "\r\n\r\n"); !s3err.Is(err, want) {
			t.Errorf("%q: %v, want %s", head, err, want)
		}
	}
	f("GET /b/%zz HTTP/1.1\r\nHost: h", s3err.InvalidURI)
	f("GET /b/%ff HTTP/1.1\r\nHost: h", s3err.InvalidURI)
	f("GET /b?prefix=%ff HTTP/1.1\r\nHost: h", s3err.InvalidURI)
	f("GET /b/"+strings.Repeat("k", 1025)+" HTTP/1.1\r\nHost: h", s3err.KeyTooLong)
	f("GET /b/k HTTP/1.1\r\nHost: h\r\nx-amz-date: 1\r\nX-Amz-Date: 2", s3err.InvalidArgument)
}

// FuzzParse: whatever arrives is refused or becomes valid names; nothing panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte("GET /b/k?x=1&y HTTP/1.1\r\nHost: b.s3.example.com\r\nX-Amz-Meta-A: 1\r\n\r\n"))
	f.Add([]byte("PUT http://h/%zz HTTP/1.1\r\nHost:\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseRequest(string(bytes.ToValidUTF8(raw, []byte("?"))))
		if err != nil {
			return
		}
		if !utf8.ValidString(c.key) || len(c.key) > maxKeyBytes || !utf8.ValidString(c.bucket) {
			t.Errorf("accepted bucket %q, key %q", c.bucket, c.key)
		}
		_, _ = ops.match(c)
	})
}

// FuzzXML: documents of clients are decoded or refused; nothing panics.
func FuzzXML(f *testing.F) {
	f.Add([]byte("<Delete><Object><Key>a</Key></Object></Delete>"))
	f.Add([]byte("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"))
	f.Add([]byte("<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><MaxAgeSeconds>1</MaxAgeSeconds></CORSRule></CORSConfiguration>"))
	f.Add([]byte("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"))
	f.Add([]byte("<VersioningConfiguration><MfaDelete>Disabled</MfaDelete><Status>Enabled</Status></VersioningConfiguration>"))
	f.Add([]byte("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"))
	f.Add([]byte("<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-12-01T00:00:00Z</RetainUntilDate></Retention>"))
	f.Add([]byte("<LegalHold><Status>ON</Status></LegalHold>"))
	f.Add([]byte("<RestoreRequest><Days>1</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>"))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><Delete>&a;</Delete>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var req deleteRequest
		if err := deleteDocument.decode(bytes.NewReader(data), req.read); err != nil && !s3err.Is(err, s3err.MalformedXML) {
			t.Errorf("%v", err)
		} else if err == nil && (len(req.objects) == 0 || len(req.objects) > maxKeys) {
			t.Errorf("%d objects", len(req.objects))
		}
		var parts completedParts
		err := completeDocument.decode(bytes.NewReader(data), parts.read)
		if err != nil && !s3err.Is(err, s3err.MalformedXML) && !s3err.Is(err, s3err.InvalidArgument) {
			t.Errorf("%v", err)
		}
		tags := tagSet{max: maxTags, tooMany: "Object tags"}
		err = taggingDocument.decode(bytes.NewReader(data), tags.read)
		if err == nil && len(tags.tags) > maxTags || err != nil && s3err.From(err).Status != http.StatusBadRequest {
			t.Errorf("%d tags, %v", len(tags.tags), err)
		}
		var rules corsRules
		err = corsDocument.decode(bytes.NewReader(data), rules.read)
		if err == nil && (len(rules) == 0 || len(rules) > maxCORSRules) || err != nil && s3err.From(err).Status != http.StatusBadRequest {
			t.Errorf("%d rules, %v", len(rules), err)
		}
		var rule encryptionRule
		if err = encryptionDocument.decode(bytes.NewReader(data), rule.read); err == nil && rule.Algorithm == "" {
			t.Errorf("%+v", rule)
		}
		var v versioningConfiguration
		err = versioningDocument.decode(bytes.NewReader(data), v.read)
		if err == nil && v.status != router.Enabled && v.status != router.Suspended {
			t.Errorf("status %q", v.status)
		}
		checkLockDocuments(t, data)
		var r restoreRequest
		err = restoreDocument.decode(bytes.NewReader(data), r.read)
		if err == nil && r.Days != nil && *r.Days < 1 || err != nil && !s3err.Is(err, s3err.MalformedXML) && !s3err.Is(err, s3err.NotImplemented) {
			t.Errorf("%v days, %v", r.Days, err)
		}
	})
}

func TestCopySource(t *testing.T) {
	versioned := func(header, bucket, key, version string) {
		t.Helper()
		src, id, err := parseCopySource(header)
		if id == nil {
			id = new("current")
		}
		if (bucket == "") != (err != nil) || src.Bucket != bucket || src.Key != key || err == nil && *id != version {
			t.Errorf("%q: %+v, %q, %v", header, src, *id, err)
		}
	}
	f := func(header, bucket, key string) {
		t.Helper()
		versioned(header, bucket, key, "current")
	}
	f("b/k", "b", "k")
	f("/b/k", "b", "k")
	f("%2Fb%2Fk", "b", "k")
	f("/b//k", "b", "/k")
	f("/b/a%20b+c", "b", "a b+c")
	versioned("/b/k?versionId=null", "b", "k", "null")
	versioned("/b/k?versionId=x", "b", "k", "x")
	versioned("/b/k?versionId=", "b", "k", "")
	versioned("/b/a?versionId=1?versionId=2", "b", "a?versionId=1", "2")
	f("/b/k%3FversionId=x", "b", "k?versionId=x")
	f("/b/", "", "")
	f("/b", "", "")
	f("", "", "")
	f("/b/%ff", "", "")
	f("arn:aws:s3:region:1:accesspoint/a/object/k", "", "")
}

// checkLockDocuments: what is read of locks is something that S3 takes, or nothing.
func checkLockDocuments(t *testing.T, data []byte) {
	t.Helper()
	var l lockConfiguration
	err := lockDocument.decode(bytes.NewReader(data), l.read)
	days, years := l.lock.Days > 0 && l.lock.Days <= maxRetentionDays, l.lock.Years > 0 && l.lock.Years <= maxRetentionYears
	switch {
	case err != nil && s3err.From(err).Status != http.StatusBadRequest:
		t.Errorf("%v", err)
	case err == nil && l.lock != (router.ObjectLock{}) && (l.lock.Mode == "" || days == years):
		t.Errorf("%+v", l.lock)
	}
	var r retention
	err = retentionDocument.decode(bytes.NewReader(data), r.read)
	if err == nil && (r.mode == "") != (r.untilText == "") {
		t.Errorf("%+v", r)
	}
	var h legalHold
	err = legalHoldDocument.decode(bytes.NewReader(data), h.read)
	if err == nil && h.status != types.ObjectLockLegalHoldStatusOn && h.status != types.ObjectLockLegalHoldStatusOff {
		t.Errorf("status %q", h.status)
	}
}
