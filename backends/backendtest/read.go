package backendtest

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// readCases are about GetObject and HeadObject as such.
var readCases = []testCase{
	{"get/missing", "NoSuchKey, for HeadObject too", getMissing},
	{"get/head-agrees", "HeadObject is GetObject without a body, with the same headers", headAgrees},
	{"get/body-survives", "a body that is being read is that of one object, whatever is written meanwhile", bodySurvives},
}

// rangeCases are about Range, and PartNumber of an object in one piece.
var rangeCases = []testCase{
	{"range/satisfiable", "Range as ParseRange does; ContentRange is set exactly when it selected something (trap 19)", rangeSatisfiable},
	{"range/unsatisfiable", "InvalidRange when it is unsatisfiable (trap 19)", rangeUnsatisfiable},
	{"range/ignored", "a Range that is malformed or has several ranges is ignored (trap 19)", rangeIgnored},
	{"range/part-number", "an object in one piece is its own part 1; InvalidPartNumber beyond (trap 19)", rangePartNumber},
}

// conditionCases are about conditions on reads and writes.
var conditionCases = []testCase{
	{"condition/read", "conditions are judged as CheckRead does: NotModified or PreconditionFailed (trap 20)", conditionRead},
	{"condition/if-none-match-write", "IfNoneMatch \"*\" guards PutObject: PreconditionFailed when the key exists (trap 20)", conditionNoneMatch},
	{"condition/if-match-write", "IfMatch guards PutObject: PreconditionFailed, or NoSuchKey on a missing key (trap 20)", conditionMatch},
}

func getMissing(e *env) {
	e.missing("k")
	_, err := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: new("k")})
	e.refused(err, s3err.NoSuchKey)
	e.put("k/below", "x")
	e.put("k0", "x")
	e.missing("k")
	e.missing("k/")
}

func headAgrees(e *env) {
	e.put("k", "0123456789", func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"a": "b"} })
	for _, header := range []*string{nil, new("bytes=2-5"), new("bytes=-3"), new("nonsense")} {
		_, got := e.get("k", func(in *s3.GetObjectInput) { in.Range = header })
		head, err := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: new("k"), Range: header})
		if err != nil {
			e.Fatalf("HeadObject %s: %v", show(header), err)
		}
		e.same("ContentLength", deref(head.ContentLength), deref(got.ContentLength))
		e.same("ContentRange", deref(head.ContentRange), deref(got.ContentRange))
		e.same("ETag", deref(head.ETag), deref(got.ETag))
		e.same("Metadata", head.Metadata, got.Metadata)
		e.same("ContentType", deref(head.ContentType), deref(got.ContentType))
	}
}

func bodySurvives(e *env) {
	for _, n := range []int{100, 500_000} {
		old := random(1, n)
		e.put("k", old)
		out, err := e.b.GetObject(e.Context(), &s3.GetObjectInput{Bucket: &e.bucket, Key: new("k")})
		if err != nil {
			e.Fatal(err)
		}
		e.put("k", random(2, n))
		e.remove("k")
		got := make([]byte, n)
		read := 0
		for read < n && err == nil {
			var m int
			m, err = out.Body.Read(got[read:])
			read += m
		}
		_ = out.Body.Close()
		if string(got[:read]) != old[:read] {
			e.Error("the body changed while it was read")
		}
	}
}

func rangeSatisfiable(e *env) {
	const body = "0123456789"
	e.put("k", body)
	f := func(header, want, contentRange string) {
		e.Helper()
		got, out := e.get("k", func(in *s3.GetObjectInput) { in.Range = &header })
		e.same(header, got, want)
		e.same(header+": ContentRange", deref(out.ContentRange), contentRange)
		e.same(header+": ETag", deref(out.ETag), etag(body))
	}
	f("bytes=0-0", "0", "bytes 0-0/10")
	f("bytes=0-9", body, "bytes 0-9/10")
	f("bytes=3-5", "345", "bytes 3-5/10")
	f("bytes=9-9", "9", "bytes 9-9/10")
	f("bytes=7-", "789", "bytes 7-9/10")
	f("bytes=0-", body, "bytes 0-9/10")
	f("bytes=5-100", "56789", "bytes 5-9/10")
	f("bytes=5-99999999999999999999", "56789", "bytes 5-9/10")
	f("bytes=-1", "9", "bytes 9-9/10")
	f("bytes=-10", body, "bytes 0-9/10")
	f("bytes=-11", body, "bytes 0-9/10")
	large := random(7, 1<<20)
	e.put("k", large)
	for _, start := range []int{0, 1, 65535, 65536, 262143, 262144, 1<<20 - 1} {
		header := "bytes=" + strconv.Itoa(start) + "-"
		if got, _ := e.get("k", func(in *s3.GetObjectInput) { in.Range = &header }); got != large[start:] {
			e.Errorf("%s: another body", header)
		}
	}
}

func rangeUnsatisfiable(e *env) {
	e.put("k", "0123456789")
	e.put("empty", "")
	f := func(key, header string) {
		e.Helper()
		_, _, err := e.tryGet(key, func(in *s3.GetObjectInput) { in.Range = &header })
		e.refused(err, s3err.InvalidRange)
		_, err = e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: &key, Range: &header})
		e.refused(err, s3err.InvalidRange)
	}
	f("k", "bytes=10-")
	f("k", "bytes=10-20")
	f("k", "bytes=-0")
	f("empty", "bytes=0-")
	f("empty", "bytes=0-0")
	f("empty", "bytes=-0")
	for _, header := range []string{"bytes=-1", "bytes=-10"} { // all of it
		got, out := e.get("empty", func(in *s3.GetObjectInput) { in.Range = &header })
		e.same(header, got, "")
		e.same(header+": ContentRange", deref(out.ContentRange), "")
	}
}

func rangeIgnored(e *env) {
	e.put("k", "0123456789")
	for _, header := range []string{"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-3", "bytes=0-1,3-4", "items=0-1", "bytes=1", "bytes=+1-2"} {
		got, out := e.get("k", func(in *s3.GetObjectInput) { in.Range = &header })
		e.same(header, got, "0123456789")
		e.same(header+": ContentRange", show(out.ContentRange), "nil")
	}
}

func rangePartNumber(e *env) {
	e.put("k", "0123456789")
	part := func(n int32) func(*s3.GetObjectInput) {
		return func(in *s3.GetObjectInput) { in.PartNumber = &n }
	}
	got, out := e.get("k", part(1))
	e.same("part 1", got, "0123456789")
	e.same("ContentRange", deref(out.ContentRange), "bytes 0-9/10")
	e.same("PartsCount", show(out.PartsCount), "nil")
	_, _, err := e.tryGet("k", part(2))
	e.refused(err, s3err.InvalidPartNumber)
	_, _, err = e.tryGet("k", part(1), func(in *s3.GetObjectInput) { in.Range = new("bytes=0-1") })
	e.refused(err, s3err.InvalidRequest)
}

func conditionRead(e *env) {
	e.put("k", "x")
	tag, at := etag("x"), *e.head("k").LastModified
	before, after := at.Add(-time.Second), at.Add(time.Second)
	type in = s3.GetObjectInput
	f := func(want s3err.Code, edit func(*in)) {
		e.Helper()
		i := &in{Bucket: &e.bucket, Key: new("k")}
		edit(i)
		body, _, err := e.tryGet("k", edit)
		_, headErr := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{
			Bucket: i.Bucket, Key: i.Key, IfMatch: i.IfMatch, IfNoneMatch: i.IfNoneMatch,
			IfModifiedSince: i.IfModifiedSince, IfUnmodifiedSince: i.IfUnmodifiedSince,
		})
		if want == "" {
			if err != nil || body != "x" || headErr != nil {
				e.Errorf("refused: %v, %v", err, headErr)
			}
			return
		}
		e.refused(err, want)
		e.refused(headErr, want)
	}
	f("", func(i *in) { i.IfMatch = &tag })
	f("", func(i *in) { i.IfMatch = new("*") })
	f("", func(i *in) { i.IfMatch = new(`"other", ` + tag) })
	f(s3err.PreconditionFailed, func(i *in) { i.IfMatch = new(`"other"`) })
	f("", func(i *in) { i.IfNoneMatch = new(`"other"`) })
	f(s3err.NotModified, func(i *in) { i.IfNoneMatch = &tag })
	f(s3err.NotModified, func(i *in) { i.IfNoneMatch = new("*") })
	f("", func(i *in) { i.IfModifiedSince = &before })
	f(s3err.NotModified, func(i *in) { i.IfModifiedSince = &at })
	f("", func(i *in) { i.IfUnmodifiedSince = &at })
	f("", func(i *in) { i.IfUnmodifiedSince = &after })
	f(s3err.PreconditionFailed, func(i *in) { i.IfUnmodifiedSince = &before })
	// The order of precedence: an ETag speaks before a date.
	f("", func(i *in) { i.IfMatch, i.IfUnmodifiedSince = &tag, &before })
	f(s3err.NotModified, func(i *in) { i.IfNoneMatch, i.IfModifiedSince = &tag, &before })
	f("", func(i *in) { i.IfNoneMatch, i.IfModifiedSince = new(`"other"`), &at })
	f(s3err.PreconditionFailed, func(i *in) { i.IfMatch, i.IfNoneMatch = new(`"other"`), &tag })
	f(s3err.NotModified, func(i *in) { i.IfMatch, i.IfNoneMatch = &tag, &tag })
	// Conditions speak before ranges, and a missing object before conditions.
	f(s3err.NotModified, func(i *in) { i.IfNoneMatch = &tag })
	_, _, err := e.tryGet("none", func(i *in) { i.IfMatch = new(`"other"`) })
	e.refused(err, s3err.NoSuchKey)
}

func conditionNoneMatch(e *env) {
	absent := func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") }
	e.put("k", "one", absent)
	_, err := e.tryPut("k", "two", absent)
	e.refused(err, s3err.PreconditionFailed)
	e.holds("k", "one")
	e.remove("k")
	e.put("k", "three", absent)
	e.holds("k", "three")
}

func conditionMatch(e *env) {
	match := func(tag string) func(*s3.PutObjectInput) {
		return func(in *s3.PutObjectInput) { in.IfMatch = &tag }
	}
	_, err := e.tryPut("k", "zero", match(etag("x")))
	e.refused(err, s3err.NoSuchKey)
	e.missing("k")
	e.put("k", "one")
	e.put("k", "two", match(etag("one")))
	_, err = e.tryPut("k", "three", match(etag("one")))
	e.refused(err, s3err.PreconditionFailed)
	e.holds("k", "two")
}
