package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// TestOldPlacesAreApart: two views of one database that are read through to different
// buckets do not hide each other's old objects.
func TestOldPlacesAreApart(t *testing.T) {
	store := membackend.New()
	for _, bucket := range []string{"new", "old1", "old2"} {
		if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		if bucket == "new" {
			continue
		}
		if _, err := store.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &bucket, Key: new("shared"), Body: strings.NewReader(""), ContentLength: new(int64(0)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		}); err != nil {
			t.Fatal(err)
		}
	}
	sealer, err := token.New(token.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	c := &composer{stores: stores{"s": store}, sealer: sealer, index: memindex.New()}
	view := func(old string) backends.Backend {
		return c.compose(&router.BucketRecord{BucketID: "id", Mounts: []router.Mount{
			{ID: "content", Backend: "s", Bucket: "new"}, {ID: "old", Backend: "s", Bucket: old, Old: true},
		}}, &router.Route{})
	}
	has := func(b backends.Backend) bool {
		_, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("v"), Key: new("shared")})
		return err == nil
	}
	one, two := view("old1"), view("old2")
	if _, err := one.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("v"), Key: new("shared")}); err != nil {
		t.Fatal(err)
	}
	if has(one) || !has(two) || has(view("old1")) {
		t.Errorf("after a deletion in one: it has it %v, the other %v", has(one), has(two))
	}
}

// TestExplainHost: the page of explanations answers to addresses only, since a name can be made
// to lead here by whoever wrote a page in the operator's browser.
func TestExplainHost(t *testing.T) {
	f := func(host string, want int) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/explain?bucket=b&key=k&as=NOBODY", nil)
		r.Host = host
		w := httptest.NewRecorder()
		ids, err := router.NewIdentities(nil)
		if err != nil {
			t.Fatal(err)
		}
		(&explainer{ids: ids}).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
	f("127.0.0.1:9001", http.StatusNotFound) // there is no NOBODY
	f("[::1]:9001", http.StatusNotFound)
	f("localhost", http.StatusNotFound)
	f("evil.example.com", http.StatusForbidden)
	f("127.0.0.1.example.com:9001", http.StatusForbidden)
}
