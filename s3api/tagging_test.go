package s3api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestTagSet: what S3 takes for tags.
func TestTagSet(t *testing.T) {
	t.Parallel()
	f := func(text string, n int, code s3err.Code) {
		t.Helper()
		tags, err := documentTags(strings.NewReader(text))
		if code == "" && (err != nil || len(tags) != n) || code != "" && !s3err.Is(err, code) {
			t.Errorf("%.200q: %d tags, %v", text, len(tags), err)
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

// TestHeaderTags: what S3 takes for tags in a header.
func TestHeaderTags(t *testing.T) {
	t.Parallel()
	f := func(header string, want []backends.Tag, code s3err.Code) {
		t.Helper()
		got, err := headerTags(header)
		if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
			t.Errorf("%.200q: %v, want %q", header, err, code)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.200q (-want +got):\n%s", header, diff)
		}
	}
	tags := func(pairs ...string) (all []backends.Tag) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, backends.Tag{Key: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	f("", nil, "")
	f("&&", nil, "")
	f("a", tags("a", ""), "")
	f("b=2&a=1&", tags("b", "2", "a", "1"), "")
	f("a=1=2", tags("a", "1=2"), "")
	f("a%20b=c+d%2B%3D", tags("a b", "c d+="), "")
	f("%C3%BC=\u5b57", tags("ü", "字"), "")
	f("aw:=aws:", tags("aw:", "aws:"), "")
	f(strings.Repeat("%E5%AD%97", maxTagKey)+"="+strings.Repeat("%C3%A4", maxTagValue), tags(strings.Repeat("字", maxTagKey), strings.Repeat("ä", maxTagValue)), "")

	f("=", nil, s3err.InvalidArgument)
	f("=1", nil, s3err.InvalidArgument)
	f("a=%", nil, s3err.InvalidArgument)
	f("a%2=1", nil, s3err.InvalidArgument)
	f("a=%FF", nil, s3err.InvalidArgument)
	f("\xff=1", nil, s3err.InvalidArgument)
	f("a=1&a=1", nil, s3err.InvalidArgument)
	f("a=1&%61=2", nil, s3err.InvalidArgument)
	f(strings.Repeat("a", maxTagKey+1)+"=1", nil, s3err.InvalidTag)
	f("a="+strings.Repeat("1", maxTagValue+1), nil, s3err.InvalidTag)
	f("a%26=1", nil, s3err.InvalidTag)
	f("a=%0A", nil, s3err.InvalidTag)
	f("aWs:a=1", nil, s3err.InvalidTag)
	f("a&b&c&d&e&f&g&h&i&j", tags("a", "", "b", "", "c", "", "d", "", "e", "", "f", "", "g", "", "h", "", "i", "", "j", ""), "")
	f("a&b&c&d&e&f&g&h&i&j&k", nil, s3err.BadRequest)
}

// FuzzHeaderTags holds that what is taken is checked, and reads as it is passed on.
func FuzzHeaderTags(f *testing.F) {
	f.Add("a=1&b%20c=%2B&d")
	f.Add("%C3%BC=1&=")
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := headerTags(header)
		if err != nil {
			return
		}
		var encoded string
		if s := backends.EncodeTags(tags); s != nil {
			encoded = *s
		}
		again, err := headerTags(encoded)
		if diff := cmp.Diff(tags, again); diff != "" || err != nil || len(tags) > maxTags {
			t.Errorf("%q becomes %q: %v\n%s", header, encoded, err, diff)
		}
	})
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
