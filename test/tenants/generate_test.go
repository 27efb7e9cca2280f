package tenants

import (
	"crypto/md5" // Content-MD5 is MD5
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/sigv4"
)

// generate makes up an attempt.
func (w *world) generate(c *choices) *attempt {
	who := w.people[c.n(len(w.people))]
	if c.oneIn(5) {
		who = w.someone(who.TenantID, "root")
	}
	op := &w.ops[c.n(len(w.ops))]
	if !c.oneIn(5) {
		served := w.served()
		op = served[c.n(len(served))]
	}
	a := w.request(who, op.method, "/")
	a.op = op
	target := w.target(c, op)
	s := w.spell(c, target)
	w.address(c, a, s)
	w.parameters(c, a, target)
	w.fields(c, a)
	w.document(c, a, target)
	switch {
	case !s.plain || strings.Contains(a.host, "@"):
		a.refuse = "" // who knows what it names
	case w.misses(a, target):
		a.refuse = "the bucket is another tenant's"
	}
	w.disguise(c, a)
	return a
}

// misses reports whether the attempt names, in plain words, a bucket that only the other
// tenant has.
func (w *world) misses(a *attempt, target place) bool {
	if a.signer == nil || target.tenant == a.signer.TenantID || a.op.scope == "onService" || a.op.name == "CreateBucket" {
		return false
	}
	hosted := a.host == target.bucket+"."+s3test.Domain
	if a.absolute != "" || !hosted && (a.host != s3test.Domain || !strings.HasPrefix(a.path, "/"+target.bucket)) {
		return false
	}
	_, made := w.now[item{kind: "record", at: place{tenant: a.signer.TenantID, bucket: target.bucket}}]
	return !made
}

// served are the operations that do something; those that name more than one object stand
// there more than once.
func (w *world) served() []*operation {
	var list, several []*operation
	for i := range w.ops {
		op := &w.ops[i]
		if !op.served {
			continue
		}
		list = append(list, op)
		if op.header != "" || op.name == "DeleteObjects" {
			several = append(several, op)
		}
	}
	for range len(list) / 12 { // as often, however many operations there are
		list = append(list, several...)
	}
	return list
}

// target is what an attempt is aimed at: of either tenant.
func (w *world) target(c *choices, op *operation) place {
	if strings.Contains(op.query, "uploadId") && len(w.uploads) > 0 && !c.oneIn(4) {
		return w.uploads[c.n(len(w.uploads))].at
	}
	return w.object(c)
}

// object is one of the objects there were in the beginning, most often of a vault.
func (w *world) object(c *choices) place {
	for range 3 {
		if at := w.objects[c.n(len(w.objects))]; at.bucket == "vault" {
			return at
		}
	}
	return w.objects[c.n(len(w.objects))]
}

// anyToken is something that the server gave to somebody, or nearly.
func (w *world) anyToken(c *choices) string {
	all := append(append(append([]token{{text: "null"}}, w.uploads...), w.pages...), w.lists...)
	text := all[c.n(len(all))].text
	switch c.n(8) {
	case 0:
		return text[:len(text)/2]
	case 1:
		b := []byte(text)
		b[c.n(len(b))] ^= 1 << c.n(3)
		return string(b)
	case 2:
		return text + pick(c, "A", "=", "\x00", "\n", " ")
	}
	return text
}

// parameters puts what selects the operation into the query, and more.
func (w *world) parameters(c *choices, a *attempt, target place) {
	var query []string
	add := func(name, value string) {
		if value != "" {
			name += "=" + url.QueryEscape(value)
		}
		query = append(query, name)
	}
	for need := range strings.SplitSeq(a.op.query, "&") {
		name, value, _ := strings.Cut(need, "=")
		switch name {
		case "":
			continue
		case "uploadId":
			value = w.upload(c, a, target)
		case "partNumber":
			value = pick(c, "1", "2")
		}
		add(name, value)
	}
	if strings.HasPrefix(a.op.name, "List") {
		w.listing(c, a, target, add)
	}
	for c.oneIn(6) {
		other := w.object(c)
		switch name := pick(c, "versionId", "versionId", "x-id", "response-content-type", "partNumber", "bucket", "key", "x-amz-copy-source", "X-Amz-Copy-Source", "x-amz-meta-m", "prefix", "uploadId"); name {
		case "versionId", "uploadId":
			add(name, w.anyToken(c))
			if name == "uploadId" && a.op.name != "UploadPart" && a.op.name != "UploadPartCopy" {
				continue // which is another operation then, and judged as that
			}
		case "x-amz-copy-source", "X-Amz-Copy-Source":
			add(name, w.copySource(c, other))
		default:
			add(name, pick(c, other.key, other.bucket, "1", a.op.name))
		}
	}
	a.query = strings.Join(query, "&")
}

// upload is an UploadId for the target, its own or another one.
func (w *world) upload(c *choices, a *attempt, target place) string {
	if c.oneIn(3) {
		return w.anyToken(c)
	}
	for _, u := range w.uploads {
		if u.at != target {
			continue
		}
		if u.at.tenant != a.who.TenantID {
			a.refuse = "the UploadId is another tenant's"
		}
		return u.text
	}
	return "none"
}

// listing adds what listings take: prefixes and markers that name another's keys,
// and tokens of other listings.
func (w *world) listing(c *choices, a *attempt, target place, add func(name, value string)) {
	for range c.n(4) {
		other := pick(c, target, w.object(c))
		near := pick(c, other.key, other.key[:len(other.key)/2], "../", "/", granted, "granted", "Granted/", "../../"+other.tenant+"/"+other.bucket+"/", w.root+other.tenant+"/", other.tenant+"/", "\xff", "zzz")
		switch name := pick(c, "prefix", "delimiter", "marker", "start-after", "key-marker", "max-keys", "continuation-token", "upload-id-marker", "version-id-marker", "max-uploads", "max-buckets", "encoding-type", "fetch-owner", "bucket-region"); name {
		case "delimiter":
			add(name, pick(c, "/", "-", "..", other.key))
		case "max-keys", "max-uploads", "max-buckets":
			add(name, pick(c, "1", "2", "1000", "0", "-1"))
		case "encoding-type":
			add(name, "url")
		case "fetch-owner":
			add(name, "true")
		case "continuation-token":
			w.continuation(c, a, target, add)
			return
		case "upload-id-marker", "version-id-marker":
			add(name, w.anyToken(c))
		case "bucket-region":
			add(name, "us-east-1")
		default:
			add(name, near)
		}
	}
}

// continuation adds a continuation token that was given out for something else.
func (w *world) continuation(c *choices, a *attempt, target place, add func(name, value string)) {
	own := func(t token) bool {
		return t.at.tenant == a.who.TenantID && (a.op.name == "ListBuckets" || t.at.bucket == target.bucket)
	}
	tokens := map[string][]token{"ListObjectsV2": w.pages, "ListBuckets": w.lists}[a.op.name]
	if len(tokens) == 0 || c.oneIn(3) {
		add("continuation-token", w.anyToken(c))
		return
	}
	t := tokens[c.n(len(tokens))]
	if !own(t) {
		a.refuse = "the continuation token is another's"
	}
	add("continuation-token", t.text)
}

// fields adds headers: the copy source where it belongs, and at times where it does not.
func (w *world) fields(c *choices, a *attempt) {
	if a.op.header != "" || a.op.method == "PUT" && c.oneIn(12) {
		at := w.object(c)
		a.reads = w.copySource(c, at)
		a.headers = append(a.headers, sigv4.Header{Name: "X-Amz-Copy-Source", Value: a.reads})
		if a.op.name == "CopyObject" && c.oneIn(3) {
			a.headers = append(a.headers, sigv4.Header{Name: "X-Amz-Metadata-Directive", Value: "REPLACE"})
		}
	}
	for c.oneIn(8) {
		other := w.object(c)
		a.headers = append(a.headers, pick(c,
			sigv4.Header{Name: "Range", Value: "bytes=0-100"},
			sigv4.Header{Name: "If-Match", Value: "*"},
			sigv4.Header{Name: "If-None-Match", Value: "*"},
			sigv4.Header{Name: "X-Amz-Expected-Bucket-Owner", Value: "root"},
			sigv4.Header{Name: "X-Amz-Source-Expected-Bucket-Owner", Value: "root"},
			sigv4.Header{Name: "X-Amz-Acl", Value: "public-read-write"},
			sigv4.Header{Name: "X-Amz-Website-Redirect-Location", Value: "/" + other.bucket},
			sigv4.Header{Name: "X-Amz-Meta-Tenant", Value: other.tenant},
			sigv4.Header{Name: "X-Amz-Meta-Tenantid", Value: other.tenant},
			sigv4.Header{Name: "X-Amz-Rename-Source", Value: "/" + other.bucket + "/" + other.key},
			sigv4.Header{Name: "X-Http-Method-Override", Value: "DELETE"},
			sigv4.Header{Name: "X-Amz-Bypass-Governance-Retention", Value: "true"},
		))
	}
}

// document gives the attempt a body.
func (w *world) document(c *choices, a *attempt, target place) {
	kind := a.op.name
	if c.oneIn(15) {
		kind = pick(c, "DeleteObjects", "CompleteMultipartUpload", "form", "PutObject")
	}
	switch kind {
	case "DeleteObjects":
		var keys strings.Builder
		for range 1 + c.n(4) {
			at := pick(c, target, w.object(c))
			key := pick(c, at.key, at.key, "../"+at.bucket+"/"+at.key, "/"+at.bucket+"/"+at.key, w.root+at.tenant+"/"+at.bucket+"/"+at.key, "../../"+at.tenant+"/"+at.bucket+"/"+at.key, escapeAll(at.key), granted+"../"+at.key)
			fmt.Fprintf(&keys, "<Object><Key>%s</Key>%s</Object>", key, pick(c, "", "", "<VersionId>null</VersionId>", "<Bucket>"+at.bucket+"</Bucket>"))
		}
		a.body = "<Delete>" + keys.String() + pick(c, "", "<Quiet>true</Quiet>") + "</Delete>"
		sum := md5.Sum([]byte(a.body))
		a.headers = append(a.headers, sigv4.Header{Name: "Content-Md5", Value: base64.StdEncoding.EncodeToString(sum[:])})
	case "CompleteMultipartUpload":
		a.body = "<CompleteMultipartUpload>"
		for _, digest := range quoted.FindAllString(w.uploadState(target), 1) {
			a.body += "<Part><PartNumber>1</PartNumber><ETag>" + digest + "</ETag></Part>"
		}
		a.body += "</CompleteMultipartUpload>"
	case "form":
		a.headers = append(a.headers, sigv4.Header{Name: "Content-Type", Value: "multipart/form-data; boundary=b"})
		a.body = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n" + target.key + "\r\n--b\r\n" +
			"Content-Disposition: form-data; name=\"bucket\"\r\n\r\n" + target.bucket + "\r\n--b\r\n" +
			"Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nattack\r\n--b--\r\n"
	case "PutObject", "UploadPart":
		a.body = "attack"
	default:
		if !a.op.served && a.op.method != "GET" && a.op.method != "HEAD" {
			a.body = "<X/>"
		}
	}
}

// uploadState is what the store has of the uploads at the place.
func (w *world) uploadState(at place) string {
	text := ""
	for it, s := range w.now {
		if it.kind == "upload" && it.at == at {
			text += s
		}
	}
	return text
}
