package backendtest

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// lockCases are about locks on versions.
var lockCases = []testCase{
	{"lock/retention", "a version is kept until its retention is over; governance can be bypassed, compliance cannot", lockRetention},
	{"lock/changes", "a retention can be extended; where governance is bypassed it can become anything", lockChanges},
	{"lock/hold", "a version with a legal hold is kept, whoever bypasses what", lockHold},
	{"lock/written", "versions are locked from the beginning as their writes say, and copies have no locks of their sources", lockWritten},
	{"lock/customerkey", "an upload with a customer's key is locked as it began, also when who completes it has no key", lockCustomerKey},
	{"lock/overwrite", "a null version that is locked is not written over; others are covered up, and stay", lockOverwrite},
	{"lock/deleteobjects", "DeleteObjects judges each version by its own locks", lockDeleteObjects},
	{"lock/errors", "what was never set is NoSuchObjectLockConfiguration; what is not there cannot be locked", lockErrors},
	{"lock/race", "of a lock and a deletion at the same time exactly one succeeds", lockRace},
}

// The dates of the cases. No case takes as long as that.
var (
	past   = time.Date(2020, 1, 2, 3, 4, 5, 678e6, time.UTC)
	future = time.Date(2090, 1, 2, 3, 4, 5, 678e6, time.UTC)
)

// locker is the ability to keep locks. The case is skipped without.
func (e *env) locker() backends.Locker {
	e.Helper()
	l, ok := backends.As[backends.Locker](e.b)
	if !ok {
		e.Skip("no locks")
	}
	return l
}

// version puts an object that can be locked, and returns the id of its version.
func (e *env) version(key, body string, edits ...func(*s3.PutObjectInput)) *string {
	e.Helper()
	e.locker()
	id := e.put(key, body, edits...).VersionId
	if id == nil {
		e.Fatalf("%q has no version", key)
	}
	return id
}

// tryRetain gives a version a retention; mode may be empty.
func (e *env) tryRetain(key string, id *string, mode types.ObjectLockRetentionMode, until time.Time, bypass bool) error {
	_, err := e.locker().PutObjectRetention(e.Context(), &s3.PutObjectRetentionInput{
		Bucket: &e.bucket, Key: &key, VersionId: id, BypassGovernanceRetention: &bypass,
		Retention: &types.ObjectLockRetention{Mode: mode, RetainUntilDate: &until},
	})
	return err
}

// retain is tryRetain of a version that takes it.
func (e *env) retain(key string, id *string, mode types.ObjectLockRetentionMode, until time.Time) {
	e.Helper()
	if err := e.tryRetain(key, id, mode, until, false); err != nil {
		e.Fatalf("PutObjectRetention %q: %v", key, err)
	}
}

// hold puts a legal hold on a version, or says that there is none.
func (e *env) hold(key string, id *string, status types.ObjectLockLegalHoldStatus) {
	e.Helper()
	_, err := e.locker().PutObjectLegalHold(e.Context(), &s3.PutObjectLegalHoldInput{
		Bucket: &e.bucket, Key: &key, VersionId: id, LegalHold: &types.ObjectLockLegalHold{Status: status},
	})
	if err != nil {
		e.Fatalf("PutObjectLegalHold %q: %v", key, err)
	}
}

// locked checks what is told of the locks of a version, by every operation that does.
func (e *env) locked(key string, id *string, mode types.ObjectLockRetentionMode, until time.Time, status types.ObjectLockLegalHoldStatus) {
	e.Helper()
	r, err := e.locker().GetObjectRetention(e.Context(), &s3.GetObjectRetentionInput{Bucket: &e.bucket, Key: &key, VersionId: id})
	if mode == "" {
		e.refused(err, s3err.NoSuchObjectLockConfiguration)
		until = time.Time{}
	} else if err != nil || r.Retention.Mode != mode || !r.Retention.RetainUntilDate.Equal(until) {
		e.Errorf("GetObjectRetention %q: %+v, %v; want %s until %s", key, r, err, mode, until)
	}
	h, err := e.locker().GetObjectLegalHold(e.Context(), &s3.GetObjectLegalHoldInput{Bucket: &e.bucket, Key: &key, VersionId: id})
	if status == "" {
		e.refused(err, s3err.NoSuchObjectLockConfiguration)
	} else if err != nil || h.LegalHold.Status != status {
		e.Errorf("GetObjectLegalHold %q: %+v, %v; want %s", key, h, err, status)
	}
	head, err := e.b.HeadObject(e.Context(), &s3.HeadObjectInput{Bucket: &e.bucket, Key: &key, VersionId: id})
	if err != nil {
		e.Fatalf("HeadObject %q: %v", key, err)
	}
	e.same("HeadObject", []any{head.ObjectLockMode, deref(head.ObjectLockRetainUntilDate), head.ObjectLockLegalHoldStatus}, []any{types.ObjectLockMode(mode), until, status})
	_, got := e.get(key, func(in *s3.GetObjectInput) { in.VersionId = id })
	e.same("GetObject", []any{got.ObjectLockMode, deref(got.ObjectLockRetainUntilDate), got.ObjectLockLegalHoldStatus}, []any{types.ObjectLockMode(mode), until, status})
}

// tryRemove removes a version.
func (e *env) tryRemove(key string, id *string, bypass bool) error {
	_, err := e.b.DeleteObject(e.Context(), &s3.DeleteObjectInput{
		Bucket: &e.bucket, Key: &key, VersionId: id, BypassGovernanceRetention: &bypass,
	})
	return err
}

func lockRetention(e *env) {
	f := func(key string, mode types.ObjectLockRetentionMode, until time.Time, code, bypassed s3err.Code) {
		e.Helper()
		id := e.version(key, key)
		e.retain(key, id, mode, until)
		e.locked(key, id, mode, until, "")
		is := func(err error, code s3err.Code) {
			e.Helper()
			if code != "" {
				e.refused(err, code)
				e.holds(key, key)
			} else if err != nil {
				e.Errorf("DeleteObject %q: %v", key, err)
			}
		}
		is(e.tryRemove(key, id, false), code)
		is(e.tryRemove(key, id, true), bypassed)
		if bypassed == "" {
			e.missing(key)
		}
	}
	f("governance", types.ObjectLockRetentionModeGovernance, future, s3err.AccessDenied, "")
	f("compliance", types.ObjectLockRetentionModeCompliance, future, s3err.AccessDenied, s3err.AccessDenied)
	f("over", types.ObjectLockRetentionModeCompliance, past, "", "")
}

func lockChanges(e *env) {
	const none, governance, compliance = types.ObjectLockRetentionMode(""), types.ObjectLockRetentionModeGovernance, types.ObjectLockRetentionModeCompliance
	later := future.Add(time.Millisecond)
	f := func(key string, from types.ObjectLockRetentionMode, end time.Time, to types.ObjectLockRetentionMode, until time.Time, allowed, bypassed bool) {
		e.Helper()
		id := e.version(key, key)
		for _, bypass := range []bool{false, true} {
			if from != none {
				e.retain(key, id, from, end)
			}
			err := e.tryRetain(key, id, to, until, bypass)
			if ok := allowed || bypass && bypassed; !ok {
				e.refused(err, s3err.AccessDenied)
				e.locked(key, id, from, end, "")
				continue
			}
			if err != nil {
				e.Errorf("%s: %v", key, err)
			}
			e.locked(key, id, to, until, "")
			key += " again"
			id = e.version(key, key)
		}
	}
	f("set", none, past, governance, future, true, true)
	f("extend", governance, future, governance, later, true, true)
	f("same", compliance, future, compliance, future, true, true)
	f("shorten", governance, later, governance, future, false, true)
	f("end", governance, future, governance, past, false, true)
	f("take away", governance, future, none, past, false, true)
	f("tighten", governance, future, compliance, later, false, true)
	f("extend compliance", compliance, future, compliance, later, true, true)
	f("shorten compliance", compliance, later, compliance, future, false, false)
	f("take away compliance", compliance, future, none, past, false, false)
	f("loosen", compliance, future, governance, later, false, false)
	f("over", compliance, past, governance, future, true, true)
	f("take away what is over", compliance, past, none, past, true, true)
}

func lockHold(e *env) {
	const on, off = types.ObjectLockLegalHoldStatusOn, types.ObjectLockLegalHoldStatusOff
	id := e.version("k", "held")
	e.hold("k", nil, on)
	e.locked("k", id, "", past, on)
	e.refused(e.tryRemove("k", id, false), s3err.AccessDenied)
	e.refused(e.tryRemove("k", id, true), s3err.AccessDenied)
	e.holds("k", "held")
	e.retain("k", id, types.ObjectLockRetentionModeGovernance, future)
	e.locked("k", id, types.ObjectLockRetentionModeGovernance, future, on)
	e.hold("k", id, off)
	e.locked("k", nil, types.ObjectLockRetentionModeGovernance, future, off)
	e.refused(e.tryRemove("k", id, false), s3err.AccessDenied)
	if err := e.tryRemove("k", id, true); err != nil {
		e.Error(err)
	}
	e.missing("k")
}

func lockWritten(e *env) {
	const mode, on = types.ObjectLockModeCompliance, types.ObjectLockLegalHoldStatusOn
	retained := types.ObjectLockRetentionMode(mode)
	id := e.version("put", "x", func(in *s3.PutObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = mode, &future, on
	})
	e.locked("put", id, retained, future, on)
	e.refused(e.tryRemove("put", id, true), s3err.AccessDenied)
	e.locked("off", e.version("off", "x", func(in *s3.PutObjectInput) { in.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatusOff }), "", past, types.ObjectLockLegalHoldStatusOff)

	src := backends.CopySource{Bucket: e.bucket, Key: "put"}
	f := func(key string, in *s3.CopyObjectInput, mode types.ObjectLockRetentionMode, status types.ObjectLockLegalHoldStatus) {
		e.Helper()
		in.Bucket, in.Key = &e.bucket, &key
		if _, err := e.b.CopyObject(e.Context(), src, in); err != nil {
			e.Fatalf("CopyObject: %v", err)
		}
		e.locked(key, nil, mode, future, status)
	}
	f("copy", &s3.CopyObjectInput{}, "", "")
	f("locked copy", &s3.CopyObjectInput{ObjectLockMode: mode, ObjectLockRetainUntilDate: &future}, retained, "")

	u := e.begin("upload", func(in *s3.CreateMultipartUploadInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = mode, &future, on
	})
	u.complete(u.part(1, "x"))
	e.locked("upload", nil, retained, future, on)
}

func lockCustomerKey(e *env) {
	const mode, on = types.ObjectLockModeCompliance, types.ObjectLockLegalHoldStatusOn
	e.locker()
	k := newKey(1)
	if !e.encrypts(CustomerKeys, putWith(k)) {
		return
	}
	f := func(key string, complete backends.CustomerKey, edit func(*s3.CreateMultipartUploadInput), mode types.ObjectLockMode, status types.ObjectLockLegalHoldStatus) {
		e.Helper()
		u := e.begin(key, edit, func(in *s3.CreateMultipartUploadInput) {
			in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
		})
		in := u.input(u.partWith(k, 1, "x"))
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = complete.Algorithm, complete.Key, complete.MD5
		_, err := u.tryComplete(in)
		if complete.Key == nil && s3err.Is(err, s3err.InvalidArgument) {
			e.Logf("%s: only who has the key can complete an upload: %v", key, err)
			return
		}
		if err != nil {
			e.Fatalf("CompleteMultipartUpload: %v", err)
		}
		_, got := e.get(key, getWith(k))
		until := future
		if mode == "" {
			until = time.Time{}
		}
		e.same("GetObject", []any{got.ObjectLockMode, deref(got.ObjectLockRetainUntilDate), got.ObjectLockLegalHoldStatus}, []any{mode, until, status})
		if err := e.tryRemove(key, got.VersionId, true); mode != "" || status == on {
			e.refused(err, s3err.AccessDenied)
		} else if err != nil {
			e.Error(err)
		}
	}
	for name, complete := range map[string]backends.CustomerKey{"without": keyless, "with": k} {
		f(name+" retention", complete, func(in *s3.CreateMultipartUploadInput) {
			in.ObjectLockMode, in.ObjectLockRetainUntilDate = mode, &future
		}, mode, "")
		f(name+" hold", complete, func(in *s3.CreateMultipartUploadInput) { in.ObjectLockLegalHoldStatus = on }, "", on)
		f(name+" nothing", complete, func(*s3.CreateMultipartUploadInput) {}, "", "")
		f(name+" all", complete, func(in *s3.CreateMultipartUploadInput) {
			in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus, in.Tagging = mode, &future, on, new("a=b")
		}, mode, on)
	}
	tags, err := e.tagger().GetObjectTagging(e.Context(), &s3.GetObjectTaggingInput{Bucket: &e.bucket, Key: new("with all")})
	if err != nil || len(tags.TagSet) != 1 || deref(tags.TagSet[0].Key) != "a" {
		e.Errorf("GetObjectTagging: %+v, %v", tags, err)
	}
}

func lockOverwrite(e *env) {
	id := e.version("k", "first")
	e.hold("k", id, types.ObjectLockLegalHoldStatusOn)
	_, err := e.tryPut("k", "second")
	removal := e.tryRemove("k", nil, true)
	if *id == backends.NullVersion {
		e.refused(err, s3err.AccessDenied)
		e.refused(removal, s3err.AccessDenied)
		e.holds("k", "first")
	} else if err != nil || removal != nil {
		e.Errorf("a locked version is covered up: %v, %v", err, removal)
	}
	body, _ := e.get("k", func(in *s3.GetObjectInput) { in.VersionId = id })
	e.same("the locked version", body, "first")
	e.hold("k", id, types.ObjectLockLegalHoldStatusOff)
	if err := e.tryRemove("k", id, false); err != nil {
		e.Error(err)
	}
	e.put("k", "third")
}

func lockDeleteObjects(e *env) {
	e.locker()
	var objects []types.ObjectIdentifier
	for _, key := range []string{"a", "b", "c", "d"} {
		objects = append(objects, types.ObjectIdentifier{Key: &key, VersionId: e.version(key, key)})
	}
	e.retain("a", nil, types.ObjectLockRetentionModeGovernance, future)
	e.retain("b", nil, types.ObjectLockRetentionModeCompliance, future)
	e.hold("c", nil, types.ObjectLockLegalHoldStatusOn)
	f := func(bypass bool, deleted int, failed ...string) {
		e.Helper()
		out, err := e.b.DeleteObjects(e.Context(), &s3.DeleteObjectsInput{
			Bucket: &e.bucket, Delete: &types.Delete{Objects: objects}, BypassGovernanceRetention: &bypass,
		})
		if err != nil {
			e.Fatal(err)
		}
		got := []string{}
		for _, o := range out.Errors {
			got = append(got, *o.Key)
			e.same(*o.Key, deref(o.Code), string(s3err.AccessDenied))
		}
		e.same("refused", got, failed)
		e.same("deleted", len(out.Deleted), deleted)
	}
	f(false, 1, "a", "b", "c")
	f(true, 2, "b", "c")
	e.same("left", e.keys(), []string{"b", "c"})
}

func lockErrors(e *env) {
	l := e.locker()
	other := e.version("k", "x")
	f := func(key string, id *string, codes ...s3err.Code) {
		e.Helper()
		_, err := l.GetObjectRetention(e.Context(), &s3.GetObjectRetentionInput{Bucket: &e.bucket, Key: &key, VersionId: id})
		e.refused(err, codes...)
		_, err = l.GetObjectLegalHold(e.Context(), &s3.GetObjectLegalHoldInput{Bucket: &e.bucket, Key: &key, VersionId: id})
		e.refused(err, codes...)
		if codes[0] == s3err.NoSuchObjectLockConfiguration {
			return
		}
		e.refused(e.tryRetain(key, id, types.ObjectLockRetentionModeGovernance, future, true), codes...)
		_, err = l.PutObjectLegalHold(e.Context(), &s3.PutObjectLegalHoldInput{
			Bucket: &e.bucket, Key: &key, VersionId: id, LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn},
		})
		e.refused(err, codes...)
	}
	f("k", nil, s3err.NoSuchObjectLockConfiguration)
	f("k", other, s3err.NoSuchObjectLockConfiguration)
	f("none", nil, s3err.NoSuchKey)
	f("none", other, s3err.NoSuchVersion)
	f("k", new("x"), s3err.InvalidArgument)
	marker, err := e.b.DeleteObject(e.Context(), &s3.DeleteObjectInput{Bucket: &e.bucket, Key: new("k")})
	if err != nil {
		e.Fatal(err)
	}
	f("k", nil, s3err.NoSuchKey)
	f("k", marker.VersionId, s3err.MethodNotAllowed)
}

func lockRace(e *env) {
	e.locker()
	for range 20 {
		id := e.version("k", "x")
		var wg sync.WaitGroup
		var lock, remove error
		wg.Go(func() { lock = e.tryRetain("k", id, types.ObjectLockRetentionModeGovernance, future, false) })
		wg.Go(func() { remove = e.tryRemove("k", id, false) })
		wg.Wait()
		if (lock == nil) == (remove == nil) {
			e.Fatalf("a lock says %v, and a deletion %v", lock, remove)
		}
		if lock != nil {
			e.refused(lock, s3err.NoSuchVersion)
			continue
		}
		e.refused(remove, s3err.AccessDenied)
		e.locked("k", id, types.ObjectLockRetentionModeGovernance, future, "")
		if err := e.tryRemove("k", id, true); err != nil {
			e.Fatal(err)
		}
	}
}
