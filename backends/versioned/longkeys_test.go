package versioned_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/s3servers"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// longKeys are keys of a number of bytes, all of which begin alike and are paths: ends in a file, in characters of
// several bytes, in what the head of a record is called, and in a slash.
func longKeys(n int) (keys []string) {
	begin := strings.Repeat("a long/", n/7-3)
	for _, end := range []string{".txt", "üü", "/head.json", "/"} {
		keys = append(keys, begin+strings.Repeat("e", n-len(begin)-len(end))+end)
	}
	return keys
}

// TestLongKeys holds that keys as long as the store has them have versions like any other: on disk and in memory those of
// 1,024 bytes, where the bucket is all there is in a physical one.
func TestLongKeys(t *testing.T) {
	t.Parallel()
	f := func(name string, files bool, open func(t *testing.T) versioned.Options) {
		for _, dataType := range []string{"content", "records"} {
			t.Run(name+"/"+dataType, func(t *testing.T) {
				t.Parallel()
				o := open(t)
				o.DataType = dataType
				b := &bucketOf{TB: t, Backend: versioned.New(o), o: o}
				for _, n := range []int{513, 1000, 1024} {
					for _, key := range longKeys(n) {
						b.longKey(key, files)
					}
				}
			})
		}
	}
	whole := func(store backends.Backend, bucket string, x versions.Index) versioned.Options {
		return versioned.Options{
			Heads:  mount.New(mount.Options{Backend: store, Bucket: bucket, Exclude: []string{bodyPrefix}}),
			Bodies: mount.New(mount.Options{Backend: store, Bucket: bucket, Prefix: bodyPrefix}),
			Index:  x, BucketID: bucketID, Versioning: router.Enabled, Complete: true,
		}
	}
	f("memory", false, func(t *testing.T) versioned.Options { return whole(memory(t), "physical", memindex.New()) })
	f("disk", false, func(t *testing.T) versioned.Options {
		o := whole(local(t), "physical", kv(t))
		o.Private = true
		return o
	})
	server := func(s s3servers.Server) func(t *testing.T) versioned.Options {
		return func(t *testing.T) versioned.Options { return whole(connect(t, s), s.NewBucket(t), memindex.New()) }
	}
	f("versitygw", true, server(s3servers.VersityGW(t)))
	f("MinIO", true, server(s3servers.MinIO(t)))
}

// longKey does with a key what can be done with one.
func (b *bucketOf) longKey(key string, files bool) {
	b.Helper()
	bodies := []string{"1", "2", "3"}
	if files && strings.HasSuffix(key, "/") {
		bodies = []string{"", "", ""} // Such a key is a directory.
	}
	first, second := b.put(key, bodies[0]), b.put(key, bodies[1])
	marker := b.remove(key, "")
	if _, err := b.get(key, ""); !s3err.Is(err, s3err.NoSuchKey) {
		b.Errorf("%q is deleted, and reads %v", key, err)
	}
	for id, want := range map[string]string{first: bodies[0], second: bodies[1]} {
		if got, err := b.get(key, id); got != want || err != nil {
			b.Errorf("%q has the version %s, %q, %v", key, want, got, err)
		}
	}
	b.remove(key, aws.ToString(marker.VersionId))
	b.remove(key, first)
	if got, err := b.get(key, ""); got != bodies[1] || err != nil {
		b.Errorf("%q reads %q, %v", key, got, err)
	}
	if !b.o.Private {
		head, err := b.o.Heads.HeadObject(b.Context(), &s3.HeadObjectInput{Key: &key})
		if err != nil {
			b.Fatal(err)
		}
		if m, ok := versioned.ReadMark(head.Metadata); !ok || m.ID.String() != second || m.Rest == "" || m.Rest != versions.Rest(key) {
			b.Errorf("%q has the head of %+v", key, m)
		}
	}
	if bodies[2] == "" {
		return
	}
	if err := b.complete(b.Context(), b.upload(key, bodies[2])); err != nil {
		b.Error(err)
	}
	if got, err := b.get(key, ""); got != bodies[2] {
		b.Errorf("%q reads %q after an upload, %v", key, got, err)
	}
}

// TestKeyTooLong holds that a key which the plain place cannot have is refused before anything is stored or committed,
// though its bodies have room.
func TestKeyTooLong(t *testing.T) {
	t.Parallel()
	f := func(private bool) {
		t.Helper()
		b := open(t, func(o *versioned.Options) { o.Private = private })
		b.put("from", "x")
		stored, key := b.stored(""), strings.Repeat("k", maxKeyBytes+1)
		_, put := b.PutObject(t.Context(), &s3.PutObjectInput{Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1)})
		_, removed := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: &key})
		_, copied := b.CopyObject(t.Context(), backends.CopySource{Key: "from"}, &s3.CopyObjectInput{Key: &key})
		u, _ := backends.As[backends.MultipartUploader](b.Backend)
		_, begun := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Key: &key})
		for _, err := range []error{put, removed, copied, begun} {
			if !s3err.Is(err, s3err.KeyTooLong) {
				t.Errorf("a write says %v", err)
			}
		}
		if got := b.stored(""); !slices.Equal(got, stored) {
			t.Errorf("stored are %q, were %q", got, stored)
		}
		if slots, err := b.index.Slots(t.Context(), versions.Slot{Object: b.object(key)}, 10); err != nil || len(slots) > 0 {
			t.Errorf("slots are %v, %v", slots, err)
		}
		b.put(key[1:], "fits")
	}
	f(false)
	f(true)
}

// object names an object of the bucket.
func (b *bucketOf) object(key string) versions.Object {
	return versions.Object{BucketID: b.o.BucketID, Key: key}
}

// TestLongUploadsOfOthers holds that of uploads in the place of versions a listing shows those whose keys the index knows, however
// many begin like them.
func TestLongUploadsOfOthers(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	u, _ := backends.As[backends.MultipartUploader](b.Backend)
	begin := strings.Repeat("k", 512)
	for i := range int64(2500) { // more than are read at once, of one object and of many
		for _, s := range []versions.Slot{{Object: b.object(begin + "b"), N: i}, {Object: b.object(fmt.Sprint(begin, "b", i))}} {
			if err := b.index.TakeSlot(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string]bool{begin + "a": true, begin + "bbb": true, begin + "c": true}
	for key := range want {
		if _, err := u.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	bodies, _ := backends.As[backends.MultipartUploader](b.o.Bodies)
	for _, key := range []string{
		b.o.Layout.Body("content", begin+"unknown", 0), b.o.Layout.Body("records", begin+"a", 0), ".content.h/" + begin + "/x/v0",
	} {
		if _, err := bodies.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := u.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Prefix: &begin})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range out.Uploads {
		got = append(got, *m.Key)
	}
	if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("uploads are of %q", got)
	}
}

// TestLongKeysFromBefore holds that an upload from before of a long key, and the object that it is put over, have bodies
// that say whose they are, whether the store makes them at their places or they are copied there.
func TestLongKeysFromBefore(t *testing.T) {
	t.Parallel()
	f := func(elsewhere bool) {
		t.Helper()
		b := open(t, before)
		if elsewhere {
			b.places()
		}
		for _, key := range longKeys(maxKeyBytes) {
			b.putPlain(key, "old")
			upload := b.uploadBefore(key, "new")
			if err := b.complete(t.Context(), upload); err != nil {
				t.Fatal(err)
			}
			if got := b.history(key); got != "new* (old)" {
				t.Errorf("%q has the versions %s", key, got)
			}
			for n := range int64(2) {
				body := b.o.Layout.Body("content", key, n)
				of, at, ok, err := versioned.NewPlace(b.o).KeyOf(t.Context(), body)
				if of != key || at != n || !ok || err != nil {
					t.Errorf("%q is body %d of %q, %v, %v", body, at, of, ok, err)
				}
				head, err := b.o.Bodies.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &body})
				if err != nil {
					t.Fatal(err)
				}
				if m, ok := versioned.ReadMark(head.Metadata); !ok || m.Rest != versions.Rest(key) {
					t.Errorf("%q says %+v", body, m)
				}
			}
		}
	}
	f(false)
	f(true)
}
