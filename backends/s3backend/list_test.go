package s3backend

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestPathStart(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := pathStart(s); got != want {
			t.Errorf("%q begins with the path %q, want %q", s, got, want)
		}
	}
	f("", "")
	f("a", "a")
	f("a/", "a/")
	f("a/b/c.txt", "a/b/c.txt")
	f("..", "")
	f("../a", "")
	f("a/../b", "a/")
	f("a/b/.", "a/b/")
	f("a//b", "a/")
	f("/a", "")
	f("a/"+strings.Repeat("x", 256)+"/b", "a/")
}

// TestListOfPaths: a listing may begin anywhere, also where a service whose keys are paths
// has none and would refuse to look.
func TestListOfPaths(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := server.get(t)
			b, bucket := connect(t, s, server.can), s.NewBucket(t)
			keys := []string{"!", "..x", "a/.b", "a/b", "b/c/d", "z"}
			for _, key := range keys {
				if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(""), ContentLength: new(int64(0))}); err != nil {
					t.Fatal(err)
				}
			}
			f := func(prefix, after string, want ...string) {
				t.Helper()
				for _, size := range []int32{1, 2, 1000} {
					var got []string
					for at, more := after, true; more; {
						out, err := b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, StartAfter: &at, MaxKeys: &size})
						if err != nil {
							t.Fatalf("prefix %q after %q: %v", prefix, at, err)
						}
						for i := range out.Contents {
							got = append(got, *out.Contents[i].Key)
						}
						if more = *out.IsTruncated; more {
							at = got[len(got)-1]
						}
					}
					if !slices.Equal(got, want) {
						t.Errorf("prefix %q after %q by %d: %q, want %q", prefix, after, size, got, want)
					}
				}
			}
			f("", "..", keys[1:]...)
			f("", "../z", keys[1:]...)
			f("", "a/../b", keys[2:]...)
			f("", "a//", keys[3:]...)
			f("", "a/./", keys[2:]...)
			f("", "b//x", "b/c/d", "z")
			f("..", "", "..x")
			f(".", "", "..x")
			f("a/.", "", "a/.b")
			f("a//", "")
			f("../", "")
		})
	}
}

// TestListManyBelow: a page may be filled by keys that are one common prefix, which is none to
// the service's mind when the delimiter is no slash. What follows is found.
func TestListManyBelow(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := server.get(t)
			b, bucket := connect(t, s, server.can), s.NewBucket(t)
			keys := []string{"b", "c"}
			for i := range 40 {
				keys = append(keys, fmt.Sprintf("at%02d", i))
			}
			for _, key := range keys {
				if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(""), ContentLength: new(int64(0))}); err != nil {
					t.Fatal(err)
				}
			}
			for _, size := range []int32{1, 2, 5, 1000} {
				var got []string
				for at, more := "", true; more; {
					out, err := b.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Delimiter: new("t"), StartAfter: &at, MaxKeys: &size})
					if err != nil {
						t.Fatal(err)
					}
					for i := range out.CommonPrefixes {
						got = append(got, *out.CommonPrefixes[i].Prefix)
					}
					for i := range out.Contents {
						got = append(got, *out.Contents[i].Key)
					}
					if more = *out.IsTruncated; more {
						at = got[len(got)-1]
					}
				}
				if want := []string{"at", "b", "c"}; !slices.Equal(got, want) {
					t.Errorf("by %d: %q, want %q", size, got, want)
				}
			}
		})
	}
}
