package upkeep_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// without is the same storage with an index that knows nothing.
func (k *kept) without() *kept {
	o := k.Options
	o.Index = memindex.New()
	return k.with(o)
}

// told is all that is told of versions but to the millisecond when they were written: of each key the newest first.
func (k *kept) told() string {
	k.Helper()
	var lines []string
	for in := (&s3.ListObjectVersionsInput{MaxKeys: new(int32(1))}); ; { // one by one, so that markers are in their places
		out, err := k.bucket.(backends.Versioned).ListObjectVersions(k.Context(), in)
		if err != nil {
			k.Fatal(err)
		}
		for _, v := range out.Versions {
			lines = append(lines, fmt.Sprint(*v.Key, " ", *v.VersionId, " ", *v.IsLatest, " ", *v.Size, " ", *v.ETag, " ", v.StorageClass, " ", v.ChecksumAlgorithm, " ", *v.Owner.ID))
		}
		for _, m := range out.DeleteMarkers {
			lines = append(lines, fmt.Sprint(*m.Key, " ", *m.VersionId, " ", *m.IsLatest, " marker ", *m.Owner.ID))
		}
		if !aws.ToBool(out.IsTruncated) {
			return strings.Join(lines, "\n")
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}

// TestRebuild makes an index of storage alone, after any history, and holds that it tells what the lost one told: versions
// in order, markers, actors, null versions, what is current; and that the bucket goes on from there.
func TestRebuild(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 30 {
		k := open(t, func(o *versioned.Options) {
			if rng.IntN(2) == 0 {
				o.DataType = "records"
			}
		})
		keys := []string{"a", "a/v1", "a/v1/v0", "c/1/head.json", "c/1"}
		if rng.IntN(2) == 0 {
			keys = append(keys, longKeys()...)
		}
		for range rng.IntN(8 * len(keys)) {
			if rng.IntN(8) == 0 { // suspend, or enable again
				o := k.Options
				o.Versioning = []router.Versioning{router.Enabled, router.Suspended}[rng.IntN(2)]
				k = k.with(o)
			}
			key := keys[rng.IntN(len(keys))]
			switch rng.IntN(5) {
			case 0:
				k.remove(key, "")
			case 1:
				if v := k.newest(key, rng); v != "" {
					k.remove(key, v)
				}
			default:
				k.put(key, fmt.Sprint(rng.IntN(100)))
			}
		}
		want, objects := k.told(), k.all()
		lost := k.without()
		if _, err := lost.Rebuild(t.Context(), upkeep.Position{}); err != nil {
			t.Fatal(err)
		}
		lost.want("versions", lost.told(), want)
		lost.want("objects", lost.all(), objects)
		lost.want("verify", lost.verify(false), "")
		again, err := lost.Rebuild(t.Context(), upkeep.Position{})
		if err != nil || again.Versions != 0 {
			t.Errorf("again: %+v, %v", again, err)
		}
		lost.now = k.now
		for _, key := range keys {
			lost.remove(key, "")
			lost.put(key, "new")
		}
		lost.want("after it", lost.verify(false), "")
		if got := lost.told(); !contains(got, want) {
			t.Errorf("versions are gone:\n%s\nof\n%s", got, want)
		}
	}
}

// contains reports whether the versions of one listing are in another, but for null ones and for what was latest.
func contains(all, some string) bool {
	for line := range strings.Lines(some) {
		if f := strings.Fields(line); f[1] != "null" && !strings.Contains(all, f[0]+" "+f[1]+" ") {
			return false
		}
	}
	return true
}

// newest is the newest version of a key, or an older one; empty when there is none.
func (k *kept) newest(key string, rng *rand.Rand) string {
	k.Helper()
	list, err := k.Index.Versions(k.Context(), versions.Range{BucketID: k.BucketID, Prefix: key, From: versions.Position{Key: key}, Limit: 3})
	if err != nil {
		k.Fatal(err)
	}
	if len(list) == 0 {
		return ""
	}
	e := list[rng.IntN(len(list))]
	top, err := k.Index.Top(k.Context(), k.Object(key))
	if err != nil || e.Key != key || !top.State.Live(e.Row) {
		return ""
	}
	return e.Version.ID.String()
}

// TestRebuildBackup: an index that was restored from a backup gets what was written since.
func TestRebuildBackup(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	k.put("b", "1")
	backup := k.without()
	for _, key := range []string{"a", "b"} {
		row, err := k.Index.Top(t.Context(), k.Object(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := backup.Index.TakeSlot(t.Context(), versions.Slot{Object: k.Object(key)}); err != nil {
			t.Fatal(err)
		}
		if err := backup.Index.InsertRow(t.Context(), k.Object(key), row); err != nil {
			t.Fatal(err)
		}
	}
	k.put("a", "2")
	k.remove("b", "")
	k.put("new", "1")
	out, err := backup.Rebuild(t.Context(), upkeep.Position{})
	if err != nil || out.Versions != 3 || out.Known != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	backup.want("versions", backup.told(), k.told())
}

// TestRebuildUpload: a version with a lesser number than others that was committed after the backup is not lost.
func TestRebuildUpload(t *testing.T) {
	t.Parallel()
	x := &committing{Index: memindex.New()}
	k := open(t, func(o *versioned.Options) { o.Index = x })
	k.now = begun.Add(-24 * time.Hour)
	k.put("a", "1")
	backup := k.without()
	x.before = func() {
		k.put("a", "3") // overtakes the one that is being written
		var b bytes.Buffer
		c := upkeep.Contents{Places: []string{k.BucketID}}
		if _, err := upkeep.Dump(t.Context(), x, c, &b, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := upkeep.Load(t.Context(), backup.Index, &b, nil); err != nil {
			t.Fatal(err)
		}
	}
	k.put("a", "22")
	backup.want("the backup", backup.get("a"), "3")
	backup.now = begun.Add(24 * time.Hour)
	if out, err := backup.Rebuild(t.Context(), upkeep.Position{}); err != nil || out.Versions != 1 || out.Known != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	backup.want("versions", backup.told(), k.told())
}

// TestRebuildInFlight: a body whose write may be under way is left alone.
func TestRebuildInFlight(t *testing.T) {
	t.Parallel()
	x := &committing{Index: memindex.New()}
	k := open(t, func(o *versioned.Options) { o.Index = x })
	k.put("a", "1")
	x.before = func() {
		if out, err := k.Rebuild(t.Context(), upkeep.Position{}); err != nil || out.Pending != 1 || out.Versions != 0 {
			t.Errorf("%+v, %v", out, err)
		}
	}
	k.put("a", "2")
	k.want("verify", k.verify(false), "")
	if x.before != nil {
		t.Error("no rebuild was made")
	}
}

// TestImport takes objects from before into the index, and none twice.
func TestImport(t *testing.T) {
	t.Parallel()
	k := open(t, func(o *versioned.Options) { o.Complete = false })
	k.raw("plain/a", "1")
	k.raw("plain/b", "1")
	k.put("b", "2")
	k.put("c", "1")
	seen := k.list()
	f := func(adopted int64) {
		t.Helper()
		out, err := k.Import(t.Context())
		if err != nil || out.Adopted != adopted {
			t.Errorf("%+v, %v", out, err)
		}
	}
	f(1)
	f(0)
	o := k.Options
	o.Complete = true
	k = k.with(o)
	k.want("versions", k.list(), seen)
	k.want("all", k.all(), "a=1 b=2 c=1")
	k.want("verify", k.verify(false), "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Import(ctx); err == nil {
		t.Error("an import that is broken off succeeds")
	}
}

// TestImportLost: copies of versions that the index has lost are not taken for objects from before.
func TestImportLost(t *testing.T) {
	t.Parallel()
	k := open(t, func(o *versioned.Options) { o.Complete = false })
	k.put("a", "1")
	k.raw("plain/b", "1")
	lost := k.without()
	if out, err := lost.Import(t.Context()); !errors.Is(err, versioned.ErrLostRows) || out.Adopted != 1 || out.Failed != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := lost.Rebuild(t.Context(), upkeep.Position{}); err != nil {
		t.Fatal(err)
	}
	if out, err := lost.Import(t.Context()); err != nil || out.Adopted != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	lost.want("verify", lost.verify(false), "")
	k.rawDelete("versions/.content/a/v0") // The copy is all that there is.
	lost = k.without()
	if out, err := lost.Import(t.Context()); err != nil || out.Adopted != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	lost.want("all", lost.all(), "a=1 b=1")
}

// TestOrphanOfLostIndex: where the index has lost rows, repairing leaves bodies alone that it does not know, and no sweep
// touches them.
func TestOrphanOfLostIndex(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	k.remove("a", "")
	k.put("b", "1")
	lost := k.without()
	stored := k.stored()
	lost.verify(true)
	lost.sweep(time.Time{})
	lost.now = k.now.Add(10 * versions.KeepDead)
	lost.verify(true)
	lost.sweep(time.Time{})
	lost.want("stored", lost.stored(), stored)
}

// TestOrphanOfCustomer: after a rebuild, which cannot read what was written with a customer's key, such a body is left alone,
// though later versions are known: it may be a version, and locked.
func TestOrphanOfCustomer(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	key := bytes.Repeat([]byte{7}, backends.CustomerKeySize)
	sum := md5.Sum(key)
	_, err := k.bucket.PutObject(t.Context(), &s3.PutObjectInput{
		Key: new("a"), Body: strings.NewReader("1"), ContentLength: aws.Int64(1), SSECustomerAlgorithm: new("AES256"),
		SSECustomerKey: new(base64.StdEncoding.EncodeToString(key)), SSECustomerKeyMD5: new(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		t.Fatal(err)
	}
	k.put("a", "2")
	lost := k.without()
	if _, err := lost.Rebuild(t.Context(), upkeep.Position{}); err != nil {
		t.Fatal(err)
	}
	stored := lost.stored()
	lost.now = k.now.Add(10 * versions.KeepDead)
	lost.want("verify", lost.verify(true), "orphan body .content/a/v0: "+upkeep.ErrSealed.Error())
	for range 3 {
		lost.sweep(time.Time{})
		lost.now = lost.now.Add(10 * versions.KeepDead)
	}
	lost.want("stored", lost.stored(), stored)
}

// TestRebuildLocks: an index that is made of storage keeps versions locked as they were written.
func TestRebuildLocks(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.lock("a", "1", time.Hour, types.ObjectLockLegalHoldStatusOn)
	k.lock("b", "1", 0, types.ObjectLockLegalHoldStatusOff)
	k.put("c", "1")
	told := func(k *kept) (all []any) {
		t.Helper()
		for _, key := range []string{"a", "b", "c"} {
			out, err := k.bucket.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &key})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, out.ObjectLockMode, aws.ToTime(out.ObjectLockRetainUntilDate), out.ObjectLockLegalHoldStatus)
		}
		return all
	}
	again := k.without()
	if _, err := again.Rebuild(t.Context(), upkeep.Position{}); err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(told(k), told(again)); d != "" {
		t.Errorf("-before +after\n%s", d)
	}
}
