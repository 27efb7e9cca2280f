package backendtest

import (
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// bucketCases are about BucketManager.
var bucketCases = []testCase{
	{"bucket/life", "CreateBucket makes a bucket, DeleteBucket removes an empty one", bucketLife},
	{"bucket/apart", "keys of one bucket are not in another", bucketsApart},
	{"bucket/unfinished", "DeleteBucket removes unfinished uploads, too", bucketUnfinished},
	{"bucket/race", "no write that was acknowledged is lost to a DeleteBucket", bucketRace},
}

// manager returns the ability, or skips the case.
func (e *env) manager() backends.BucketManager {
	m, ok := backends.As[backends.BucketManager](e.b)
	if !ok {
		e.Skip("no BucketManager")
	}
	return m
}

// create makes a bucket and returns what works in it.
func (e *env) create(name string) *env {
	e.Helper()
	if _, err := e.manager().CreateBucket(e.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		e.Fatalf("CreateBucket: %v", err)
	}
	return &env{T: e.T, b: e.b, bucket: name, options: e.options}
}

// drop deletes the bucket.
func (e *env) drop() error {
	_, err := e.manager().DeleteBucket(e.Context(), &s3.DeleteBucketInput{Bucket: &e.bucket})
	return err
}

func bucketLife(e *env) {
	m := e.manager()
	name := e.bucket + "-2"
	_, err := m.HeadBucket(e.Context(), &s3.HeadBucketInput{Bucket: &name})
	e.refused(err, s3err.NoSuchBucket)
	two := e.create(name)
	if _, err := m.HeadBucket(e.Context(), &s3.HeadBucketInput{Bucket: &name}); err != nil {
		e.Errorf("HeadBucket: %v", err)
	}
	_, err = m.CreateBucket(e.Context(), &s3.CreateBucketInput{Bucket: &name})
	e.refused(err, s3err.BucketAlreadyOwnedByYou)
	two.put("k", "x")
	e.refused(two.drop(), s3err.BucketNotEmpty)
	two.holds("k", "x")
	two.remove("k")
	if err := two.drop(); err != nil {
		e.Errorf("DeleteBucket: %v", err)
	}
	e.refused(two.drop(), s3err.NoSuchBucket)
	_, err = two.tryPut("k", "x")
	e.refused(err, s3err.NoSuchBucket)
	two = e.create(name)
	e.same("keys of a bucket that is made again", two.keys(), []string{})
	if err := two.drop(); err != nil {
		e.Errorf("DeleteBucket: %v", err)
	}
}

func bucketsApart(e *env) {
	two := e.create(e.bucket + "-2")
	e.put("k", "one")
	two.put("k", "two")
	two.put("l", "two")
	e.holds("k", "one")
	two.holds("k", "two")
	e.same("keys", e.keys(), []string{"k"})
	src := backends.CopySource{Bucket: two.bucket, Key: "l"}
	if _, err := e.b.CopyObject(e.Context(), src, &s3.CopyObjectInput{Bucket: &e.bucket, Key: new("l")}); err != nil {
		e.Errorf("CopyObject from the other bucket: %v", err)
	}
	e.holds("l", "two")
	two.remove("k")
	two.remove("l")
	e.holds("k", "one")
	if err := two.drop(); err != nil {
		e.Errorf("DeleteBucket: %v", err)
	}
}

func bucketUnfinished(e *env) {
	name := e.bucket + "-2"
	two := e.create(name)
	u := two.begin("k")
	u.part(1, "x")
	if err := two.drop(); err != nil {
		e.Fatalf("DeleteBucket: %v", err)
	}
	two = e.create(name)
	two.open([]string{})
	if err := two.drop(); err != nil {
		e.Errorf("DeleteBucket: %v", err)
	}
}

func bucketRace(e *env) {
	e.manager()
	for range 15 {
		two := e.create(e.bucket + "-2")
		var mu sync.Mutex
		stored := 0
		dropped := false
		together(func(i int) {
			var err error
			if i == 0 {
				err = two.drop()
			} else {
				_, err = two.tryPut(strings.Repeat("k", i), "x")
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case i == 0 && err == nil:
				dropped = true
			case i == 0 && !s3err.Is(err, s3err.BucketNotEmpty):
				e.Errorf("DeleteBucket: %v", err)
			case i > 0 && err == nil:
				stored++
			case i > 0 && !s3err.Is(err, s3err.NoSuchBucket):
				e.Errorf("PutObject: %v", err)
			}
		})
		if dropped && stored > 0 {
			e.Fatalf("%d acknowledged objects went with their bucket", stored)
		}
		if dropped {
			continue
		}
		e.same("objects", len(two.keys()), stored)
		for _, key := range two.keys() {
			two.remove(key)
		}
		if err := two.drop(); err != nil {
			e.Fatalf("DeleteBucket: %v", err)
		}
	}
}
