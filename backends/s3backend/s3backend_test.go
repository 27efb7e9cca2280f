package s3backend

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"pgregory.net/rapid"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/internal/s3servers"
)

// TestOptions: what is missing is said with the connection's name, and no secret.
func TestOptions(t *testing.T) {
	t.Parallel()
	f := func(want string, edit func(*Options)) {
		t.Helper()
		o := options(s3servers.Server{Endpoint: "http://localhost", Region: "us-east-1", AccessKey: "AKID", SecretKey: "hush"}, All())
		edit(&o)
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"test"`) || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("region", func(o *Options) { o.Region = "" })
	f("access key", func(o *Options) { o.AccessKey = "" })
	f("secret key", func(o *Options) { o.SecretKey = "" })
	f("endpoint", func(o *Options) { o.Endpoint = "localhost:9000" })
	f("endpoint", func(o *Options) { o.Endpoint = "ftp://localhost" })
	f("endpoint", func(o *Options) { o.Endpoint = "http://" })
}

// TestProfiles: without capabilities the endpoint's host counts.
func TestProfiles(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]Capabilities{"": All(), "https://s3.eu-central-1.amazonaws.com": All(), "http://localhost:1": Cautious()} {
		b := open(t, Options{Name: "c", Endpoint: endpoint, Region: "eu-central-1", AccessKey: "a", SecretKey: "s"})
		if b.Capabilities() != want || b.Name() != "c" {
			t.Errorf("%q: %+v", endpoint, b.Capabilities())
		}
	}
}

// TestEnvironment: nothing that the process has around it gets into a connection.
func TestEnvironment(t *testing.T) {
	proxied := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a proxy of the environment was used") }))
	defer proxied.Close()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "from-environment")
	}
	t.Setenv("HTTP_PROXY", proxied.URL)
	t.Setenv("http_proxy", proxied.URL)
	s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
		signed := r.Header.Get("Authorization")
		if !strings.Contains(signed, "Credential=AKIDSECRET/") || !strings.Contains(signed, "/us-east-1/s3/") ||
			r.Header.Get("X-Amz-Security-Token") != "" {
			t.Errorf("Authorization: %s", signed)
		}
		if strings.Contains(signed, "accept-encoding") { // trap 28
			t.Errorf("Accept-Encoding is signed: %s", signed)
		}
		w.Header().Set("Content-Length", "0")
	})
	if _, err := s.getBody(); err != nil {
		t.Error(err)
	}
}

// TestLocationConstraint: buckets are made in the connection's region, which
// the classic one must not name.
func TestLocationConstraint(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"us-east-1": "", "eu-central-1": "<LocationConstraint>eu-central-1</LocationConstraint>"} {
		var body string
		s := newFaulty(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			data, _ := io.ReadAll(r.Body)
			body = string(data)
		})
		s.region = region
		if _, err := s.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
			t.Errorf("%s: %v", region, err)
		}
		if want == "" && body != "" || !strings.Contains(body, want) {
			t.Errorf("%s: %q", region, body)
		}
	}
}

// TestChunked: the framing is what S3 documents, and its length is known ahead.
func TestChunked(t *testing.T) {
	t.Parallel()
	frame := func(body string, r io.Reader) (string, *chunked) {
		c := newChunked(&held{ctx: t.Context(), r: r, length: int64(len(body))}, int64(len(body)), crc64)
		out, err := io.ReadAll(iotest.HalfReader(c))
		if err != nil {
			t.Fatal(err)
		}
		return string(out), c
	}
	got, _ := frame("hello", strings.NewReader("hello"))
	if want := "5\r\nhello\r\n0\r\nx-amz-checksum-crc64nvme:M3eFcAZSQlc=\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(1, 300), rapid.SampledFrom([]int{chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 3*chunkBytes + 7})).Draw(rt, "n")
		body := strings.Repeat("x", n)
		got, c := frame(body, iotest.DataErrReader(strings.NewReader(body)))
		if int64(len(got)) != c.length() || c.Len() != len(got) {
			rt.Fatalf("%d bytes, and %d were announced", len(got), c.length())
		}
		h := checksum.New(crc64)
		h.Write([]byte(body))
		if !strings.HasSuffix(got, "\r\n0\r\nx-amz-checksum-crc64nvme:"+checksum.Encode(h.Sum(nil))+"\r\n\r\n") {
			rt.Fatalf("it ends in %q", got[max(0, len(got)-60):])
		}
	})
}

// TestChunkedAgain: a framed body of which nothing was read begins again.
func TestChunkedAgain(t *testing.T) {
	t.Parallel()
	c := newChunked(&held{ctx: t.Context(), r: strings.NewReader("hello"), length: 5}, 5, crc64)
	want := "5\r\nhello\r\n"
	if n, err := c.Read(make([]byte, 3)); n != 3 || err != nil { // the frame only
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := c.Seek(0, io.SeekStart); err != nil {
		t.Fatalf("Seek: %v", err)
	}
	if got, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(got), want) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := c.Seek(0, io.SeekStart); err == nil {
		t.Error("a body that was read can be read again")
	}
}

// TestKeys: where keys are paths, those that are none are refused, and none else.
func TestKeys(t *testing.T) {
	t.Parallel()
	f := func(key string, path, xml bool) {
		t.Helper()
		if isPath(key) != path || inXML(key) != xml {
			t.Errorf("%q: path %v, in XML %v", key, isPath(key), inXML(key))
		}
	}
	for _, key := range []string{"a", "a/b", "a/", "...", ".a", "a.", "a b", "ü", "a\tb", "\ufffd", strings.Repeat("s", 255)} {
		f(key, true, true)
	}
	for _, key := range []string{"/", "/a", "a//b", "a//", ".", "..", "a/./b", "../a", "a/..", "./", strings.Repeat("s", 256)} {
		f(key, false, true)
	}
	for _, key := range []string{"\x01", "a\uffff", "\xff"} {
		f(key, true, false)
	}
	f("\x00", false, false)
}

// TestCopySource: the source of a copy is escaped in full.
func TestCopySource(t *testing.T) {
	t.Parallel()
	f := func(key, version, want string) {
		t.Helper()
		if got := *copySourceHeader(backends.CopySource{Bucket: "b", Key: key, VersionID: version}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f("k", "", "b/k")
	f("a/b c+d?e%2F", "", "b/a/b%20c%2Bd%3Fe%252F")
	f("ü\x00", "v=1", "b/%C3%BC%00?versionId=v%3D1")
}
