package dropin

import (
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

// putAll stores objects whose bodies are their keys.
func putAll(t *testing.T, c *s3.Client, bucket string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(key)}); err != nil {
			t.Fatalf("%s/%s: %v", bucket, key, err)
		}
	}
}

// denied fails unless an error has the code.
func denied(t *testing.T, what string, err error, code string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), code) {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// TestSaaSTenants serves the example of tenants as it stands.
func TestSaaSTenants(t *testing.T) {
	a := newAWS(t)
	file, err := filepath.Abs("../../examples/saas-tenants/xronox-proxy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := proxyproc.Start(t, proxyproc.Options{Config: file, Env: append(a.env,
		"ACME_SECRET="+clientSecret, "ACME_READ_SECRET="+clientSecret, "GLOBEX_SECRET="+clientSecret)})
	acme, reader, globex := through(p, "AKIDACME"), through(p, "AKIDACMEREAD"), through(p, "AKIDGLOBEX")
	putAll(t, acme, "uploads", "private/plan", "public/logo.png")
	putAll(t, globex, "uploads", "public/logo.png")
	holds(t, acme, "uploads", "private/plan", "public/logo.png")
	holds(t, globex, "uploads", "public/logo.png")
	holds(t, acme, "runtime-acme", "content/private/plan", "content/public/logo.png")
	holds(t, a.client(), "saas-runtime", "content/acme/private/plan", "content/acme/public/logo.png", "content/globex/public/logo.png")

	_, err = globex.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("runtime-acme")})
	denied(t, "another tenant's bucket", err, "NoSuchBucket")
	_, err = reader.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("uploads"), Key: new("public/logo.png")})
	if err != nil {
		t.Error(err)
	}
	_, err = reader.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("uploads"), Key: new("private/plan")})
	denied(t, "a key that is not granted", err, "AccessDenied")
	_, err = reader.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("uploads"), Key: new("public/x"), Body: strings.NewReader("")})
	denied(t, "a reader who writes", err, "AccessDenied")

	for _, c := range []*s3.Client{acme, globex} {
		if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("own-bucket")}); err != nil {
			t.Fatal(err)
		}
		putAll(t, c, "own-bucket", "k")
	}
	holds(t, a.client(), "saas-buckets", "acme/own-bucket/k", "globex/own-bucket/k")
	list, err := reader.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || len(list.Buckets) != 1 || *list.Buckets[0].Name != "uploads" {
		t.Errorf("the reader sees %+v, %v", list, err)
	}
}

// TestHotCold serves the example of two accounts as it stands: one is a versitygw nearby, the other
// stands for AWS.
func TestHotCold(t *testing.T) {
	far, nearby := newAWS(t), s3servers.VersityGW(t)
	forward(t, "127.0.0.1:9100", strings.TrimPrefix(nearby.Endpoint, "http://"))
	hot := (&aws{server: nearby}).client()
	far.make(t, "app-versions", "app-backups")
	if _, err := hot.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("app")}); err != nil {
		t.Fatal(err)
	}
	const item, photo, dump = "orders/65a1b2c3d4e5f60718293a4b/v0/item.json", "orders/photo/65a1b2c3d4e5f60718293a4b/v0/blob.bin", "__manifests__/orders/2026/11/snapshot-1.json.gz"
	const older = "orders/65a1b2c3d4e5f60718293a4b/v5/item.json"
	putAll(t, hot, "app", "before/the-proxy", older)

	file, err := filepath.Abs("../../examples/hot-cold/xronox-proxy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := proxyproc.Start(t, proxyproc.Options{Config: file, Env: append(far.env,
		"APP_SECRET="+clientSecret, "NEARBY_ACCESS_KEY="+nearby.AccessKey, "NEARBY_SECRET_KEY="+nearby.SecretKey)})
	c := through(p, "AKIDAPP")
	putAll(t, c, "app", item, photo, dump, "plain")
	all := []string{dump, "before/the-proxy", item, older, photo, "plain"}
	slices.Sort(all)
	holds(t, c, "app", all...)
	holds(t, hot, "app", "before/the-proxy", "content/"+photo, "content/plain", older)
	holds(t, far.client(), "app-versions", "versions/"+item)
	holds(t, far.client(), "app-backups", "backups/"+dump)
	if got := far.class("app-backups", "backups/"+dump); got != "GLACIER" {
		t.Errorf("a backup has the storage class %q", got)
	}

	// From one account to the other, through the proxy.
	if _, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: new("app"), Key: new("copy"), CopySource: new("app/" + item)}); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("app"), Key: new("copy")})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(out.Body); err != nil || string(body) != item {
		t.Errorf("the copy is %q, %v", body, err)
	}
	_, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("app"), Key: new(dump)})
	denied(t, "deleting a backup", err, "AccessDenied")
	// Nor is a version replaced or deleted that only the old place has.
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("app"), Key: new(older), Body: strings.NewReader("new")})
	denied(t, "replacing an old version", err, "AccessDenied")
	_, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("app"), Key: new(older)})
	denied(t, "deleting an old version", err, "AccessDenied")
	if _, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("app"), Key: new(older)}); err != nil {
		t.Error(err)
	}
}

// TestMongoIndex serves the example of several proxies as it stands, twice.
func TestMongoIndex(t *testing.T) {
	a, index := newAWS(t), mongoserver.Start(t).URI()
	file, err := filepath.Abs("../../examples/mongo-index/xronox-proxy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var clients [2]*s3.Client
	for i := range clients {
		p := proxyproc.Start(t, proxyproc.Options{Config: file, Env: append(a.env, "APP_SECRET="+clientSecret, "MONGO_URI="+index)})
		clients[i] = through(p, "AKIDAPP")
	}
	const bucket, key = "documents", "reports/2026"
	for _, c := range clients {
		putAll(t, c, bucket, key)
	}
	for i, c := range clients {
		list, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: new(bucket)})
		if err != nil || len(list.Versions) != 2 || *list.Versions[0].Key != key || !*list.Versions[0].IsLatest {
			t.Errorf("proxy %d lists %+v, %v", i, list, err)
		}
	}
	if all := keys(t, a.client(), "app-documents"); !slices.Contains(all, key) || len(all) != 3 {
		t.Errorf("kept are %q, want the object and two versions", all)
	}
	if _, err := clients[0].CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("of-clients")}); err != nil {
		t.Fatal(err)
	}
	putAll(t, clients[1], "of-clients", "k")
	holds(t, clients[0], "of-clients", "k")
	holds(t, a.client(), "app-buckets", "acme/of-clients/k")
}

// forward passes connections to an address on to another.
func forward(t *testing.T, address, to string) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			pipe := func(dst, src net.Conn) {
				_, _ = io.Copy(dst, src)
				_ = dst.Close()
				_ = src.Close()
			}
			all.Go(func() { pipe(out, in) })
			all.Go(func() { pipe(in, out) })
		}
	})
}
