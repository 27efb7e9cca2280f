package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// seen is what a page could see of an answer, or what it was told when the
// browser refused.
type seen struct {
	Status  int
	Headers map[string]string
	Body    string
	Refused string
}

// visible are the headers that the pages of TestBrowser are shown, besides those
// that every page is.
var visible = []string{"ETag", "x-amz-meta-from"}

// TestBrowser: pages in a browser upload and download with what an application
// signed for them, and are kept from what the bucket's CORS rules do not allow.
func TestBrowser(t *testing.T) {
	t.Parallel()
	c := chromium(t)
	page, stranger := pageServer(t), pageServer(t)
	bucket := newBucket(t, plain, "browser")
	allow(t, bucket, page)
	out, err := c.run(t.Context(), append(c.program, page+"/", stranger+"/", bucket))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Put, Get, Form, FormOfAnotherKey, Missing, Tampered, Method, Header, StrangePut, StrangeGet seen

		Led string
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	checkUploads(t, bucket, got.Put, got.Get, got.Form)
	if !strings.HasPrefix(got.Led, page+"/?bucket="+bucket+"&key=form%2Fby") || !strings.Contains(got.Led, "&etag=%22") {
		t.Errorf("after the form the browser is at %s", got.Led)
	}
	for what, answer := range map[string]struct {
		seen
		status int
		code   string
	}{
		"another key":    {got.FormOfAnotherKey, http.StatusForbidden, "AccessDenied"},
		"a missing key":  {got.Missing, http.StatusNotFound, "NoSuchKey"},
		"a tampered URL": {got.Tampered, http.StatusForbidden, "SignatureDoesNotMatch"},
	} {
		if answer.Status != answer.status || errorCode(answer.Body) != answer.code {
			t.Errorf("%s: the page sees %+v", what, answer.seen)
		}
	}
	for what, answer := range map[string]seen{
		"a method that is not allowed": got.Method, "a header that is not allowed": got.Header,
		"a PUT from another origin": got.StrangePut, "a GET from another origin": got.StrangeGet,
	} {
		if !strings.Contains(answer.Refused, "Failed to fetch") {
			t.Errorf("%s: the page sees %+v", what, answer)
		}
	}
	var keys []string
	for key := range stored(t, plain, bucket, "") {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	same(t, "keys", []string{"form/a b+c é.txt", "form/by hand.txt", "put/a b+c é.txt"}, keys)
}

// chromium is the Chromium of this machine, driven by playwright of .tools/js.
func chromium(t *testing.T) command {
	t.Helper()
	modules, err := filepath.Abs("../../.tools/js/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs("chromium") {
		c := command{program: []string{"node", "js/browser.cjs", program}, env: append(awsEnv(plain), "NODE_PATH="+modules)}
		if version, err := c.run(t.Context(), c.program); err == nil {
			t.Log(strings.TrimSpace(version))
			return c
		}
	}
	lacking(t, "Chromium with playwright-core")
	return command{}
}

// pageServer serves an empty page, and returns its origin.
func pageServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>page</title>")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// allow sets a rule for pages of the origin.
func allow(t *testing.T, bucket, origin string) {
	t.Helper()
	_, err := sdk(plain).PutBucketCors(t.Context(), &s3.PutBucketCorsInput{
		Bucket: &bucket,
		CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{
			AllowedOrigins: []string{origin},
			AllowedMethods: []string{"GET", "PUT", "POST"},
			AllowedHeaders: []string{"content-type", "x-amz-meta-*"},
			ExposeHeaders:  visible,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkUploads checks what the page has uploaded, and what it saw of that.
func checkUploads(t *testing.T, bucket string, put, get, form seen) {
	t.Helper()
	if put.Status != http.StatusOK || get.Status != http.StatusOK || form.Status != http.StatusCreated {
		t.Fatalf("the page sees\nput %+v\nget %+v\nform %+v", put, get, form)
	}
	head, err := sdk(plain).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("put/a b+c é.txt")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stored metadata", map[string]string{"from": "page"}, head.Metadata)
	same(t, "stored type", "text/plain", aws.ToString(head.ContentType))
	same(t, "ETag of the PUT", aws.ToString(head.ETag), put.Headers["etag"])
	same(t, "ETag of the GET", aws.ToString(head.ETag), get.Headers["etag"])
	same(t, "body", "put by a page", get.Body)
	same(t, "metadata", "page", get.Headers["x-amz-meta-from"])
	if id, shown := get.Headers["x-amz-request-id"]; shown {
		t.Errorf("the page sees x-amz-request-id %s, which is not exposed", id)
	}
	if !strings.Contains(form.Body, "<Key>form/a b+c é.txt</Key>") || form.Headers["etag"] == "" {
		t.Errorf("of its form the page sees %+v", form)
	}
	same(t, "file of the form", digest(t, strings.NewReader("a form's file")), storedDigest(t, plain, bucket, "form/a b+c é.txt"))
}
