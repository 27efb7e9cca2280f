package dropin

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/s3servers"
)

// aws is a real S3 server that answers for s3.amazonaws.com to a process with env.
type aws struct {
	server s3servers.Server
	env    []string

	mu      sync.Mutex
	classes map[string]string // storage class by path of what was put; the server has none
}

// takeClass takes from a request what only AWS can do, and signs the rest again.
func (a *aws) takeClass(r *http.Request) {
	class := r.Header.Get("X-Amz-Storage-Class")
	if class == "" {
		return
	}
	a.mu.Lock()
	a.classes[r.Host+r.URL.EscapedPath()] = class
	a.mu.Unlock()
	r.Header.Del("X-Amz-Storage-Class")
	r.Header.Del("Authorization")
	identity := sdk.Credentials{AccessKeyID: a.server.AccessKey, SecretAccessKey: a.server.SecretKey}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(r.Context(), identity, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", a.server.Region, time.Now()); err != nil {
		panic(err)
	}
}

// class is the storage class that the proxy asked for.
func (a *aws) class(bucket, key string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.classes[bucket+".s3.amazonaws.com/"+key]
}

// newAWS starts the server and, in front of it, what makes a process take it for AWS:
// a forward proxy that ends TLS with a certificate which the process trusts.
func newAWS(t *testing.T) *aws {
	t.Helper()
	a := &aws{server: s3servers.MinIO(t), classes: map[string]string{}}
	target, err := url.Parse(a.server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	certificate, ca := selfSigned(t, "s3.amazonaws.com", "*.s3.amazonaws.com")
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
		r.Out.Host = r.In.Host // it is signed
		r.Out.URL.RawQuery = r.In.URL.RawQuery
		a.takeClass(r.Out)
	}, FlushInterval: -1, Transport: &http.Transport{DisableCompression: true}}
	connections := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: forward, ReadHeaderTimeout: time.Minute}
	go func() {
		_ = server.Serve(tls.NewListener(connections, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}))
	}()
	egress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.Host, ":")
		if r.Method != http.MethodConnect || host != "s3.amazonaws.com" && !strings.HasSuffix(host, ".s3.amazonaws.com") {
			http.Error(w, "no way to "+r.Host, http.StatusBadGateway)
			return
		}
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		connections.conns <- &readConn{c, buffered.Reader}
	}))
	t.Cleanup(func() {
		_ = server.Close()
		egress.Close()
	})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	a.env = []string{
		"HTTPS_PROXY=" + egress.URL, "SSL_CERT_FILE=" + file,
		"AWS_ACCESS_KEY_ID=" + a.server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + a.server.SecretKey,
	}
	return a
}

// client speaks to the server directly, past every proxy.
func (a *aws) client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &a.server.Endpoint, Region: a.server.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(a.server.AccessKey, a.server.SecretKey, ""),
	})
}

// make makes physical buckets.
func (a *aws) make(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := a.client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
	}
}

// keys lists a bucket.
func keys(t *testing.T, c *s3.Client, bucket string) []string {
	t.Helper()
	var all []string
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			all = append(all, *o.Key)
		}
	}
	return all
}

// holds compares what a bucket lists.
func holds(t *testing.T, c *s3.Client, bucket string, want ...string) {
	t.Helper()
	if got := keys(t, c, bucket); !slices.Equal(got, want) {
		t.Errorf("bucket %s has\n%s\nwant\n%s", bucket, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// selfSigned makes a certificate for hosts, and what to trust for it.
func selfSigned(t *testing.T, hosts ...string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// pipeListener hands out connections that somebody else has accepted.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// readConn reads first what came with the request that the connection began with.
type readConn struct {
	net.Conn
	reader *bufio.Reader
}

// Read implements net.Conn.
func (c *readConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
