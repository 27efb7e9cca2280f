package tenants

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/sigv4"
)

// attempt is one request, as it is to stand on the wire.
type attempt struct {
	op                        *operation
	who                       *person // whose rights it has; nil: nobody's
	signer                    *person // who signs it, whether or not that is worth anything; nil: unsigned
	method, host, path, query string
	absolute                  string // authority of a request target in absolute form
	headers                   []sigv4.Header
	late                      []sigv4.Header // not signed
	body                      string

	presigned bool
	tamper    func(*attempt) // changes what was signed
	refuse    string         // why it must not succeed, if it must not
	reads     string         // what the copy source says, for leaks to look at
}

// String shows the attempt on one line.
func (a *attempt) String() string {
	target := a.path
	if a.query != "" {
		target += "?" + a.query
	}
	text := fmt.Sprintf("%s: %s %s%q host %q", a.who.name(), a.method, a.absolute, target, a.host)
	if a.op != nil {
		text = a.op.name + " by " + text
	}
	for _, h := range append(a.headers, a.late...) {
		if !strings.HasPrefix(h.Name, "Authorization") {
			text += fmt.Sprintf(" %s: %q", h.Name, h.Value)
		}
	}
	return text + fmt.Sprintf(" body %q", a.body)
}

// request is a plain attempt by somebody, path-style.
func (w *world) request(who *person, method, target string) *attempt {
	path, query, _ := strings.Cut(target, "?")
	return &attempt{who: who, signer: who, method: method, host: s3test.Domain, path: path, query: query}
}

// reply is what came back.
type reply struct {
	status        int
	code          string // of an error document
	headers, body string
	more          bool // something came behind it on a connection that stays open
}

// send signs the attempt, sends it and returns the reply. A server that does not reply
// fails the test.
func (w *world) send(a *attempt) reply {
	signer := a.signer
	if w.leak != nil && w.leak.deputy != nil {
		if d := w.leak.deputy(w, a); d != nil {
			signer = d
			a.headers, a.late = append(a.headers, a.late...), nil
		}
	}
	switch {
	case signer == nil:
	case a.presigned:
		w.presign(signer, a)
	default:
		w.sign(signer, a)
	}
	if a.tamper != nil {
		a.tamper(a)
	}
	resp, err := w.exchange(a)
	if err != nil {
		w.t.Fatalf("no answer: %v\n\t%s", err, a)
	}
	return resp
}

// sign adds a signature to the headers. A target that cannot be signed goes out
// with what stands for a signature of something else.
func (w *world) sign(p *person, a *attempt) {
	sum := sha256.Sum256([]byte(a.body))
	payload := sigv4.Payload(hex.EncodeToString(sum[:]))
	s := sigv4.Signer{AccessKey: p.AccessKey, SecretKey: p.SecretKey, Region: s3test.Region}
	r := &sigv4.Request{Method: a.method, Path: a.path, Query: a.query, Host: a.host, Headers: append([]sigv4.Header(nil), a.headers...)}
	if s.Sign(r, payload, w.clock()) != nil {
		r.Path, r.Query, r.Headers = "/", "", append([]sigv4.Header(nil), a.headers...)
		must(w.t, s.Sign(r, payload, w.clock()))
	}
	a.headers = r.Headers
}

// presign puts a signature into the query.
func (w *world) presign(p *person, a *attempt) {
	req := &http.Request{
		Method: a.method, Host: a.host, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: a.host, Opaque: "//" + a.host + a.path, RawQuery: strings.TrimPrefix(a.query+"&X-Amz-Expires=60", "&")},
	}
	for _, h := range a.headers {
		req.Header.Add(h.Name, h.Value)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping, o.DisableHeaderHoisting = true, true })
	signed, _, err := signer.PresignHTTP(context.Background(), s3test.Credentials(p.Credential), req, "UNSIGNED-PAYLOAD", "s3", s3test.Region, w.clock())
	must(w.t, err)
	_, a.query, _ = strings.Cut(signed, "?")
}

// exchange writes the request as it is and reads the response.
func (w *world) exchange(a *attempt) (reply, error) {
	if w.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", w.proxy.Addr)
		if err != nil {
			return reply{}, err
		}
		w.conn = conn.(*net.TCPConn)
	}
	_ = w.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := w.conn.Write(a.bytes()); err != nil {
		return reply{}, err
	}
	br := bufio.NewReader(w.conn)
	resp, err := http.ReadResponse(br, &http.Request{Method: a.method})
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if resp.Close {
		w.hangUp()
	}
	var headers bytes.Buffer
	_ = resp.Header.Write(&headers)
	_, code, _ := strings.Cut(string(body), "<Code>")
	code, _, _ = strings.Cut(code, "<")
	return reply{resp.StatusCode, code, headers.String(), string(body), br.Buffered() > 0 && !resp.Close}, err
}

// bytes is the request on the wire.
func (a *attempt) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s%s", a.method, a.absolute, a.path)
	if a.query != "" {
		b.WriteString("?" + a.query)
	}
	fmt.Fprintf(&b, " HTTP/1.1\r\nHost: %s\r\n", a.host)
	for _, h := range append(a.headers, a.late...) {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, strings.ReplaceAll(h.Value, "\n", " ")) // else it were another request
	}
	if a.body != "" || a.method == "PUT" || a.method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.body))
	}
	b.WriteString("\r\n" + a.body)
	return b.Bytes()
}

// hangUp closes the connection, if there is one, and waits until the server has too: it
// would take its time to shut down otherwise.
func (w *world) hangUp() {
	if w.conn == nil {
		return
	}
	_ = w.conn.CloseWrite()
	_ = w.conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, w.conn)
	_ = w.conn.Close()
	w.conn = nil
}
