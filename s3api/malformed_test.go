package s3api_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/xronox/xronox-proxy/internal/s3test"
)

// exchange sends raw, says that this was all, and checks each response to it:
// a refusal or a success, but never a failure of the server's own.
func exchange(t *testing.T, addr string, raw []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(raw); err == nil {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	br := bufio.NewReader(conn)
	for {
		if _, err := br.Peek(1); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return // to HEAD, perhaps: its length is without a body
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented {
			t.Fatalf("%q: %s", raw, resp.Status)
		}
		if err != nil {
			return
		}
	}
}

// seeds are requests that are worth damaging.
func seeds(t testing.TB, p *s3test.Proxy) [][]byte {
	r := &raw{t: t, p: p}
	body := "3\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
	return [][]byte{
		[]byte(r.head("PUT", "/bucket/k", "Content-Length: 5") + "hello"),
		[]byte(r.head("GET", "/bucket/k?response-content-type=a", "Range: bytes=1-2", "If-Match: *")),
		[]byte(r.head("GET", "/bucket?list-type=2&prefix=a&delimiter=/&max-keys=2")),
		[]byte(r.head("POST", "/bucket?delete", "Content-Md5: aFPqFnlCon58cZ4Qt7zwvQ==", "Content-Length: 46") + "<Delete><Object><Key>a</Key></Object></Delete>"),
		[]byte(r.head("PUT", "/bucket/k", "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Trailer: x-amz-checksum-crc32",
			"X-Amz-Decoded-Content-Length: 5", "Content-Length: 56") + body),
		[]byte(r.head("PUT", "/bucket/c", "X-Amz-Copy-Source: /bucket/k")),
		[]byte(r.head("POST", "/bucket/m?uploads")),
		[]byte(r.head("PUT", "/bucket/k", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n"),
	}
}

// TestMalformed damages requests in every way it can think of. The server
// answers each, and is not larger for it afterwards.
func TestMalformed(t *testing.T) {
	p := s3test.Start(t, s3test.Options{})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	all := seeds(t, p)
	n := 3000
	if testing.Short() {
		n = 300
	}
	var before uint64
	for i := range n {
		exchange(t, p.Addr, damage(rnd, all[rnd.IntN(len(all))]))
		if i == n/10 {
			before = heap() // pools and buffers are there by now
		}
	}
	if after := heap(); after > before+(16<<20) {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

// heap is the size of what is reachable.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// damage changes a request in one to three places.
func damage(rnd *rand.Rand, in []byte) []byte {
	out := bytes.Clone(in)
	for range 1 + rnd.IntN(3) {
		at := rnd.IntN(len(out))
		to := min(len(out), at+1+rnd.IntN(20))
		switch rnd.IntN(6) {
		case 0: // another byte
			out[at] = byte(rnd.Uint32())
		case 1: // a hole
			out = append(out[:at:at], out[to:]...)
		case 2: // the same again
			out = append(out[:to:to], out[at:]...)
		case 3: // the end
			out = out[:max(at, 1)]
		case 4: // something special
			special := []string{"\r\n", "\r\n\r\n", "\x00", "%", "%00", ":", "=", "&", "?", "/", "\xff", "-1", "99999999999999999999", "X-Amz-Date: x\r\n"}
			out = append(append(out[:at:at], special[rnd.IntN(len(special))]...), out[at:]...)
		default: // two requests at once
			out = append(out, in...)
		}
		if len(out) == 0 {
			return []byte{0}
		}
	}
	return out
}

// FuzzConnection sends anything to a server.
func FuzzConnection(f *testing.F) {
	p := s3test.Start(f, s3test.Options{})
	for _, s := range seeds(f, p) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { exchange(t, p.Addr, raw) })
}
