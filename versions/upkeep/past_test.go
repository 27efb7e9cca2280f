package upkeep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// restore restores and returns what it did.
func (k *kept) restore(at time.Time, prefix string, dryRun bool) string {
	k.Helper()
	k.now = k.now.Add(time.Second)
	var lines []string
	out, err := k.RestoreAsOf(k.Context(), upkeep.Past{
		Prefix: prefix, At: at, DryRun: dryRun, By: backends.Request{AccessKey: "OPERATOR"},
		Report: func(c upkeep.Change) {
			lines = append(lines, strings.TrimSpace(c.Change+" "+c.Key+" "+c.Error))
		},
	})
	if err != nil {
		k.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(append(lines, fmt.Sprintf("%d %d %d", out.PutBack, out.Deleted, out.Same)), ", ")
}

// all is what is there.
func (k *kept) all() string {
	k.Helper()
	out, err := k.bucket.ListObjectsV2(k.Context(), &s3.ListObjectsV2Input{})
	if err != nil {
		k.Fatal(err)
	}
	var list []string
	for _, o := range out.Contents {
		list = append(list, *o.Key+"="+k.get(*o.Key))
	}
	return strings.Join(list, " ")
}

// TestRestore brings a bucket back, below a prefix and whole, and holds that it can be told before, is not done twice, and
// can be undone.
func TestRestore(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("dir/changed", "1")
	k.put("dir/deleted", "1")
	k.put("dir/same", "1")
	k.put("dirt", "1")
	_, err := k.bucket.(backends.Tagger).PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Key: new("dir/deleted"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("k"), Value: new("v")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	k.now = k.now.Add(time.Second)
	good := k.now
	const before = "dir/changed=1 dir/deleted=1 dir/same=1 dirt=1"
	k.want("then", k.all(), before)
	k.put("dir/changed", "2")
	k.remove("dir/deleted", "")
	k.put("dir/new", "2")
	k.put("dirt", "2")
	k.now = k.now.Add(time.Second)
	bad := k.now
	const after = "dir/changed=2 dir/new=2 dir/same=1 dirt=2"
	k.want("now", k.all(), after)
	versionsBefore := k.list()

	const below = "delete dir/new, put back dir/changed, put back dir/deleted, 2 1 1"
	k.want("dry run", k.restore(good, "dir/", true), below)
	k.want("dry run changes nothing", k.list(), versionsBefore)
	k.want("below a prefix", k.restore(good, "dir/", false), below)
	k.want("after it", k.all(), "dir/changed=1 dir/deleted=1 dir/same=1 dirt=2")
	tags, err := k.bucket.(backends.Tagger).GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Key: new("dir/deleted")})
	if err != nil || len(tags.TagSet) != 1 {
		t.Errorf("tags: %v, %v", tags, err)
	}
	k.want("again", k.restore(good, "dir/", false), "0 0 4")
	k.want("all", k.restore(good, "", false), "put back dirt, 1 0 4")
	k.want("as before", k.all(), before)
	if !strings.Contains(k.list(), strings.Split(versionsBefore, "\n")[0]) {
		t.Error("versions are gone")
	}
	k.restore(bad, "", false)
	k.want("undone", k.all(), after)
	k.want("verify", k.verify(false), "")
	k.want("to before the beginning", k.restore(begun, "", false), "delete dir/changed, delete dir/new, delete dir/same, delete dirt, 0 4 1")
	k.want("nothing", k.all(), "")
}

// TestRestoreFails: what could not be restored is told, and is restored when it is done again.
func TestRestoreFails(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.put("a", "1")
	k.put("b", "1")
	good := k.now
	k.put("a", "2")
	k.put("b", "2")
	k.store.SetPlan(func(c faultbackend.Call) faultbackend.Fault {
		if c.Op == "CopyObject" && strings.Contains(c.Key, "/a/") {
			return faultbackend.Fault{Err: errStore}
		}
		return faultbackend.Fault{}
	})
	got := k.restore(good, "", false)
	k.store.SetPlan(nil)
	k.want("restore", got, "put back a the store fails, put back b, 1 0 0")
	k.want("again", k.restore(good, "", false), "put back a, 1 0 1")
	k.want("all", k.all(), "a=1 b=1")
}

// TestRestoreBefore: objects that were there before versions are as they were, and one that came later goes.
func TestRestoreBefore(t *testing.T) {
	t.Parallel()
	k := open(t, func(o *versioned.Options) { o.Complete = false })
	k.raw("plain/old", "1")
	k.want("to before it was there", k.restore(begun.Add(-time.Hour), "", true), "delete old, 0 1 0")
	k.want("to after", k.restore(time.Now().Add(time.Hour), "", false), "0 0 1")
	k.want("all", k.all(), "old=1")
}

// TestHistory tells who did what, also when rows of it are gone.
func TestHistory(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	history := func() string {
		t.Helper()
		list, err := k.History(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range list {
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v %s %s %s %d %s", e.Time.Sub(begun), e.Kind, e.Operation, e.AccessKey, e.Size, e.State)))
		}
		return strings.Join(lines, "\n")
	}
	if _, err := k.History(t.Context(), "a"); !s3err.Is(err, s3err.NoSuchKey) {
		t.Errorf("of nothing: %v", err)
	}
	k.put("a", "1")
	gone := k.put("a", "22")
	k.remove("a", gone)
	k.remove("a", "")
	k.now = k.now.Add(time.Second)
	if err := k.Restore(k.ctx("Restore"), "a", k.version("a", 0)); err != nil {
		t.Fatal(err)
	}
	k.want("history", history(), `5s put Restore AKID 1 current
4s marker DeleteObject AKID 0
3s remove DeleteObject AKID 2 removed
2s put PutObject AKID 2 removed
1s put PutObject AKID 1`)
	k.sweep(time.Time{})
	k.now = k.now.Add(48 * time.Hour)
	k.sweep(time.Time{})
	k.want("what is left", history(), `5s put Restore AKID 1 current
4s marker DeleteObject AKID 0
1s put PutObject AKID 1`)
}

// retain applies rules and returns the versions beyond them.
func (k *kept) retain(r upkeep.Rules, enforce bool) string {
	k.Helper()
	var list []string
	out, err := k.Retain(k.Context(), upkeep.Expiry{Rules: r, Enforce: enforce, Report: func(e upkeep.Expired) {
		if e.Removed != enforce {
			k.Errorf("%s %s: removed %v", e.Key, e.VersionID, e.Removed)
		}
		list = append(list, fmt.Sprintf("%s@%v", e.Key, e.Time.Sub(begun)))
	}})
	if err != nil {
		k.Fatal(err)
	}
	if int(out.Beyond) != len(list) || enforce && out.Removed != out.Beyond {
		k.Errorf("%+v, reported %d", out, len(list))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// lock puts a version that cannot be removed for so long, or is on hold.
func (k *kept) lock(key, body string, d time.Duration, hold types.ObjectLockLegalHoldStatus) {
	k.Helper()
	k.now = k.now.Add(time.Second)
	in := &s3.PutObjectInput{Key: &key, Body: strings.NewReader(body), ContentLength: aws.Int64(int64(len(body))), ObjectLockLegalHoldStatus: hold}
	if d > 0 {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeGovernance, aws.Time(k.now.Add(d))
	}
	if _, err := k.bucket.PutObject(k.ctx("PutObject"), in); err != nil {
		k.Fatal(err)
	}
}

// TestRetainLocked: rules remove no version that is locked, as long as it is.
func TestRetainLocked(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	k.lock("a", "1", 48*time.Hour, "")                              // 1s
	k.lock("a", "2", 0, types.ObjectLockLegalHoldStatusOn)          // 2s
	k.lock("a", "3", time.Hour, types.ObjectLockLegalHoldStatusOff) // 3s
	k.put("a", "4")
	k.want("locked", k.retain(upkeep.Rules{MaxPerItem: 1}, true), "")
	k.now = k.now.Add(2 * time.Hour)
	k.want("one is over", k.retain(upkeep.Rules{MaxPerItem: 1}, true), "a@3s")
	k.now = k.now.Add(48 * time.Hour)
	k.want("both are over", k.retain(upkeep.Rules{MaxPerItem: 1}, true), "a@1s")
	k.want("for good", k.retain(upkeep.Rules{MaxPerItem: 1}, true), "")
}

// TestRetain holds rules to what they say: never the current version, and nothing without being asked to.
func TestRetain(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	day := 24 * time.Hour
	k.put("a", "1") // 1s
	k.put("a", "2") // 2s
	k.put("deleted", "1")
	k.remove("deleted", "") // 4s
	k.put("old", "1")       // 5s: current for ever
	k.now = begun.Add(10 * day)
	k.put("a", "3")
	k.put("a", "4")
	seen := k.list()

	k.want("no rules", k.retain(upkeep.Rules{}, true), "")
	k.want("many", k.retain(upkeep.Rules{MaxPerItem: 2}, false), "a@1s a@2s")
	k.want("one each", k.retain(upkeep.Rules{MaxPerItem: 1}, false), "a@1s a@240h0m1s a@2s deleted@3s")
	k.want("days: since another took its place", k.retain(upkeep.Rules{Days: 5}, false), "a@1s deleted@3s")
	k.want("whichever comes first", k.retain(upkeep.Rules{Days: 5, MaxPerItem: 2}, false), "a@1s a@2s deleted@3s")
	k.want("only told of", k.list(), seen)
	k.want("enforced", k.retain(upkeep.Rules{Days: 5, MaxPerItem: 2}, true), "a@1s a@2s deleted@3s")
	k.want("again", k.retain(upkeep.Rules{Days: 5, MaxPerItem: 2}, true), "")
	k.want("what is there", k.all(), "a=4 old=1")
	k.want("verify", k.verify(false), "")

	k.now = begun.Add(1000 * day)
	k.want("the rest", k.retain(upkeep.Rules{Days: 1}, true), "a@240h0m1s")
	k.want("current ones", k.all(), "a=4 old=1")
	if !strings.Contains(k.list(), "deleted") {
		t.Error("a current delete marker is gone")
	}
}
