package versioned_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/token"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// places has the store do what hookStore does not: complete uploads elsewhere.
func (b *bucketOf) places() {
	b.store = faultbackend.New(b.below, nil)
	o := options(b.store, b.index)
	b.o.Heads, b.o.Bodies = o.Heads, o.Bodies
	b.Backend = versioned.New(b.o)
}

// asBefore is the bucket as it was before it had versions.
func (b *bucketOf) asBefore() *bucketOf {
	c := *b
	c.Backend = b.o.Heads
	return &c
}

// uploadBefore begins an upload as before the bucket had versions.
func (b *bucketOf) uploadBefore(key, body string) *s3.CompleteMultipartUploadInput {
	b.Helper()
	return b.asBefore().upload(key, body)
}

// beforeFaultCases are about completing uploads from before.
func beforeFaultCases() (all []faultCase) {
	var upload *s3.CompleteMultipartUploadInput
	f := func(name string, change func(*versioned.Options), first func(*bucketOf), old, after string) {
		begun := func(b *bucketOf) {
			first(b)
			upload = b.uploadBefore("k", "three")
		}
		run := func(ctx context.Context, b *bucketOf) error { return b.complete(ctx, upload) }
		lag := func(b *bucketOf) { b.lags = true; begun(b) }
		place := func(b *bucketOf) { b.places(); begun(b) }
		all = append(all,
			faultCase{"complete from before " + name, change, lag, run, old, after, after},
			faultCase{"complete from before elsewhere " + name, change, place, run, old, after, after})
	}
	nothing := func(*bucketOf) {}
	old := func(b *bucketOf) { b.putPlain("k", "old") }
	f("", before, nothing, "", "three*")
	f("in a bucket all known", nil, nothing, "", "three*")
	f("over old", before, old, "(old)*", "three* (old)")
	f("over an upload", before, func(b *bucketOf) {
		if err := b.asBefore().complete(b.Context(), b.uploadBefore("k", "old")); err != nil {
			b.Fatal(err)
		}
	}, "(old)*", "three* (old)")
	f("over versions", nil, oneTwo, "two* one", "three* two one")
	f("over a marker", nil, func(b *bucketOf) { b.put("k", "one"); b.remove("k", "") }, "-* one", "three* - one")
	f("suspended", suspendedBefore, old, "(old)*", "(three)*")
	return all
}

// beforeRaceCases are about uploads from before that are completed while something else happens to their key.
func beforeRaceCases() []raceCase {
	var upload *s3.CompleteMultipartUploadInput
	old := func(b *bucketOf) {
		b.putPlain("k", "old")
		upload = b.uploadBefore("k", "new")
	}
	oldUpload := func(b *bucketOf) {
		if err := b.asBefore().complete(b.Context(), b.uploadBefore("k", "old")); err != nil {
			b.Fatal(err)
		}
		upload = b.uploadBefore("k", "new")
	}
	elsewhere := func(first func(*bucketOf)) func(*bucketOf) {
		return func(b *bucketOf) { b.places(); first(b) }
	}
	complete := func(b *bucketOf) string {
		err := b.complete(b.Context(), upload)
		b.index.setPlan(nil) // Nobody comes in any more.
		b.hook.before(0, nil)
		if err != nil {
			return string(s3err.From(err).Code) + " " + b.history("k")
		}
		return b.history("k")
	}
	other := func(b *bucketOf) {
		if err := b.complete(b.Context(), upload); err != nil {
			b.Error(err)
		}
	}
	put := func(b *bucketOf) { b.put("k", "put") }
	read := func(b *bucketOf) string { text, err := b.get("k", ""); return fmt.Sprint(text, err) }
	either := []string{"old<nil>", "new<nil>"}
	overPut := []string{"new* put (old)", "put* new (old)"}
	lost := append(slices.Clip(overPut), "NoSuchUpload put* (old)") // what is written over while it is copied
	return []raceCase{
		{"complete over a put", old, put, complete, lost},
		{"complete elsewhere over a put", elsewhere(old), put, complete, overPut},
		{"complete over an upload and a put", oldUpload, put, complete, lost},
		{"complete over a delete", old, func(b *bucketOf) { b.remove("k", "") }, complete, []string{"new* - (old)", "-* new (old)", "NoSuchUpload -* (old)"}},
		{"complete twice", old, other, complete, []string{"new* (old)"}},
		{"complete elsewhere twice", elsewhere(old), other, complete, []string{"new* (old)"}},
		{"complete twice over an upload", oldUpload, other, complete, []string{"new* (old)"}},
		{"complete while it is read", oldUpload, func(b *bucketOf) {
			if got := b.history("k"); got != "(old)*" && got != "new* (old)" {
				b.Errorf("the versions are %q", got)
			}
			if got := b.listAllVersions("", 10); got != "k(null)*" && got != "k* k(null)" {
				b.Errorf("listed %q", got)
			}
			b.o.Repairs.Settle(b.Context()) // of what reads have seen
		}, complete, []string{"new* (old)"}},
		{"read while it is completed", old, other, read, either},
		{"read over an upload while it is completed", oldUpload, other, read, either},
		{"read null over an upload while it is completed", oldUpload, other, func(b *bucketOf) string { text, err := b.get("k", "null"); return fmt.Sprint(text, err) }, either[:1]},
		{"list while it is completed", old, other, func(b *bucketOf) string { return b.listAllVersions("", 10) }, []string{"k(null)*", "k* k(null)"}},
		{"copy while it is completed", oldUpload, other, func(b *bucketOf) string {
			if _, err := b.copyOf("k", "", "copy", nil); err != nil {
				return string(s3err.From(err).Code)
			}
			return b.history("copy")
		}, []string{"old*", "new*"}},
	}
}

// TestUploadsBeforeRefused: an upload whose version is refused when it is committed can be completed later, or aborted.
func TestUploadsBeforeRefused(t *testing.T) {
	t.Parallel()
	f := func(change func(*bucketOf)) {
		t.Helper()
		b := open(t, before)
		change(b)
		u, _ := backends.As[backends.MultipartUploader](b.Backend)
		abort := func(in *s3.CompleteMultipartUploadInput) error {
			_, err := u.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Key: in.Key, UploadId: in.UploadId})
			return err
		}
		for _, again := range []bool{true, false} {
			in := b.uploadBefore("k", "new")
			in.IfNoneMatch = new("*")
			came, bodies := false, len(b.stored(bodyPrefix))
			b.index.setPlan(func(c indexCall) (f indexFault) {
				if c.Op == "InsertRow" && !came && len(b.stored(bodyPrefix)) > bodies { // the commit
					came = true
					b.put("k", "put")
				}
				return f
			})
			b.wantError(b.complete(t.Context(), in), s3err.PreconditionFailed)
			if !came {
				t.Error("nobody came in between")
			}
			b.index.setPlan(nil)
			b.checkHead("k")
			b.checkBodies("k")
			b.wantHistory("k", "put*")
			if in.IfNoneMatch = nil; again {
				if err := b.complete(t.Context(), in); err != nil {
					t.Errorf("completed later: %v", err)
				}
				b.wantHistory("k", "new* put")
			} else if err := abort(in); err != nil {
				t.Errorf("aborted: %v", err)
			}
			for _, v := range b.ids("k") {
				b.remove("k", v)
			}
		}
		b.wantError(abort(b.never()), s3err.NoSuchUpload)
	}
	f(func(*bucketOf) {})
	f((*bucketOf).places)
}

// never is an upload that never was.
func (b *bucketOf) never() *s3.CompleteMultipartUploadInput {
	return &s3.CompleteMultipartUploadInput{Key: new("k"), UploadId: new("never")}
}

// ids are the ids of the versions of a key.
func (b *bucketOf) ids(key string) (ids []string) {
	b.Helper()
	lister, _ := backends.As[backends.Versioned](b.Backend)
	out, err := lister.ListObjectVersions(b.Context(), &s3.ListObjectVersionsInput{Prefix: &key})
	if err != nil {
		b.Fatal(err)
	}
	for _, v := range out.Versions {
		ids = append(ids, *v.VersionId)
	}
	return ids
}

// TestUploadsBefore goes on with uploads that began before the bucket had versions.
func TestUploadsBefore(t *testing.T) {
	t.Parallel()
	f := func(name string, store opener, index func(testing.TB) versions.Index, change func(*versioned.Options)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goOnWithUploads(t, store(t), "physical", index(t), change, s3servers.Known{})
		})
	}
	mem := func(testing.TB) versions.Index { return memindex.New() }
	// A fault backend over one that hides what it can has uploads copied.
	copied := func(t testing.TB) faultbackend.Store { return faultbackend.New(&hookStore{Store: memory(t)}, nil) }
	localCopied := func(t testing.TB) faultbackend.Store { return faultbackend.New(&hookStore{Store: local(t)}, nil) }
	f("memory", memory, mem, before)
	f("memory, all known", memory, mem, func(*versioned.Options) {})
	f("memory, copied", copied, mem, before)
	f("disk", local, kv, func(o *versioned.Options) { o.Private, o.Complete = true, false })
	f("disk, all known", local, kv, func(o *versioned.Options) { o.Private = true })
	f("two disks", localCopied, kv, func(o *versioned.Options) { o.Private, o.Complete = true, false })
	f("two disks, all known", localCopied, kv, func(o *versioned.Options) { o.Private = true })
}

// TestUploadsBeforeServers does so over real services.
func TestUploadsBeforeServers(t *testing.T) {
	t.Parallel()
	f := func(name string, s s3servers.Server, known s3servers.Known) {
		store := connect(t, s)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goOnWithUploads(t, store, s.NewBucket(t), memindex.New(), before, known)
		})
	}
	f("versitygw", s3servers.VersityGW(t), s3servers.OfVersityGW())
	f("MinIO", s3servers.MinIO(t), s3servers.OfMinIO())
}

// user is a bucket as a client with one key has it.
type user struct {
	*testing.T
	backends.Backend
	backends.MultipartUploader
}

// newUser returns one of a bucket.
func newUser(t *testing.T, b backends.Backend) user {
	t.Helper()
	m, ok := backends.As[backends.MultipartUploader](b)
	if !ok {
		t.Fatal("no uploads")
	}
	return user{t, b, m}
}

// UploadPartCopy is the uploader's.
func (u user) UploadPartCopy(ctx context.Context, src backends.CopySource, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	return u.MultipartUploader.UploadPartCopy(ctx, src, in)
}

// begin begins an upload.
func (u user) begin(key string) *s3.CompleteMultipartUploadInput {
	u.Helper()
	out, err := u.CreateMultipartUpload(u.Context(), &s3.CreateMultipartUploadInput{
		Key: &key, Metadata: map[string]string{"says": "new"}, ContentType: new("text/x-new"),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		u.Fatal(err)
	}
	return &s3.CompleteMultipartUploadInput{Key: &key, UploadId: out.UploadId, MultipartUpload: &types.CompletedMultipartUpload{}}
}

// part uploads the next part.
func (u user) part(in *s3.CompleteMultipartUploadInput, body string) {
	u.Helper()
	n := new(int32(len(in.MultipartUpload.Parts) + 1))
	out, err := u.UploadPart(u.Context(), &s3.UploadPartInput{
		Key: in.Key, UploadId: in.UploadId, PartNumber: n, Body: strings.NewReader(body), ContentLength: new(int64(len(body))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	if err != nil {
		u.Fatal(err)
	}
	in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, types.CompletedPart{PartNumber: n, ETag: out.ETag})
}

// finish completes an upload.
func (u user) finish(in *s3.CompleteMultipartUploadInput) *s3.CompleteMultipartUploadOutput {
	u.Helper()
	out, err := u.CompleteMultipartUpload(u.Context(), in)
	if err != nil {
		u.Fatal(err)
	}
	return out
}

// reads holds that a version has a body, and returns what else is said of it.
func (u user) reads(key string, version *string, want string) *s3.GetObjectOutput {
	u.Helper()
	out, err := u.GetObject(u.Context(), &s3.GetObjectInput{Key: &key, VersionId: version, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		u.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil || string(body) != want {
		u.Fatalf("%s reads %d bytes, %v; want %d", key, len(body), err, len(want))
	}
	return out
}

// listed lists uploads by pages.
func (u user) listed(size int32, delimiter string) (all []string) {
	u.Helper()
	in := &s3.ListMultipartUploadsInput{MaxUploads: &size, Delimiter: &delimiter}
	for {
		out, err := u.ListMultipartUploads(u.Context(), in)
		if err != nil {
			u.Fatal(err)
		}
		for _, m := range out.Uploads {
			all = append(all, *m.Key+" "+*m.UploadId)
		}
		for _, p := range out.CommonPrefixes {
			all = append(all, *p.Prefix)
		}
		if len(out.Uploads)+len(out.CommonPrefixes) > int(size) || len(all) > 100 {
			u.Fatalf("a page of %d has %v", size, out)
		}
		if !*out.IsTruncated {
			slices.SortStableFunc(all, func(a, b string) int { return strings.Compare(keyOf(a), keyOf(b)) })
			return all
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}

// keyOf is the key in what is listed.
func keyOf(s string) string { key, _, _ := strings.Cut(s, " "); return key }

// goOnWithUploads gives a bucket versions while there are uploads, and goes on with them.
func goOnWithUploads(t *testing.T, store backends.Backend, bucket string, x versions.Index, change func(*versioned.Options), known s3servers.Known) {
	sealer, err := token.New(bytes.Repeat([]byte{7}, 64))
	if err != nil {
		t.Fatal(err)
	}
	o := options(store, x)
	o.Heads = mount.New(mount.Options{Backend: store, Bucket: bucket, Prefix: headPrefix, Exclude: []string{headPrefix + ".versions/"}})
	o.Bodies = mount.New(mount.Options{Backend: store, Bucket: bucket, Prefix: headPrefix + ".versions/"})
	change(&o)
	plain := newUser(t, mount.New(mount.Options{
		Backend: store, Bucket: bucket, Prefix: headPrefix, BucketID: "bucket", MountID: "content", Sealer: sealer,
	}))
	b := newUser(t, mount.New(mount.Options{
		Backend: versioned.New(o), BucketID: "bucket", MountID: "content", Sealer: sealer, Within: headPrefix,
	}))
	if !o.Complete {
		if _, err := plain.PutObject(t.Context(), &s3.PutObjectInput{
			Key: new("k"), Body: strings.NewReader("old"), ContentLength: new(int64(3)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		}); err != nil {
			t.Fatal(err)
		}
	}
	five := strings.Repeat("12345", 1<<20)
	u, aborted, single := plain.begin("k"), plain.begin("k"), plain.begin("dir/single")
	done := plain.begin("done")
	plain.part(u, five)
	plain.part(done, "done")
	madeBefore := plain.finish(done)
	plain.part(aborted, "x")

	// Its parts.
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Key: new("source"), Body: strings.NewReader("-tail-"), ContentLength: new(int64(6)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	}); err != nil {
		t.Fatal(err)
	}
	part, err := b.UploadPartCopy(t.Context(), backends.CopySource{Key: "source"}, &s3.UploadPartCopyInput{
		Key: new("k"), UploadId: u.UploadId, PartNumber: new(int32(2)), CopySourceRange: new("bytes=1-4"),
	})
	if err != nil {
		t.Fatal(err)
	}
	u.MultipartUpload.Parts = append(u.MultipartUpload.Parts, types.CompletedPart{PartNumber: new(int32(2)), ETag: part.CopyPartResult.ETag})
	b.part(single, "one")
	list, err := b.ListParts(t.Context(), &s3.ListPartsInput{Key: new("k"), UploadId: u.UploadId})
	if err != nil || len(list.Parts) != 2 || *list.UploadId != *u.UploadId || *list.Parts[1].Size != 4 {
		t.Errorf("listed the parts %+v, %v", list, err)
	}

	// Listings.
	newer, other := b.begin("k"), b.begin("dir/other")
	if _, ok := known.Lacks[backendtest.ListUploads]; !ok {
		want := []string{"dir/other " + *other.UploadId, "dir/single " + *single.UploadId, "k " + *u.UploadId, "k " + *aborted.UploadId, "k " + *newer.UploadId}
		if _, ok := known.Lacks[backendtest.UploadOrder]; ok {
			want = b.listed(1000, "")
			for _, m := range []*s3.CompleteMultipartUploadInput{u, aborted, single, newer, other} {
				if !slices.Contains(want, *m.Key+" "+*m.UploadId) {
					t.Errorf("%s is not listed", *m.Key)
				}
			}
		}
		for size := int32(1); size <= 6; size++ {
			if got := b.listed(size, ""); !slices.Equal(got, want) {
				t.Errorf("listed by %d %q, want %q", size, got, want)
			}
			if got := b.listed(size, "/"); !slices.Equal(got, slices.Insert(slices.Clone(want[2:]), 0, "dir/")) {
				t.Errorf("listed by %d and prefixes %q, want dir/ and %q", size, got, want[2:])
			}
		}
	}

	// Aborted.
	if _, err := b.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Key: new("k"), UploadId: aborted.UploadId}); err != nil {
		t.Error(err)
	}
	if _, err = b.CompleteMultipartUpload(t.Context(), aborted); !s3err.Is(err, s3err.NoSuchUpload) {
		t.Errorf("completing what was aborted: %v", err)
	}

	// Completed.
	refused := *u
	refused.IfMatch = new(`"00000000000000000000000000000000"`)
	if _, err = b.CompleteMultipartUpload(t.Context(), &refused); !s3err.Is(err, s3err.PreconditionFailed) && !s3err.Is(err, s3err.NoSuchKey) {
		t.Errorf("under a condition: %v", err)
	}
	made := b.finish(u)
	if aws.ToString(made.VersionId) == "null" || *made.ETag != backends.PartsETag(u) {
		t.Errorf("made version %s with the ETag %s, want %s", aws.ToString(made.VersionId), *made.ETag, backends.PartsETag(u))
	}
	for range 2 {
		got := b.reads("k", nil, five+"tail")
		if *got.VersionId != *made.VersionId || *got.ETag != *made.ETag || got.Metadata["says"] != "new" || len(got.Metadata) != 1 || *got.ContentType != "text/x-new" {
			t.Errorf("it is %v", got)
		}
		if _, ok := known.Lacks[backendtest.PartChecksums]; !ok && aws.ToString(got.ChecksumCRC64NVME) != aws.ToString(made.ChecksumCRC64NVME) {
			t.Errorf("the checksum is %s, was %s", aws.ToString(got.ChecksumCRC64NVME), aws.ToString(made.ChecksumCRC64NVME))
		}
		head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k"), PartNumber: new(int32(2))})
		if err != nil || *head.ContentLength != 4 || aws.ToInt32(head.PartsCount) != 2 {
			t.Errorf("its second part: %v, %v", head, err)
		}
		if again := b.finish(u); *again.VersionId != *made.VersionId || *again.ETag != *made.ETag {
			t.Errorf("completed again it is %s, was %s", *again.VersionId, *made.VersionId)
		}
		if !o.Complete {
			b.reads("k", new("null"), "old")
		}
	}
	if got := b.finish(single); *got.ETag != backends.PartsETag(single) {
		t.Errorf("one part has the ETag %s", *got.ETag)
	}
	b.reads("dir/single", nil, "one")

	// Completed before, which some stores remember.
	if !o.Complete {
		again := b.finish(done)
		if *again.ETag != *madeBefore.ETag || aws.ToString(again.VersionId) != "null" {
			t.Errorf("completed again it is %s %s, was %s", aws.ToString(again.VersionId), *again.ETag, *madeBefore.ETag)
		}
	}
	all, err := b.Backend.(backends.Versioned).ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{})
	want := "[dir/single done k k source]"
	if o.Complete {
		want = "[dir/single k source]"
	}
	var keys []string
	for _, v := range all.Versions {
		keys = append(keys, *v.Key)
	}
	if err != nil || fmt.Sprint(keys) != want {
		t.Errorf("the versions are of %v, want %s, %v", keys, want, err)
	}

	// Nobody reads heads, and none is left.
	if o.Private {
		if _, err := plain.HeadObject(t.Context(), &s3.HeadObjectInput{Key: new("k")}); !s3err.Is(err, s3err.NoSuchKey) {
			t.Errorf("an object is left at the plain place: %v", err)
		}
	}
}
