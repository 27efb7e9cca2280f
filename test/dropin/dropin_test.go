package dropin

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
)

// example is the path of an example's configuration.
func example(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("../../examples/" + name + "/xronox.config.json")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// clientSecret is the secret of the applications.
const clientSecret = "the-secret-of/an+application"

// through is a client of the proxy.
func through(p *proxyproc.Proxy, accessKey string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: new("http://" + p.S3), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, clientSecret, ""),
	})
}

// TestMultiBucket serves CR-001's multi-bucket configuration as it stands: what is put under the
// two virtual buckets lands where CR-001 draws it, and lists as one bucket.
func TestMultiBucket(t *testing.T) {
	a := newAWS(t)
	a.make(t, "xronox-records", "xronox-versions", "xronox-content", "xronox-backups", "xronox-logs", "xronox-logs-content")
	p := proxyproc.Start(t, proxyproc.Options{
		Config: example(t, "multi-bucket"), Env: append(a.env, "XRONOX_CLIENT_SECRET="+clientSecret),
	})
	c := through(p, "AKIDMULTIBUCKET")
	tree := []string{
		"backups/orders/2026-11-01/snapshot.json",
		"content/orders/42/photo/blob.bin",
		"records/orders/42/head.json",
		"records/orders/43/head.json",
		"versions/orders/42/v0.json",
		"versions/orders/42/v1.json",
	}
	for _, key := range tree {
		if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("knowledge"), Key: &key, Body: strings.NewReader(key)}); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("logs"), Key: new("records/activity/20261101T000000Z/log.json"), Body: strings.NewReader("{}")}); err != nil {
		t.Fatal(err)
	}
	holds(t, c, "knowledge", tree...)
	direct := a.client()
	holds(t, direct, "xronox-records", tree[2:4]...)
	holds(t, direct, "xronox-versions", tree[4:]...)
	holds(t, direct, "xronox-content", tree[1])
	holds(t, direct, "xronox-backups", tree[0])
	holds(t, direct, "xronox-logs", "records/activity/20261101T000000Z/log.json")
	holds(t, direct, "xronox-logs-content")
	head, err := direct.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("xronox-records"), Key: &tree[2]})
	if err != nil || *head.ContentLength != int64(len(tree[2])) {
		t.Errorf("%+v, %v", head, err)
	}
	for at, want := range map[string]string{
		"xronox-records/" + tree[2]: "", "xronox-versions/" + tree[4]: "INTELLIGENT_TIERING", "xronox-backups/" + tree[0]: "GLACIER",
	} {
		bucket, key, _ := strings.Cut(at, "/")
		if got := a.class(bucket, key); got != want {
			t.Errorf("%s was put with the storage class %q, want %q", at, got, want)
		}
	}
	// A version is neither replaced nor deleted.
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("knowledge"), Key: &tree[4], Body: strings.NewReader("another")})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("replacing a version: %v", err)
	}
	page, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("knowledge"), Delimiter: new("/")})
	if err != nil || len(page.CommonPrefixes) != 4 || len(page.Contents) != 0 {
		t.Errorf("the root of a typed bucket: %+v, %v", page, err)
	}
}

// TestLegacy serves CR-001's legacy configuration as it stands, with an application that was there
// before the proxy: everything keeps its name, and what is new is kept by type.
func TestLegacy(t *testing.T) {
	a := newAWS(t)
	a.make(t, "xronox-data")
	const before, after = 2, 4
	app(t, a.server.Endpoint, "write", 0, before)(
		"AWS_ACCESS_KEY_ID="+a.server.AccessKey, "AWS_SECRET_ACCESS_KEY="+a.server.SecretKey, "PATH_STYLE=true")
	direct := a.client()
	old := keys(t, direct, "xronox-data")

	p := proxyproc.Start(t, proxyproc.Options{
		Config: example(t, "legacy"), Env: append(a.env, "XRONOX_CLIENT_SECRET="+clientSecret),
	})
	_, port, _ := strings.Cut(p.S3, ":")
	identity := []string{"AWS_ACCESS_KEY_ID=AKIDLEGACY", "AWS_SECRET_ACCESS_KEY=" + clientSecret}
	hosted := "http://s3.localhost:" + port
	app(t, hosted, "check", before)(identity...)
	app(t, hosted, "write", before, after)(identity...)
	app(t, hosted, "check", after)(identity...)
	app(t, "http://"+p.S3, "check", after)(append(identity, "PATH_STYLE=true")...)

	var byType [3][]string
	for _, key := range keys(t, direct, "xronox-data") {
		switch {
		case strings.HasPrefix(key, "content/docs/file.data/"):
			byType[0] = append(byType[0], key)
		case strings.HasPrefix(key, "versions/docs/"):
			byType[1] = append(byType[1], key)
		default:
			byType[2] = append(byType[2], key)
		}
	}
	if len(byType[0]) != 2*2*(after-before) || len(byType[1]) != 2*(after-before) || !slices.Equal(byType[2], old) {
		t.Errorf("content %q\nversions %q\nold %q", byType[0], byType[1], byType[2])
	}

	// What is deleted is gone, although the old object is not touched.
	c := through(p, "AKIDLEGACY")
	gone := old[0]
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("xronox-data"), Key: &gone}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("xronox-data"), Key: &gone}); err == nil {
		t.Error("a deleted object is read through")
	}
	if slices.Contains(keys(t, c, "xronox-data"), gone) || !slices.Contains(keys(t, direct, "xronox-data"), gone) {
		t.Error("a deleted object is listed, or the old one was removed")
	}
	// An old object is replaced in the new place.
	second := old[1]
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("xronox-data"), Key: &second, Body: strings.NewReader("new")}); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("xronox-data"), Key: &second})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(out.Body); err != nil || string(body) != "new" {
		t.Errorf("%q, %v", body, err)
	}
}

// app prepares a run of the application against an endpoint; the function that it returns runs it.
func app(t *testing.T, endpoint, verb string, numbers ...int) func(env ...string) {
	t.Helper()
	modules, err := filepath.Abs("../../.tools/js/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(modules); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v; scripts/install-clients installs it", err)
		}
		t.Skipf("%v; scripts/install-clients installs it", err)
	}
	args := []string{"app.cjs", verb}
	for _, n := range numbers {
		args = append(args, strconv.Itoa(n))
	}
	return func(env ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), "node", args...)
		command.Env = append([]string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NODE_PATH=" + modules,
			"AWS_REGION=us-east-1", "ENDPOINT=" + endpoint, "BUCKET=xronox-data",
		}, env...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s against %s: %v\n%s", strings.Join(args, " "), endpoint, err, out)
		}
	}
}
