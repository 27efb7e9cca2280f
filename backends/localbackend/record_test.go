package localbackend

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
)

// fullObject has all fields set.
func fullObject() object {
	return object{
		ObjectMeta: backends.ObjectMeta{
			Headers: backends.Headers{
				CacheControl:            "no-cache",
				ContentDisposition:      "attachment",
				ContentEncoding:         "gzip",
				ContentLanguage:         "de",
				ContentType:             "text/plain",
				Expires:                 "Tue, 24 Nov 2026 04:05:06 GMT",
				WebsiteRedirectLocation: "/else",
				Metadata:                map[string]string{"a": "1", "empty": "", "utf": "ä\x00"},
			},
			Size:         1 << 40,
			ETag:         `"d41d8cd98f00b204e9800998ecf8427e"`,
			LastModified: time.UnixMilli(1_800_000_000_123),
			StorageClass: "GLACIER",
			Checksum:     backends.Checksum{Algorithm: "CRC32", Type: "FULL_OBJECT", Value: "AAAAAA==", Default: true},
			UploadID:     "0123",
			Renamed:      "token 4567",
			Tags:         []backends.Tag{{Key: "b", Value: "ä&="}, {Key: "a"}},
			Encryption:   backends.Encryption{Algorithm: "aws:kms", KMSKeyID: "key", Context: "e30=", BucketKey: true, Customer: "verifier"},
		},
		body:   []segment{{name: name{1, 15: 2}, size: 1 << 40}, {name: name{3}, size: 7, inline: true}},
		sealed: []byte{1, 2},
	}
}

// compare shows what a row lost.
var compare = cmp.AllowUnexported(object{}, segment{}, part{})

// TestRowsRoundTrip holds that what is encoded is decoded, every field of it.
func TestRowsRoundTrip(t *testing.T) {
	t.Parallel()
	f := func(want object) {
		t.Helper()
		var got object
		if err := got.decode(want.encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Error(diff)
		}
	}
	f(fullObject())
	f(object{ObjectMeta: backends.ObjectMeta{LastModified: time.UnixMilli(2)}})
	f(object{ObjectMeta: backends.ObjectMeta{LastModified: time.UnixMilli(1)}, manifest: name{9}})

	parts := []part{
		{backends.PartInfo{Number: 1, Size: 5, ETag: "e1", Checksum: "c1"}, segment{name: name{1}, size: 5}},
		{backends.PartInfo{Number: 10_000, ETag: "e2", LastModified: time.UnixMilli(77)}, segment{name: name{2}}},
	}
	var got object
	if err := got.decodeManifest(encodeManifest(parts)); err != nil {
		t.Fatal(err)
	}
	parts[0].body.number, parts[1].body.number = 1, 10_000
	want := object{body: []segment{parts[0].body, parts[1].body}}
	want.Parts = []backends.PartInfo{parts[0].PartInfo, parts[1].PartInfo}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownFieldsAreSkipped holds that a newer program's rows can be read.
func TestUnknownFieldsAreSkipped(t *testing.T) {
	t.Parallel()
	want := fullObject()
	var r row = want.encode()
	r.text(200, "from the future")
	var got object
	if err := got.decode(r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Error(diff)
	}
}

// FuzzRows holds that a damaged row is an error, not a panic, and that what
// decodes encodes to something equal.
func FuzzRows(f *testing.F) {
	o := fullObject()
	f.Add(o.encode())
	f.Add(encodeManifest([]part{{backends.PartInfo{Number: 1, ETag: "e"}, segment{name: name{1}, size: 5}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var o object
		_ = o.decodeManifest(bytes.Clone(b))
		var p part
		_ = p.decode(bytes.Clone(b))
		if o.decode(b) != nil {
			return
		}
		var again object
		if err := again.decode(o.encode()); err != nil {
			t.Fatal(err)
		}
		if o.LastModified.IsZero() || o.LastModified.UnixMilli() == 0 || o.manifest != (name{}) {
			return // as no object is
		}
		if diff := cmp.Diff(o, again, compare); diff != "" {
			t.Error(diff)
		}
	})
}
