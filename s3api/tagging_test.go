package s3api

import (
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestTagSet: what S3 takes for tags.
func TestTagSet(t *testing.T) {
	t.Parallel()
	f := func(text string, n int, code s3err.Code) {
		t.Helper()
		tags := tagSet{max: maxTags, tooMany: "Object tags"}
		err := taggingDocument.decode(strings.NewReader(text), tags.read)
		if code == "" && (err != nil || len(tags.tags) != n) || code != "" && !s3err.Is(err, code) {
			t.Errorf("%.200q: %d tags, %v", text, len(tags.tags), err)
		}
	}
	tag := func(key, value string) string {
		return "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
	}
	set := func(s string) string { return "<Tagging><TagSet>" + s + "</TagSet></Tagging>" }
	f(set(""), 0, "")
	f(`<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>`+tag("a", "")+"<New/></TagSet><New/></Tagging>", 1, "")
	f(set(tag("a", "1")+tag("A", "1")), 2, "")
	f(set(tag(" _.:/=+-@09äЖ字", " _.:/=+-@09äЖ字")), 1, "")
	f(set(tag(strings.Repeat("字", maxTagKey), strings.Repeat("字", maxTagValue))), 1, "")
	f(set(tag("aw:", "aws:")), 1, "")

	f(set(tag(strings.Repeat("字", maxTagKey+1), "")), 0, s3err.InvalidTag)
	f(set(tag("a", strings.Repeat("字", maxTagValue+1))), 0, s3err.InvalidTag)
	f("<Tagging><TagSet>"+tag("a", "1")+"</TagSet><TagSet/></Tagging>", 0, s3err.MalformedXML)
	f(set("<Tag><Key>a</Key><Key>b</Key><Value/></Tag>"), 0, s3err.MalformedXML)
	f(set("<Tag><Key>a</Key><Value/><Value/></Tag>"), 0, s3err.MalformedXML)
	f(set(tag("", "")), 0, s3err.InvalidTag)
	f(set(tag("a\n", "")), 0, s3err.InvalidTag)
	f(set(tag("a&amp;b", "")), 0, s3err.InvalidTag)
	f(set(tag("a", "*")), 0, s3err.InvalidTag)
	f(set(tag("AWS:a", "1")), 0, s3err.InvalidTag)
	f(set(tag("a", "1")+tag("a", "1")), 0, s3err.InvalidTag)
	many := ""
	for _, r := range "abcdefghij" {
		many += tag(string(r), "1")
	}
	f(set(many), maxTags, "")
	f(set(many+tag("k", "1")), 0, s3err.BadRequest)
	f("<Tagging/>", 0, s3err.MalformedXML)
	f(set("<Tag/>"), 0, s3err.MalformedXML)
	f(set(tag("a", "1"))+"x", 0, s3err.MalformedXML)
}

// TestVersioningConfiguration: what may be set.
func TestVersioningConfiguration(t *testing.T) {
	t.Parallel()
	f := func(text string, want router.Versioning, code s3err.Code) {
		t.Helper()
		var v versioningConfiguration
		err := versioningDocument.decode(strings.NewReader("<VersioningConfiguration>"+text+"</VersioningConfiguration>"), v.read)
		if code == "" && (err != nil || v.status != want) || code != "" && !s3err.Is(err, code) {
			t.Errorf("%q: %q, %v", text, v.status, err)
		}
	}
	f("<Status>Enabled</Status>", router.Enabled, "")
	f("<MfaDelete>Disabled</MfaDelete><Status>Suspended</Status><New/>", router.Suspended, "")
	f("", "", s3err.IllegalVersioning)
	f("<MfaDelete>Disabled</MfaDelete>", "", s3err.IllegalVersioning)
	f("<Status/>", "", s3err.MalformedXML)
	f("<Status>Off</Status>", "", s3err.MalformedXML)
	f("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", "", s3err.NotImplemented)
	f("<Status>Enabled</Status><MfaDelete/>", "", s3err.MalformedXML)
}
