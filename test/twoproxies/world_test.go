package twoproxies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/internal/proxyproc"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

func TestMain(m *testing.M) {
	os.Exit(proxyproc.Main(func() int { return s3servers.Main(m) }))
}

// The tenant's one credential, at both proxies.
const accessKey, secretKey = "AKIDTENANT", "the-secret-of/a+tenant"

// patience is how long a test waits for what must come, with much room for a busy machine.
const patience = time.Minute

// proxy is one of the two, and a client of it that repeats nothing.
type proxy struct {
	*s3.Client
	process *proxyproc.Proxy
}

// world is two proxies and what they share.
type world struct {
	a, b     *proxy
	database *mongoserver.Server
	store    s3servers.Server
	physical string // bucket of the store
	config   string // file
}

// Times of the index: how long a change takes to show, and, in addition, how long routes last
// without the database.
type times struct{ freshFor, outage time.Duration }

// newWorld starts the database and two proxies. There are the buckets "plain", without versions, and "versioned", which
// has some; others are for tests to make.
func newWorld(t *testing.T, d times) *world {
	t.Helper()
	w, store := &world{database: mongoserver.Start(t)}, s3servers.VersityGW(t)
	w.store, w.physical = store, store.NewBucket(t)
	w.config = filepath.Join(t.TempDir(), "xronox.yaml")
	text := fmt.Sprintf(`
dbConnections: {primary: {mongoUri: %q}}
spacesConnections:
  store: {endpoint: %q, region: %q, accessKey: %q, secretKey: %q, forcePathStyle: true}
databases: {}
xronoxProxy:
  credentials: [{accessKey: %s, secretKey: %q, tenantId: acme}]
  connections: {store: {capabilities: probe}}
  index: {driver: mongo, dbConnRef: primary, dbName: index, selectionTimeout: 500ms, callTimeout: 2s, freshFor: %v, outage: %v}
  bucketTemplate: {connection: store, bucket: %[10]q, prefix: "made/{tenantId}/{bucket}/"}
  virtualBuckets:
    plain: {mode: flat, connection: store, bucket: %[10]q, prefix: "plain/", tenantId: acme}
    versioned: {mode: flat, connection: store, bucket: %[10]q, prefix: "versioned/", versionsPrefix: "versions-of-versioned/", versioning: enabled, tenantId: acme}
`, w.database.URI(), store.Endpoint, store.Region, store.AccessKey, store.SecretKey, accessKey, secretKey, d.freshFor, d.outage, w.physical)
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.a, w.b = w.start(t, w.config), w.start(t, w.config)
	return w
}

// other makes a configuration that has something else in one place.
func (w *world) other(t *testing.T, old, instead string) (file string) {
	t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil || strings.Count(string(text), old) != 1 {
		t.Fatalf("%q is not once in the configuration: %v", old, err)
	}
	file = filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, instead, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// start starts a proxy.
func (w *world) start(t *testing.T, config string) *proxy {
	t.Helper()
	p := proxyproc.Start(t, proxyproc.Options{Config: config})
	return &proxy{process: p, Client: s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + p.S3), Region: "us-east-1", UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	})}
}

// both are the two proxies by name.
func (w *world) both() map[string]*proxy { return map[string]*proxy{"A": w.a, "B": w.b} }

// create makes a bucket.
func (p *proxy) create(t *testing.T, bucket string) {
	t.Helper()
	if _, err := p.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
}

// put stores an object and returns its version.
func (p *proxy) put(ctx context.Context, bucket, key, body string) (string, error) {
	out, err := p.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionId), nil
}

// mustPut is put that succeeds.
func (p *proxy) mustPut(t *testing.T, bucket, key, body string) string {
	t.Helper()
	id, err := p.put(t.Context(), bucket, key, body)
	if err != nil {
		t.Fatalf("%s/%s: %v", bucket, key, err)
	}
	return id
}

// get returns the body of an object, or of one of its versions.
func (p *proxy) get(ctx context.Context, bucket, key, version string) (string, error) {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := p.GetObject(ctx, in)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(out.Body)
	return string(body), errors.Join(err, out.Body.Close())
}

// has holds the body of an object, or of one of its versions.
func (p *proxy) has(t *testing.T, bucket, key, version, want string) {
	t.Helper()
	if got, err := p.get(t.Context(), bucket, key, version); err != nil || got != want {
		t.Errorf("%s/%s, version %q: %q, %v; want %q", bucket, key, version, got, err, want)
	}
}

// setVersioning sets a bucket's state.
func (p *proxy) setVersioning(t *testing.T, bucket string, status types.BucketVersioningStatus) {
	t.Helper()
	if _, err := p.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	}); err != nil {
		t.Fatal(err)
	}
}

// version is one in a listing.
type version struct {
	Key, ID string
	Marker  bool
	Latest  bool
}

// versions lists all versions of a bucket, in pages of a size.
func (p *proxy) versions(t *testing.T, bucket string, page int32) []version {
	t.Helper()
	var all []version
	pages := s3.NewListObjectVersionsPaginator(p, &s3.ListObjectVersionsInput{Bucket: &bucket, MaxKeys: &page})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// The SDK tells versions from markers and forgets how they stood to each other; tests with
		// markers list them apart.
		for _, v := range out.Versions {
			all = append(all, version{*v.Key, *v.VersionId, false, *v.IsLatest})
		}
		for _, m := range out.DeleteMarkers {
			all = append(all, version{*m.Key, *m.VersionId, true, *m.IsLatest})
		}
	}
	return all
}

// code is the S3 code of an error; empty of none.
func code(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// comeBack reports whether a client was told to come back later, and when.
func comeBack(err error) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusServiceUnavailable && answer.Response.Header.Get("Retry-After") != ""
}

// eventually repeats a call until it does what is wanted.
func eventually(t *testing.T, what string, done func() error) {
	t.Helper()
	proxyproc.Eventually(t, patience, what, done)
}

// readyz is what the admin listener of a proxy says.
func (p *proxy) readyz(t *testing.T) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.process.Admin+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
