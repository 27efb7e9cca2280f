package s3api

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/xronox/xronox-proxy/s3err"
)

// object is the smallest element of DeleteObjects, part that of CompleteMultipartUpload.
const (
	object = "<Object><Key>k</Key></Object>"
	part   = "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>"
)

// TestTrap07MalformedDocuments: what is one document of S3's and nothing else.
func TestTrap07MalformedDocuments(t *testing.T) {
	t.Parallel()
	f := func(text string, ok bool) {
		t.Helper()
		var req deleteRequest
		err := deleteDocument.decode(strings.NewReader(text), req.read)
		if (err == nil) != ok || err != nil && !s3err.Is(err, s3err.MalformedXML) {
			t.Errorf("%.200q: %v", text, err)
		}
	}
	wrap := func(s string) string { return "<Delete>" + s + "</Delete>" }
	f(wrap(object), true)
	f("\ufeff<?xml version=\"1.0\"?>\n<!-- a list -->\n"+wrap(object)+"\n<!-- its end -->\n", true)
	f(wrap("<Quiet> true </Quiet><Quiet/><New><a/></New>text<Object><Key>a<x>b</x>c</Key><Size>3</Size></Object>"), true)
	f(wrap("<Object><Key><![CDATA["+strings.Repeat("<", 1024)+"]]></Key></Object>"), true)
	f(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`+object+"</Delete>", true)
	f(wrap(strings.Repeat(object, maxKeys)), true)

	f("", false)
	f("x"+wrap(object), false)
	f(wrap(object)+"x", false)
	f(wrap(object)+wrap(object), false)
	f(wrap(object)+"</Delete>", false)
	f("<Delete>"+object, false)
	f("<Other>"+object+"</Other>", false)
	f("<Other>"+wrap(object)+"</Other>", false)
	f(wrap(""), false)
	f(wrap("<Object/>"), false)
	f(wrap("<Object><Key></Key></Object>"), false)
	f(wrap("<Quiet>perhaps</Quiet>"+object), false)
	f(wrap("<Object><Key>k</Key><Size>1.5</Size></Object>"), false)
	f(wrap("&a;"+object), false)
	f("<!DOCTYPE Delete>"+wrap(object), false)
	f(wrap(strings.Repeat(object, maxKeys+1)), false)
	f(wrap(object+strings.Repeat("<New/>", 16*maxKeys)), false)
	f(wrap(object+strings.Repeat("<a>", maxDocumentDepth)+strings.Repeat("</a>", maxDocumentDepth)), false)
	f("<Delete a='"+strings.Repeat("x", maxTagBytes)+"'>"+object+"</Delete>", false)

	g := func(text string, code s3err.Code) {
		t.Helper()
		var parts completedParts
		err := completeDocument.decode(strings.NewReader("<CompleteMultipartUpload>"+text+"</CompleteMultipartUpload>"), parts.read)
		if code == "" && err != nil || code != "" && !s3err.Is(err, code) {
			t.Errorf("%.200q: %v", text, err)
		}
	}
	g(strings.Repeat(part, maxParts), "")
	g(strings.Repeat(part, maxParts+1), s3err.MalformedXML)
	g("", s3err.MalformedXML)
	g("<Part><ETag>e</ETag></Part>", s3err.MalformedXML)
	g("<Part><PartNumber>1</PartNumber></Part>", s3err.MalformedXML)
	g("<Part><PartNumber>x</PartNumber><ETag>e</ETag></Part>", s3err.MalformedXML)
	g("<Part><PartNumber>10001</PartNumber><ETag>e</ETag></Part>", s3err.InvalidArgument)
	sum := func(text string, code s3err.Code) {
		t.Helper()
		g("<Part><PartNumber>1</PartNumber><ETag>e</ETag>"+text+"</Part>", code)
	}
	sum("<ChecksumXXHASH64>JseCfYifbaM=</ChecksumXXHASH64>", "")
	sum("<ChecksumXXHASH64>JseCfYifbaM=</ChecksumXXHASH64><ChecksumCRC32>NhCmhg==</ChecksumCRC32>", s3err.InvalidArgument)
	sum("<ChecksumXXHASH64>NhCmhg==</ChecksumXXHASH64>", s3err.InvalidArgument)
	sum("<ChecksumXXHASH64/>", s3err.InvalidArgument)
	sum("<ChecksumType>FULL_OBJECT</ChecksumType><Checksum/><checksumcrc32>x</checksumcrc32>", "")
}

// TestTrap07LargestDocuments: what S3 takes fits into the bounds.
func TestTrap07LargestDocuments(t *testing.T) {
	t.Parallel()
	var parts strings.Builder
	for i := range maxParts {
		fmt.Fprintf(&parts, "\n  <Part>\n    <PartNumber>%d</PartNumber>\n    <ETag>&quot;%032d&quot;</ETag>\n    <ChecksumSHA512>%085dA==</ChecksumSHA512>\n  </Part>", i+1, i, i)
	}
	text := "<CompleteMultipartUpload>" + parts.String() + "</CompleteMultipartUpload>"
	var list completedParts
	if err := completeDocument.decode(strings.NewReader(text), list.read); err != nil || len(list) != maxParts || int64(len(text)) > completeDocument.bytes {
		t.Errorf("%d bytes, %d parts: %v", len(text), len(list), err)
	}
	key := "<Object>\n<Key>" + strings.Repeat("ü", 512) + "</Key>\n<VersionId>" + strings.Repeat("v", 64) + "</VersionId>\n<ETag>&quot;" + strings.Repeat("e", 36) + "&quot;</ETag>\n</Object>\n"
	text = "<Delete>" + strings.Repeat(key, maxKeys) + "</Delete>"
	var req deleteRequest
	if err := deleteDocument.decode(strings.NewReader(text), req.read); err != nil || len(req.objects) != maxKeys || int64(len(text)) > deleteDocument.bytes {
		t.Errorf("%d bytes, %d keys: %v", len(text), len(req.objects), err)
	}
}

// hostile are documents made to cost as much as possible, of so many bytes.
func hostile(size int) map[string]string {
	fill := func(head, s, tail string) string {
		return head + strings.Repeat(s, (size-len(head)-len(tail))/len(s)) + tail
	}
	return map[string]string{
		"objects":    fill("<Delete>", "<Object/>", "</Delete>"),
		"attributes": fill("<Delete ", `a="" `, "></Delete>"),
		"unknown":    fill("<Delete>", "<a/>", "</Delete>"),
		"nested":     fill("<Delete>", "<a>", ""),
		"namespaces": fill("<Delete>", `<a xmlns:b="c">`, ""),
		"comments":   fill("<Delete>", "<!---->", "</Delete>"),
		"directive":  fill("<!D", "<>", ">"),
		"text":       fill("<Delete><Object><Key>", "k", "</Key></Object></Delete>"),
	}
}

// TestTrap07HostileDocumentsAreCheap: no document takes more than a few times
// its size in memory, all that is freed on the way included.
func TestTrap07HostileDocumentsAreCheap(t *testing.T) {
	for name, text := range hostile(int(deleteDocument.bytes)) {
		var req deleteRequest
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = deleteDocument.decode(strings.NewReader(text), req.read)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 8*uint64(len(text)) {
			t.Errorf("%s: %d bytes for a document of %d", name, n, len(text))
		}
	}
}

// TestTrap07DocumentsTogether: all documents at work have a bound as well.
func TestTrap07DocumentsTogether(t *testing.T) {
	s := New(Options{Log: slog.New(slog.DiscardHandler)})
	first, second := s.newCall(new(fasthttp.RequestCtx)), s.newCall(new(fasthttp.RequestCtx))
	f := func(c *call, n int64, ok bool) {
		t.Helper()
		if err := c.reserve(n); (err == nil) != ok || err != nil && !s3err.Is(err, s3err.SlowDown) {
			t.Error(err)
		}
	}
	f(first, maxDocumentBytes, true)
	f(second, 1, false)
	first.finish()
	f(second, maxDocumentBytes, true)
	second.finish()
	if n := s.documents.Load(); n != 0 {
		t.Errorf("%d bytes left", n)
	}
}

// BenchmarkHostileDocuments is what the worst documents cost.
func BenchmarkHostileDocuments(b *testing.B) {
	for name, text := range hostile(int(deleteDocument.bytes)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var req deleteRequest
				_ = deleteDocument.decode(strings.NewReader(text), req.read)
			}
		})
	}
}
