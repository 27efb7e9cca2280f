//go:build !race

package s3api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/s3test"
)

// road is one request that is sent again and again over one connection, by a client that costs next to nothing.
type road struct {
	t       testing.TB
	conn    net.Conn
	answers *bufio.Reader
	request string
}

// newRoad signs a request of 1 KiB once. Its object is there.
func newRoad(t testing.TB, method string) *road {
	t.Helper()
	p := s3test.Start(t, s3test.Options{Now: time.Now})
	client := p.Client(s3test.Root)
	bucket, key, body := s3test.Bucket, "some/key", strings.Repeat("x", 1024)
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
	var err error
	var signed *v4.PresignedHTTPRequest
	presign := s3.NewPresignClient(client)
	if method == http.MethodGet {
		signed, err = presign.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		body = ""
	} else {
		signed, err = presign.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key})
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &road{t: t}
	u, err := url.Parse(signed.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.request = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", method, u.RequestURI(), u.Host, len(body), body)
	if r.conn, err = net.Dial("tcp", p.Addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.conn.Close() })
	r.answers = bufio.NewReader(r.conn)
	return r
}

// send sends the request and reads the answer, which must be a success.
func (r *road) send() {
	if _, err := io.WriteString(r.conn, r.request); err != nil {
		r.t.Fatal(err)
	}
	line, err := r.answers.ReadSlice('\n')
	if err != nil || string(line) != "HTTP/1.1 200 OK\r\n" {
		r.t.Fatalf("%q, %v", line, err)
	}
	length := 0
	for len(line) > 2 {
		if line, err = r.answers.ReadSlice('\n'); err != nil {
			r.t.Fatal(err)
		}
		if len(line) > 16 && string(line[:16]) == "Content-Length: " {
			for _, d := range line[16 : len(line)-2] {
				length = 10*length + int(d-'0')
			}
		}
	}
	if _, err := r.answers.Discard(length); err != nil {
		r.t.Fatal(err)
	}
}

// BenchmarkGetObject reads 1 KiB.
func BenchmarkGetObject(b *testing.B) { benchmark(b, http.MethodGet) }

// BenchmarkPutObject stores 1 KiB.
func BenchmarkPutObject(b *testing.B) { benchmark(b, http.MethodPut) }

// benchmark sends one request after the other.
func benchmark(b *testing.B, method string) {
	b.Helper()
	r := newRoad(b, method)
	b.ReportAllocs()
	for b.Loop() {
		r.send()
	}
}

// TestAllocs pins what a small request costs, in the store in memory too; most is what there was when it was last
// looked at, and a little.
func TestAllocs(t *testing.T) {
	f := func(method string, most float64) {
		t.Helper()
		r := newRoad(t, method)
		if got := testing.AllocsPerRun(500, r.send); got > most {
			t.Errorf("%s allocates %v times, at most %v is wanted", method, got, most)
		}
	}
	f(http.MethodGet, 53)
	f(http.MethodPut, 64)
}
