package tenants

import (
	"regexp"
	"strings"
	"testing"
)

// plainRequest is the operation on that bucket, and on that key if it is about one, as a
// client would ask for it.
func (w *world) plainRequest(p *person, op *operation, at place) *attempt {
	a := w.request(p, op.method, "/"+at.bucket+"/"+escaped(at.key))
	a.op = op
	switch {
	case op.scope == "onService":
		a.path = "/"
	case !op.onObject():
		a.path = "/" + at.bucket
	}
	c := &choices{}
	w.parameters(c, a, at)
	w.fields(c, a)
	w.document(c, a, at)
	a.refuse, a.absolute = "", ""
	return a
}

// TestAnothersBucketDoesNotExist: for each operation a bucket of the other tenant is like
// one that nobody has, to the letter.
func TestAnothersBucketDoesNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, readOperations(t), false, nil)
	root := w.someone(alpha, "root")
	for i := range w.ops {
		op := &w.ops[i]
		if op.scope == "onService" || op.name == "CreateBucket" || op.inForm() {
			continue
		}
		ask := func(bucket string) reply {
			return w.try(w.plainRequest(root, op, place{beta, bucket, "same"}))
		}
		theirs := w.buckets[5].bucket // beta's own
		nobodys := "own-" + w.mark()
		is, want := ask(theirs), ask(nobodys)
		if is.status != 404 || op.method != "HEAD" && is.code != "NoSuchBucket" {
			t.Errorf("%s of another's bucket: %d %s", op.name, is.status, is.code)
		}
		if got := strings.ReplaceAll(volatile.ReplaceAllString(is.body, ""), theirs, nobodys); is.status != want.status || got != volatile.ReplaceAllString(want.body, "") {
			t.Errorf("%s: of another's bucket %d %s, of nobody's %d %s", op.name, is.status, got, want.status, want.body)
		}
	}
	w.sound(t)
}

// volatile is what differs from one error document to the next.
var volatile = regexp.MustCompile(`<(RequestId|HostId)>[^<]*</`)

// sound fails the test for what the judge has found.
func (w *world) sound(t *testing.T) {
	t.Helper()
	for _, b := range w.broken {
		t.Error(b)
	}
}

// TestForbiddenIsAccessDenied: for each operation, whoever lacks its right inside the tenant is
// told so, about a bucket that is there, and it is not done.
func TestForbiddenIsAccessDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, readOperations(t), true, nil)
	letter := map[string]byte{"read": 'r', "write": 'w', "delete": 'd', "list": 'l', "admin": 'a'}
	for i := range w.ops {
		op := &w.ops[i]
		if op.action == "" || op.inForm() {
			continue
		}
		for _, p := range w.people {
			at := place{p.TenantID, "vault", "same"}
			about := at
			if !op.onObject() {
				about.key = ""
			}
			if p.may(letter[op.action], about) || op.scope == "onKeys" && p.maySome(letter[op.action], about) {
				continue // or is answered for each key
			}
			got := w.try(w.plainRequest(p, op, at))
			if got.status != 403 || op.method != "HEAD" && got.code != "AccessDenied" {
				t.Errorf("%s by %s: %d %s", op.name, p.name(), got.status, got.body)
			}
		}
	}
	w.sound(t)
}

// TestAReaderWritesByNoRoad: whatever a read-only key asks for, of its own tenant's buckets and in
// every order, nothing changes.
func TestAReaderWritesByNoRoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, readOperations(t), false, nil)
	reader := w.someone(alpha, "reader")
	before := w.take()
	for i := range w.ops {
		for _, at := range append(w.objects[:14:14], w.uploads[0].at, w.uploads[1].at, w.uploads[2].at, place{alpha, "new-bucket", "new"}) {
			a := w.plainRequest(reader, &w.ops[i], at)
			changes := strings.Contains("write delete admin", w.ops[i].action) && w.ops[i].action != ""
			if got := w.try(a); changes && got.status < 400 {
				t.Errorf("%s: %d %s", a, got.status, got.body)
			}
		}
	}
	if changes := compare(before, w.take()); len(changes) > 0 {
		t.Errorf("a reader has changed %+v", changes)
	}
	w.sound(t)
}

// TestGrants: what a grant is for works, and nothing beside it.
func TestGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, readOperations(t), true, nil)
	f := func(who, method, target string, status int) {
		t.Helper()
		got := w.try(w.request(w.someone(alpha, who), method, target))
		if got.status != status {
			t.Errorf("%s: %s %s: %d, want %d %s", who, method, target, got.status, status, got.body)
		}
	}
	f("reader", "GET", "/vault/same", 200)
	f("reader", "HEAD", "/vault/same", 200)
	f("reader", "GET", "/vault?list-type=2", 200)
	f("reader", "HEAD", "/vault", 200)
	f("reader", "PUT", "/vault/same", 403)
	f("reader", "DELETE", "/vault/same", 403)
	f("reader", "PUT", "/new-bucket", 403)
	f("reader", "DELETE", "/vault", 403)
	f("writer", "PUT", "/vault/new", 200)
	f("writer", "GET", "/vault/new", 403)
	f("writer", "DELETE", "/vault/new", 403)
	f("lister", "GET", "/vault", 200)
	f("lister", "GET", "/vault?uploads", 200)
	f("lister", "GET", "/vault?versions", 200)
	f("lister", "GET", "/vault/same", 403)
	f("deleter", "DELETE", "/vault/new", 204)
	f("deleter", "PUT", "/vault/new", 403)
	f("prefixed", "PUT", "/vault/granted/new", 200)
	f("prefixed", "GET", "/vault/granted/new", 200)
	f("prefixed", "GET", "/vault/granted%2Fnew", 200)
	f("prefixed", "GET", "/vault/granted%252Fnew", 403)
	f("prefixed", "GET", "/vault/granted", 403)
	f("prefixed", "GET", "/vault/same", 403)
	f("prefixed", "PUT", "/open-data/granted/new", 403)
	f("prefixed", "GET", "/vault?prefix=granted/", 200)
	f("prefixed", "GET", "/vault?list-type=2&prefix=granted/n", 200)
	f("prefixed", "GET", "/vault?uploads&prefix=granted/", 200)
	f("prefixed", "GET", "/vault?versions&prefix=granted/", 200)
	f("prefixed", "GET", "/vault?prefix=granted", 403)
	f("prefixed", "GET", "/vault?prefix=", 403)
	f("prefixed", "GET", "/vault?prefix=&prefix=granted/", 400)
	f("prefixed", "GET", "/vault?list-type=2", 403)
	f("prefixed", "HEAD", "/vault?prefix=granted/", 403)
	f("prefixed", "GET", "/vault?location&prefix=granted/", 403)
	f("prefixed", "GET", "/vault?analytics&prefix=granted/", 403)
	f("prefixed", "DELETE", "/vault/granted/new", 204)
	f("prefixed", "DELETE", "/vault", 403)
	f("narrow", "GET", "/open-data/same", 200)
	f("narrow", "GET", "/vault/same", 403)
	f("narrow", "PUT", "/open-more", 200)
	f("narrow", "DELETE", "/open-more", 204)
	f("narrow", "PUT", "/other", 403)
	f("powerless", "GET", "/vault/same", 403)
	f("powerless", "GET", "/", 200)
	w.sound(t)
}

// TestSameNamesNeverMeet: two tenants use one bucket name, and each finds there what it has put
// there; a list of buckets shows one's own.
func TestSameNamesNeverMeet(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		w := newWorld(t, readOperations(t), shared, nil)
		f := func(tenant, method, target, body string, status int, want string) {
			t.Helper()
			a := w.request(w.someone(tenant, "root"), method, target)
			a.body = body
			if got := w.try(a); got.status != status || !strings.Contains(got.body, want) {
				t.Errorf("%s: %s %s: %d %s, want %d %q", tenant, method, target, got.status, got.body, status, want)
			}
		}
		f(alpha, "PUT", "/common", "", 200, "")
		f(beta, "HEAD", "/common", "", 404, "")
		f(beta, "PUT", "/common", "", 200, "")
		f(alpha, "PUT", "/common", "", 409, "BucketAlreadyOwnedByYou")
		f(alpha, "PUT", "/common/k", "of alpha", 200, "")
		f(beta, "GET", "/common/k", "", 404, "NoSuchKey")
		f(beta, "GET", "/common", "", 200, "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>")
		f(beta, "PUT", "/common/k", "of beta", 200, "")
		f(alpha, "GET", "/common/k", "", 200, "of alpha")
		f(beta, "GET", "/common/k", "", 200, "of beta")
		f(beta, "DELETE", "/common/k", "", 204, "")
		f(beta, "DELETE", "/common", "", 204, "")
		f(beta, "GET", "/common/k", "", 404, "NoSuchBucket")
		f(alpha, "GET", "/common/k", "", 200, "of alpha")
		f(alpha, "DELETE", "/common", "", 409, "BucketNotEmpty")
		f(beta, "GET", "/", "", 200, "<Name>"+w.buckets[5].bucket+"</Name>")
		w.sound(t)
	}
}
