// Package wiretest plays golden transcripts of the S3 wire protocol against a
// running server: requests as they stand on the wire, and the responses that
// must come back.
//
// A transcript is a txtar archive whose sections are called request and
// response in turn. A request is a request line, headers, an empty line and a
// body; it is signed before it is sent. Lines that begin with @ steer that:
//
//	@anonymous       do not sign
//	@as: NAME        sign as another identity of the Target
//	@presign: SECS   sign in the query, for so long
//	@region: NAME    sign for another region than that of the Target
//	@unsigned        UNSIGNED-PAYLOAD instead of the body's hash
//	@late: NAME: V   add a header after signing
//	@size: N         the body is N times the letter x
//	@form: POLICY    the body is the fields of a form, one a line, signed with
//	                 that policy unless it is empty
//	@md5             send a Content-MD5
//	@later: TIME     let the server's clock go on by so much before
//	@close           the server must close the connection after its response
//
// ${Name} is replaced by the content of the last element or header Name that a
// response had, ${v1} by the id of the version that a response was the first to name, ${v2} by the
// next one, and so on. Responses are compared after what differs from run to run
// (ids, tokens, the Date) was replaced. The flag -update writes them.
package wiretest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the responses of wire transcripts instead of comparing them")

// Target is a server to play against.
type Target struct {
	Addr       string // host:port
	Region     string
	Now        func() time.Time           // the server's clock,
	Later      func(time.Duration)        // which this moves
	Identities map[string]aws.Credentials // "" is who signs by default
	Host       string                     // for the Host header of path-style requests
	Hosted     bool                       // address buckets virtual-hosted instead, below Host
}

// Run plays every transcript under dir, each against a server of its own.
func Run(t *testing.T, dir string, start func(*testing.T) Target) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts under %s (%v)", dir, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.ToSlash(file[len(dir)+1:]), ".txtar")
		t.Run(name, func(t *testing.T) { play(t, file, start(t)) })
	}
}

// play plays one transcript over one connection, as far as that stays open.
func play(t *testing.T, file string, target Target) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, target: target, seen: map[string]string{}, versions: map[string]string{}}
	defer p.hangUp()
	var out []txtar.File
	for i, f := range archive.Files {
		if f.Name != "request" {
			continue
		}
		got := p.exchange(string(f.Data))
		out = append(out, f, txtar.File{Name: "response", Data: []byte(got)})
		if *update {
			continue
		}
		want := ""
		if i+1 < len(archive.Files) && archive.Files[i+1].Name == "response" {
			want = string(archive.Files[i+1].Data)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: request %d (-want +got):\n%s", file, len(out)/2, diff)
		}
	}
	if *update {
		archive.Files = out
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil { // a file of the repository
			t.Fatal(err)
		}
	}
}

// player is the client side of a transcript.
type player struct {
	t      *testing.T
	target Target
	conn   net.Conn
	br     *bufio.Reader
	seen   map[string]string // what responses said last, by element or header; ids of versions by v1, v2, …

	versions map[string]string // the other way round
	text     string            // the request as the transcript has it
}

// request is one request being prepared.
type request struct {
	method, target string
	headers        []string // lines
	late           []string // lines added after signing
	body           []byte
	directives     map[string]string
}

// exchange sends one request and returns the response as transcripts show it.
func (p *player) exchange(text string) string {
	p.text = text
	r := p.parse(p.expand(text))
	if later, ok := r.directives["later"]; ok {
		d, err := time.ParseDuration(later)
		if err != nil {
			p.t.Fatal(err)
		}
		p.target.Later(d)
	}
	if _, ok := r.directives["form"]; ok {
		p.form(r)
	}
	wire := p.sign(r)
	if p.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target.Addr)
		if err != nil {
			p.t.Fatal(err)
		}
		p.conn, p.br = conn, bufio.NewReader(conn)
	}
	_ = p.conn.SetDeadline(time.Now().Add(30 * time.Second))
	go func(w io.Writer) { _, _ = w.Write(wire) }(p.conn) // A refusal may come before all is sent.
	return p.read(r)
}

// expand puts in what earlier responses said.
func (p *player) expand(text string) string {
	return said.ReplaceAllStringFunc(text, func(s string) string {
		name := s[len("${") : len(s)-len("}")]
		if name == "filename" {
			return s // a form's own
		}
		v, ok := p.seen[name]
		if !ok {
			p.t.Fatalf("no response had %s", name)
		}
		return v
	})
}

// parse takes a request section apart.
func (p *player) parse(text string) *request {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	r := &request{directives: map[string]string{}, body: []byte(strings.TrimSuffix(body, "\n"))}
	for i, line := range lines {
		switch {
		case i == 0:
			fields := strings.SplitN(line, " ", 2)
			r.method, r.target = fields[0], strings.TrimSuffix(fields[1], " HTTP/1.1")
		case strings.HasPrefix(line, "@late: "):
			r.late = append(r.late, strings.TrimPrefix(line, "@late: "))
		case strings.HasPrefix(line, "@"):
			name, value, _ := strings.Cut(line[1:], ": ")
			r.directives[name] = value
		default:
			r.headers = append(r.headers, line)
		}
	}
	if size, ok := r.directives["size"]; ok {
		n, err := strconv.Atoi(size)
		if err != nil {
			p.t.Fatal(err)
		}
		r.body = bytes.Repeat([]byte("x"), n)
	}
	return r
}

// address turns a path-style target into host and target.
func (p *player) address(r *request) (host, target string) {
	if !p.target.Hosted || r.target == "/" || strings.HasPrefix(r.target, "/?") {
		return p.target.Host, r.target
	}
	path, query, hasQuery := strings.Cut(r.target[1:], "?")
	bucket, rest, _ := strings.Cut(path, "/")
	target = "/" + rest
	if hasQuery {
		target += "?" + query
	}
	return bucket + "." + p.target.Host, target
}

// sign returns the request's bytes.
func (p *player) sign(r *request) []byte {
	host, target := p.address(r)
	path, query, _ := strings.Cut(target, "?")
	req := &http.Request{
		Method: r.method, Host: host, Header: http.Header{}, ContentLength: int64(len(r.body)),
		URL: &url.URL{Scheme: "http", Host: host, Opaque: "//" + host + path, RawQuery: query},
	}
	for _, line := range r.headers {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); http.CanonicalHeaderKey(name) == "Content-Length" {
			req.ContentLength, _ = strconv.ParseInt(value, 10, 64)
			continue
		}
		req.Header.Add(name, value)
	}
	if _, ok := r.directives["md5"]; ok {
		sum := md5.Sum(r.body)
		req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	sum := sha256.Sum256(r.body)
	hash := hex.EncodeToString(sum[:])
	if _, ok := r.directives["unsigned"]; ok {
		hash = "UNSIGNED-PAYLOAD"
	}
	if h := req.Header.Get("X-Amz-Content-Sha256"); h != "" {
		hash = h
	}
	creds := p.target.Identities[r.directives["as"]]
	region, ok := r.directives["region"]
	if !ok {
		region = p.target.Region
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	ctx := context.Background()
	if secs, ok := r.directives["presign"]; ok {
		if query != "" {
			query += "&"
		}
		req.URL.RawQuery = query + "X-Amz-Expires=" + secs
		signed, headers, err := signer.PresignHTTP(ctx, creds, req, "UNSIGNED-PAYLOAD", "s3", region, p.target.Now())
		if err != nil {
			p.t.Fatal(err)
		}
		u, err := url.Parse(signed)
		if err != nil {
			p.t.Fatal(err)
		}
		target = path + "?" + u.RawQuery
		for name, values := range headers {
			if name != "Host" && name != "Content-Length" {
				req.Header[name] = values
			}
		}
	} else if _, ok := r.directives["anonymous"]; !ok {
		req.Header.Set("X-Amz-Content-Sha256", hash)
		if err := signer.SignHTTP(ctx, creds, req, hash, "s3", region, p.target.Now()); err != nil {
			p.t.Fatal(err)
		}
	}
	return assemble(r, req, target)
}

// assemble writes the request line, headers and body out.
func assemble(r *request, req *http.Request, target string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, target, req.Host)
	names := make([]string, 0, len(req.Header))
	for name := range req.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, v := range req.Header[name] {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	if req.ContentLength > 0 || r.method == "PUT" || r.method == "POST" {
		if req.Header.Get("Transfer-Encoding") == "" {
			fmt.Fprintf(&b, "Content-Length: %d\r\n", req.ContentLength)
		}
	}
	for _, line := range r.late {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.body)
	return b.Bytes()
}

// read reads the response and shows it.
func (p *player) read(r *request) string {
	resp, err := http.ReadResponse(p.br, &http.Request{Method: r.method})
	if err != nil {
		p.t.Fatalf("%s %s: reading the response: %v", r.method, r.target, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("%s %s: reading the response body: %v", r.method, r.target, err)
	}
	_ = resp.Body.Close()
	_, mustClose := r.directives["close"]
	if mustClose && !resp.Close {
		p.t.Errorf("%s %s: the connection stays open", r.method, r.target)
	}
	if resp.Close {
		p.mustEnd()
	}
	for _, name := range []string{"X-Amz-Request-Id", "X-Amz-Id-2", "Date"} {
		if resp.Header.Get(name) == "" {
			p.t.Errorf("%s %s: response without %s", r.method, r.target, name)
		}
		resp.Header.Del(name)
	}
	return p.show(resp, body)
}

// mustEnd checks that nothing follows the last response of a connection.
func (p *player) mustEnd() {
	if n, err := p.br.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) && !isReset(err) {
		p.t.Errorf("after a response that closes the connection: %d bytes, %v", n, err)
	}
	p.hangUp()
}

// isReset reports whether err is the peer's reset of the connection.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// hangUp closes the connection, if there is one.
func (p *player) hangUp() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.conn = nil
	}
}

var (
	location = regexp.MustCompile(`<Location>http[^<]*</`)
	said     = regexp.MustCompile(`\$\{[^}]+\}`)
	element  = regexp.MustCompile(`<([A-Za-z0-9-]+)>([^<]+)</`)
	version  = regexp.MustCompile(`\b[0-9a-v]{26}\b`)
	volatile = regexp.MustCompile(`<(RequestId|HostId|UploadId|ContinuationToken|NextContinuationToken|UploadIdMarker|NextUploadIdMarker|SignatureProvided|StringToSign|StringToSignBytes|CanonicalRequest|CanonicalRequestBytes)>[^<]+</`)
)

// version names a version by when a response was the first to have its id, unless that is the
// transcript's own.
func (p *player) version(id string) string {
	if strings.Contains(p.text, id) {
		return id
	}
	name, ok := p.versions[id]
	if !ok {
		name = fmt.Sprintf("v%d", len(p.versions)+1)
		p.versions[id], p.seen[name] = name, id
	}
	return name
}

// asPath makes a virtual-hosted URL of the target path-style, as transcripts have it.
func (p *player) asPath(url string) string {
	host, path, ok := strings.Cut(strings.TrimPrefix(url, "http://"), "."+p.target.Host+"/")
	if !ok || strings.Contains(host, "/") || !p.target.Hosted {
		return url
	}
	return "http://" + p.target.Host + "/" + host + "/" + path
}

// show prints a response: status, headers in order of name, body. XML gets a
// line per element that holds others.
func (p *player) show(resp *http.Response, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", resp.StatusCode, http.StatusText(resp.StatusCode))
	names := make([]string, 0, len(resp.Header))
	for name := range resp.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	xml := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/xml")
	for _, name := range names {
		for _, v := range resp.Header[name] {
			p.seen[name] = v
			v = p.asPath(version.ReplaceAllStringFunc(v, p.version))
			if xml && name == "Content-Length" {
				v = "…" // ids in the document have no fixed length
			}
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	if len(body) == 0 {
		return b.String()
	}
	b.WriteByte('\n')
	if !xml {
		if len(body) > 4096 {
			sum := sha256.Sum256(body)
			fmt.Fprintf(&b, "(%d bytes, SHA-256 %x)\n", len(body), sum)
			return b.String()
		}
		b.Write(body)
		b.WriteByte('\n')
		return b.String()
	}
	token := p.seen["NextContinuationToken"] // errors repeat it
	for _, m := range element.FindAllStringSubmatch(string(body), -1) {
		p.seen[m[1]] = m[2]
	}
	body = version.ReplaceAllFunc(body, func(id []byte) []byte { return []byte(p.version(string(id))) })
	doc := volatile.ReplaceAllString(string(body), "<$1>…</")
	if token != "" {
		doc = strings.ReplaceAll(doc, token, "…")
	}
	doc = location.ReplaceAllString(doc, "<Location>…</") // differs with the style of addressing
	doc = strings.ReplaceAll(doc, "><", ">\n<")
	b.WriteString(strings.TrimSuffix(doc, "\n") + "\n")
	return b.String()
}
