package localbackend

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cockroachdb/pebble/v2"

	"github.com/xronox/xronox-proxy/s3err"
)

// bucket is a bucket that exists, or did.
type bucket struct {
	id      bucketID
	created time.Time

	// mu is read-held while a change of an object is applied, and held while
	// the bucket is found empty and removed.
	mu   sync.RWMutex
	gone bool
}

// bucketTable has all buckets. No other process changes them.
type bucketTable struct {
	admin  sync.Mutex   // held while a bucket is made or removed
	mu     sync.RWMutex // guards byName
	byName map[string]*bucket
	lastID bucketID
}

// loadBuckets reads the table of buckets.
func (b *Backend) loadBuckets() error {
	b.buckets.byName = make(map[string]*bucket)
	return b.meta.scan([]byte{tableBuckets}, []byte{tableBuckets + 1}, func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			v, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			if len(v) != 16 {
				return fmt.Errorf("localbackend: bad row of bucket %q", it.Key()[1:])
			}
			bkt := &bucket{
				id:      bucketID(binary.BigEndian.Uint64(v)),
				created: time.UnixMilli(int64(binary.BigEndian.Uint64(v[8:]))),
			}
			b.buckets.byName[string(it.Key()[1:])] = bkt
			b.buckets.lastID = max(b.buckets.lastID, bkt.id)
		}
		return nil
	})
}

// bucket finds a bucket.
func (b *Backend) bucket(bucketName *string) (*bucket, error) {
	b.buckets.mu.RLock()
	defer b.buckets.mu.RUnlock()
	bkt := b.buckets.byName[aws.ToString(bucketName)]
	if bkt == nil {
		return nil, s3err.New(s3err.NoSuchBucket)
	}
	return bkt, nil
}

// set makes bkt the bucket of that name; nil removes it.
func (t *bucketTable) set(bucketName *string, bkt *bucket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if bkt == nil {
		delete(t.byName, aws.ToString(bucketName))
	} else {
		t.byName[aws.ToString(bucketName)] = bkt
	}
}

// CreateBucket implements backends.BucketManager.
func (b *Backend) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if err := b.admit(ctx); err != nil {
		return nil, err
	}
	b.buckets.admin.Lock()
	defer b.buckets.admin.Unlock()
	if _, err := b.bucket(in.Bucket); err == nil {
		return nil, s3err.New(s3err.BucketAlreadyOwnedByYou)
	}
	bkt := &bucket{id: b.buckets.lastID + 1, created: b.now()}
	row := binary.BigEndian.AppendUint64(nil, uint64(bkt.id))
	row = binary.BigEndian.AppendUint64(row, uint64(bkt.created.UnixMilli()))
	err := b.meta.use(func() error { return b.meta.db.Set(bucketKey(aws.ToString(in.Bucket)), row, pebble.Sync) })
	if err != nil {
		return nil, ioError("create bucket", err)
	}
	b.buckets.lastID++
	b.buckets.set(in.Bucket, bkt)
	return &s3.CreateBucketOutput{}, nil
}

// HeadBucket implements backends.BucketManager.
func (b *Backend) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := b.bucket(in.Bucket); err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{}, nil
}

// DeleteBucket implements backends.BucketManager.
func (b *Backend) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.buckets.admin.Lock()
	defer b.buckets.admin.Unlock()
	bkt, err := b.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if err := b.removeBucket(aws.ToString(in.Bucket), bkt); err != nil {
		return nil, err
	}
	b.buckets.set(in.Bucket, nil)
	return &s3.DeleteBucketOutput{}, nil
}

// removeBucket removes an empty bucket and its uploads.
func (b *Backend) removeBucket(bucketName string, bkt *bucket) error {
	bkt.mu.Lock()
	defer bkt.mu.Unlock()
	objects := inBucket(tableObjects, bkt.id, 0)
	err := b.meta.scan(objects, after(objects), func(it *pebble.Iterator) error {
		if it.First() {
			return s3err.New(s3err.BucketNotEmpty)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t := b.begin()
	if err = t.removeUploads(bkt); err == nil {
		t.delete(bucketKey(bucketName))
		err = t.apply()
	}
	if err != nil {
		t.close()
		return err
	}
	bkt.gone = true
	return t.sync()
}
