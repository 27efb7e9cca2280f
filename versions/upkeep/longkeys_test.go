package upkeep_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// longKeys are keys that their bodies do not have the whole of, nor tell apart by their beginnings.
func longKeys() []string {
	begin := strings.Repeat("ü", 255)
	return []string{
		begin + "/head.json", begin + "aaa", begin + "aaa.txt", begin + "aaa/", begin + "üü", begin + "//../v0",
		begin + strings.Repeat("/", 504), begin + strings.Repeat("🙂", 126),
	}
}

// TestVerifyLong breaks bodies of long keys, and holds that it is found which ones, and that no other is taken for broken.
func TestVerifyLong(t *testing.T) {
	t.Parallel()
	keys := longKeys()
	f := func(explanation string, damage func(k *kept), found, left string) {
		t.Helper()
		k := open(t, nil)
		for _, key := range keys {
			k.put(key, "1")
			k.put(key, "2")
			k.remove(key, k.put(key, "3"))
			k.remove(key, "")
		}
		k.want(explanation+": before", k.verify(false), "")
		damage(k)
		k.want(explanation, k.verify(true), found)
		k.want(explanation+": after it", k.verify(false), left)
	}
	at := func(key string, n int64) string { return (versions.Layout{}).Body("content", key, n) }
	last := keys[len(keys)-1]
	f("nothing", func(*kept) {}, "", "")
	f("a body that is lost", func(k *kept) { k.rawDelete("versions/" + at(last, 0)) }, "missing body "+at(last, 0), "missing body "+at(last, 0))
	f("a marker that is lost", func(k *kept) { k.rawDelete("versions/" + at(last, -5)) }, "missing marker "+at(last, -5)+" repaired", "")
	f("a body without its mark", func(k *kept) { k.raw("versions/"+at(last, 0), "1") }, "wrong body "+at(last, 0), "wrong body "+at(last, 0))
	all := []string{at(last, -5), at(last, 0), at(last, 1)}
	wrong := "wrong body " + strings.Join(all, "\nwrong body ")
	f("all of an object without", func(k *kept) {
		for _, body := range all {
			k.raw("versions/"+body, "1")
		}
	}, wrong, wrong)
	f("a body of a version that was removed", func(k *kept) { k.copyRaw(at(last, 1), at(last, 2)) }, "left body "+at(last, 2)+" repaired", "")
	f("a body that nobody knows", func(k *kept) { k.copyRaw(at(last, 1), at(last, 9)) },
		"orphan body "+at(last, 9)+": the index may have lost rows: `xronox-proxy index rebuild` takes the body in again", "orphan body "+at(last, 9))
	unknown := at(last+"x", 0)
	f("a body of nobody knows what", func(k *kept) { k.raw("versions/"+unknown, "1") }, "orphan body "+unknown, "orphan body "+unknown)
	f("another type's", func(k *kept) { k.raw("versions/"+(versions.Layout{}).Body("records", last, 0), "1") }, "", "")
}

// copyRaw copies a body past the proxy.
func (k *kept) copyRaw(from, to string) {
	k.Helper()
	out, err := k.Bodies.GetObject(k.Context(), &s3.GetObjectInput{Key: &from})
	if err != nil {
		k.Fatal(err)
	}
	_, err = k.Bodies.PutObject(k.Context(), &s3.PutObjectInput{Key: &to, Body: out.Body, ContentLength: out.ContentLength, Metadata: out.Metadata})
	if err != nil {
		k.Fatal(err)
	}
}

// TestVerifyLongPrefix holds that a check of keys that begin with something looks at their bodies, and no others.
func TestVerifyLongPrefix(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	for _, key := range longKeys() {
		k.put(key, "1")
	}
	for _, key := range longKeys() {
		want := int64(0)
		for _, other := range longKeys() {
			if strings.HasPrefix(other, key) {
				want++
			}
		}
		if out, err := k.Verify(t.Context(), upkeep.Check{Prefix: key}); err != nil || out.Bodies != want || out.Problems > 0 {
			t.Errorf("below %q: %+v, %v; want %d bodies", key, out, err, want)
		}
	}
}

// TestRebuildUnmarked holds that what is at the place of a body and says nothing is counted, and no version.
func TestRebuildUnmarked(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	key := longKeys()[1]
	k.put(key, "1")
	k.raw("versions/"+k.Body(key, 7), "1")
	k.raw("versions/"+k.Body(key+"x", 7), "1")
	lost := k.without()
	if out, err := lost.Rebuild(t.Context(), upkeep.Position{}); err != nil || out.Versions != 1 || out.Unmarked != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	lost.want("versions", lost.told(), k.told())
}

// TestRecoverLong holds that a body of a long key that has lost its slot gets it again, and one that says nothing none.
func TestRecoverLong(t *testing.T) {
	t.Parallel()
	k := openPrivate(t, nil)
	from, key := k.now, longKeys()[2]
	k.put(key, "1")
	k.copyRaw(k.Body(key, 0), k.Body(key, 3))
	k.raw("versions/"+k.Body(key+"x", 0), "1")
	for _, want := range []int64{1, 0} {
		if n, err := k.recover(from, k.now); n != want || err != nil {
			t.Errorf("%d bodies, %v, want %d", n, err, want)
		}
	}
	if last, err := k.Index.LastSlot(t.Context(), k.Object(key)); last != 3 || err != nil {
		t.Errorf("the last slot is %d, %v", last, err)
	}
}

// TestVerifyLongGoesOn breaks off verify after any number of calls of the store, and holds that it goes on behind
// what was done.
func TestVerifyLongGoesOn(t *testing.T) {
	t.Parallel()
	k := open(t, nil)
	for _, key := range longKeys() {
		k.put(key, "1")
		k.put(key, "2")
		k.copyRaw(k.Body(key, 0), k.Body(key, 5))
	}
	k.store.SetPlan(nil)
	whole := map[string]bool{}
	if _, _, err := k.verifyFrom(upkeep.Position{}, whole); err != nil || len(whole) != len(longKeys()) {
		t.Fatalf("%d problems, %v", len(whole), err)
	}
	calls := len(k.store.Calls())
	for n := 1; n <= calls; n++ {
		problems := map[string]bool{}
		k.failFrom(n)
		reached, _, err := k.verifyFrom(upkeep.Position{}, problems)
		if !errors.Is(err, errStore) {
			t.Fatalf("call %d: %v", n, err)
		}
		k.store.SetPlan(nil)
		if _, _, err := k.verifyFrom(reached, problems); err != nil || len(problems) != len(whole) {
			t.Errorf("call %d: %d problems from %+v, %v, want %d", n, len(problems), reached, err, len(whole))
		}
	}
}
