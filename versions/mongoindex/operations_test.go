package mongoindex

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/router"
)

// versionedBucket is a bucket in memory with this index.
func versionedBucket(t *testing.T, x *Index) backends.Backend {
	t.Helper()
	store := membackend.New()
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("b")}); err != nil {
		t.Fatal(err)
	}
	at := func(prefix string) backends.Backend {
		return mount.New(mount.Options{Backend: store, Bucket: "b", Prefix: prefix})
	}
	return versioned.New(versioned.Options{
		Heads: at("heads/"), Bodies: at("bodies/"), Index: x, BucketID: "id", DataType: "content",
		Versioning: router.Enabled, Complete: true,
	})
}

// TestOperationCommands holds the operations of S3 on a versioned bucket to the round trips that they may cost.
func TestOperationCommands(t *testing.T) {
	t.Parallel()
	sent := &commands{}
	b := versionedBucket(t, openNew(t, Options{URI: mongoserver.URI(t), monitor: sent.monitor()}))
	list, _ := backends.As[backends.Versioned](b)
	f := func(name string, most int, call func(ctx context.Context) error) {
		t.Helper()
		sent.take()
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := sent.take(); len(got) > most {
			t.Errorf("%s sends %d commands, want %d: %v", name, len(got), most, got)
		} else if len(got) < most {
			t.Errorf("%s sends %d commands: say so here", name, len(got))
		}
	}
	var version *string
	put := func(ctx context.Context, key string) error {
		out, err := b.PutObject(ctx, &s3.PutObjectInput{
			Key: &key, Body: strings.NewReader("x"), ContentLength: aws.Int64(1), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		})
		if err == nil {
			version = out.VersionId
		}
		return err
	}
	get := func(ctx context.Context, version *string) error {
		out, err := b.GetObject(ctx, &s3.GetObjectInput{Key: new("k"), VersionId: version})
		if err != nil {
			return err
		}
		return out.Body.Close()
	}
	remove := func(ctx context.Context, key string, version *string) error {
		_, err := b.DeleteObject(ctx, &s3.DeleteObjectInput{Key: &key, VersionId: version})
		return err
	}
	f("PutObject of a new key", 4, func(ctx context.Context) error { return put(ctx, "k") })
	first := version
	f("PutObject", 4, func(ctx context.Context) error { return put(ctx, "k") })
	f("GetObject", 1, func(ctx context.Context) error { return get(ctx, nil) })
	f("GetObject of a version", 1, func(ctx context.Context) error { return get(ctx, first) })
	f("DeleteObject of the current version", 4, func(ctx context.Context) error { return remove(ctx, "k", version) })
	f("DeleteObject", 3, func(ctx context.Context) error { return remove(ctx, "k", nil) })
	f("DeleteObject of a version that is not current", 3, func(ctx context.Context) error { return remove(ctx, "k", first) })
	f("DeleteObject of a key that never was", 3, func(ctx context.Context) error { return remove(ctx, "none", nil) })
	for i := range 100 {
		if err := put(t.Context(), fmt.Sprintf("list/%02d", i)); err != nil {
			t.Fatal(err)
		}
	}
	page := func(delimiter *string) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			out, err := b.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Prefix: new("list/"), Delimiter: delimiter, MaxKeys: aws.Int32(50)})
			if err == nil && len(out.Contents) != 50 {
				err = fmt.Errorf("%d objects", len(out.Contents))
			}
			return err
		}
	}
	f("ListObjectsV2", 1, page(nil))
	f("ListObjectVersions", 1, func(ctx context.Context) error {
		out, err := list.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Prefix: new("list/"), MaxKeys: aws.Int32(50)})
		if err == nil && len(out.Versions) != 50 {
			err = fmt.Errorf("%d versions", len(out.Versions))
		}
		return err
	})
	f("ListObjectsV2 with a delimiter", 3, page(new("/")))
}
