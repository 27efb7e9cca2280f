package tenants

import (
	"context"
	"crypto/md5" // ETags are MD5
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// marker is what secrets are recognised by.
var marker = regexp.MustCompile(`zq[0-9a-v]{12}`)

// sighting is where a marker is to be found, and what it takes to see it there: 'r' for
// content and metadata, 'l' for keys, 's' for a bucket's name.
type sighting struct {
	need byte
	at   place
}

// token is something that the server gave to a client: an UploadId or a
// continuation token.
type token struct {
	at   place // key only for an UploadId
	text string
}

// world is a running server, and two tenants with all they have.
type world struct {
	t      testing.TB
	proxy  *s3test.Proxy
	store  *store
	index  *index
	shared bool   // all buckets are prefixes of one physical bucket
	root   string // what physical names begin with, up to the tenant
	ticks  atomic.Int64
	rng    *rand.Rand
	ops    []operation
	people []*person
	conn   *net.TCPConn
	leak   *leak // of a server that is broken on purpose; else nil

	buckets []place // as they were in the beginning
	objects []place
	uploads []token
	pages   []token // of objects
	lists   []token // of buckets; at has only a tenant

	secrets map[string][]sighting // by marker; none for what is nobody's business, such as physical names
	planted map[string]bool       // markers of contents: nobody knows them who has not read them
	digests map[string]string     // from ETag to the marker in the content
	now     state                 // as of the last attempt
	writes  int64                 // as of then
	ended   map[string]int        // how attempts ended, by status
	broken  []string              // what should not have happened
}

// newWorld starts a server and fills it.
func newWorld(t testing.TB, ops []operation, shared bool, l *leak) *world {
	t.Helper()
	w := &world{
		t: t, shared: shared, index: &index{Index: memindex.New()}, rng: rand.New(rand.NewPCG(1, 1)), ops: ops, leak: l,
		people: append(newPeople(alpha), newPeople(beta)...), secrets: map[string][]sighting{}, planted: map[string]bool{}, digests: map[string]string{}, ended: map[string]int{},
	}
	w.store = &store{Backend: membackend.New(), names: map[string]bool{}}
	w.store.Now = w.clock
	o := s3test.Options{Backend: faultbackend.New(w.store, w.store.seen), Records: w.index, Now: w.clock, People: credentials(w.people), Template: w.template()}
	if l != nil && l.build != nil {
		l.build(w, &o)
	}
	w.proxy = s3test.Start(t, o)
	t.Cleanup(w.hangUp)
	for _, tenant := range []string{alpha, beta} {
		w.settle(tenant)
	}
	for _, tenant := range []string{alpha, beta} {
		w.collect(tenant)
	}
	w.now, w.writes = w.take(), w.written()
	return w
}

// clock is the server's and the store's: no two readings are the same, to the second as
// listings show it.
func (w *world) clock() time.Time {
	return s3test.Instant().Add(time.Duration(w.ticks.Add(1)) * time.Second)
}

// mark is a new marker.
func (w *world) mark() string {
	const digits = "0123456789abcdefghijklmnopqrstuv"
	b := []byte("zq")
	for range 12 {
		b = append(b, digits[w.rng.IntN(len(digits))])
	}
	return string(b)
}

// template puts markers into all physical names.
func (w *world) template() router.Template {
	if !w.shared {
		w.root = w.mark() + "/"
		return router.Template{Backend: "store", Bucket: w.root + "{tenantId}/{bucket}"}
	}
	physical, prefix := w.mark(), w.mark()
	w.root = physical + "/" + prefix + "/"
	_, err := w.store.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &physical})
	must(w.t, err)
	return router.Template{Backend: "store", Bucket: physical, Prefix: prefix + "/{tenantId}/{bucket}/"}
}

// settle gives a tenant its buckets, and what is in them.
func (w *world) settle(tenant string) {
	m := w.mark()
	own := "own-" + m
	w.secrets[m] = []sighting{{'s', place{tenant: tenant, bucket: own}}}
	for _, bucket := range []string{"vault", "open-data", own} {
		at := place{tenant: tenant, bucket: bucket}
		w.buckets = append(w.buckets, at)
		a := w.request(w.someone(tenant, "root"), "PUT", "/"+bucket)
		if got := w.send(a); got.status != 200 {
			w.t.Fatalf("making %v: %d %s", at, got.status, got.body)
		}
		for _, key := range []string{
			"same", "secret-#", granted + "in-#", "granted2/out-#", "grante-#", "granted%2Fout-#", "granted%252Fout-#", "Granted/out-#",
			"../up-#", "/root-#", "a/b/c-#", "vault/secret-#", alpha + "/vault/secret-#", granted + "../out-#", "z?versionId=#",
		} {
			at.key = w.named(at, key)
			w.plant(at)
		}
		for _, key := range []string{"upload", "upload-#", granted + "upload-#"} {
			at.key = w.named(at, key)
			w.begin(at)
		}
	}
}

// named is the key with a marker in place of the "#".
func (w *world) named(at place, key string) string {
	if !strings.Contains(key, "#") {
		return key
	}
	m := w.mark()
	at.key = strings.Replace(key, "#", m, 1)
	w.secrets[m] = []sighting{{'l', at}}
	return at.key
}

// content is a new marker for what is at the place.
func (w *world) content(at place) string {
	m := w.mark()
	w.secrets[m], w.planted[m] = []sighting{{'r', at}}, true
	return m
}

// plant puts an object into the store, past the proxy.
func (w *world) plant(at place) {
	m := w.content(at)
	bucket, key := w.physical(at)
	body := "body " + m
	_, err := w.store.PutObject(context.Background(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
		ContentType: aws.String("text/" + m), Metadata: map[string]string{"m": m}, ContentDisposition: aws.String(m),
	})
	must(w.t, err)
	w.objects = append(w.objects, at)
	w.digests[etag(body)] = m
}

// begin begins an upload in the store, past the proxy, and gives it a part.
func (w *world) begin(at place) {
	m := w.content(at)
	bucket, key := w.physical(at)
	up, err := w.store.CreateMultipartUpload(context.Background(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key, Metadata: map[string]string{"m": m}})
	must(w.t, err)
	body := "part " + m
	_, err = w.store.UploadPart(context.Background(), &s3.UploadPartInput{
		Bucket: &bucket, Key: &key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
	})
	must(w.t, err)
	w.digests[etag(body)] = m
}

// etag is the ETag of a body, in quotes.
func etag(body string) string {
	sum := md5.Sum([]byte(body))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// Elements of listings.
var (
	uploadElement = regexp.MustCompile(`<Upload><Key>([^<]*)</Key><UploadId>([^<]*)</UploadId>`)
	tokenElement  = regexp.MustCompile(`<(?:Next)?ContinuationToken>([^<]*)</`)
)

// collect takes down the UploadIds and continuation tokens that the server gives to the
// tenant's root: what attackers are to have got hold of.
func (w *world) collect(tenant string) {
	root := w.someone(tenant, "root")
	ask := func(target string) string { return w.send(w.request(root, "GET", target)).body }
	for _, b := range w.buckets {
		if b.tenant != tenant {
			continue
		}
		for _, m := range uploadElement.FindAllStringSubmatch(ask("/"+b.bucket+"?uploads"), -1) {
			w.uploads = append(w.uploads, token{place{tenant, b.bucket, m[1]}, m[2]})
		}
		for _, m := range tokenElement.FindAllStringSubmatch(ask("/"+b.bucket+"?list-type=2&max-keys=3"), -1) {
			w.pages = append(w.pages, token{b, m[1]})
		}
	}
	for _, m := range tokenElement.FindAllStringSubmatch(ask("/?max-buckets=1"), -1) {
		w.lists = append(w.lists, token{place{tenant: tenant}, m[1]})
	}
	if n := len(w.lists); w.leak == nil && (n == 0 || len(w.uploads) != 9*n || len(w.pages) != 3*n) {
		w.t.Fatalf("%s: %d uploads, %d and %d tokens", tenant, len(w.uploads), len(w.pages), n)
	}
}

// someone is the person of that name.
func (w *world) someone(tenant, name string) *person {
	i := slices.IndexFunc(w.people, func(p *person) bool { return p.TenantID == tenant && p.UserID == name })
	return w.people[i]
}

// violation notes what should not have happened.
func (w *world) violation(a *attempt, format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...)+"\n\t"+a.String())
}
