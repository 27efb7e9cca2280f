// Package membackend is the smallest correct store: objects in memory, one
// lock, and the rules of package backends. Other tests use it, and other
// stores are compared with it. Nothing in it survives the process, and bodies
// are held whole.
package membackend

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Backend is a store in memory. Use [New].
type Backend struct {
	// Now is the clock; set it before the first call. The default is time.Now.
	Now func() time.Time

	mu      sync.RWMutex
	buckets map[string]*bucket
	uploads int // how many uploads were ever begun: the source of UploadIds
	reads   atomic.Int64
}

// bucket is one physical bucket; Backend.mu guards it.
type bucket struct {
	objects map[string]*object
	keys    []string  // of objects, sorted
	uploads []*upload // unfinished, by key, then id
}

// object is immutable: writers put another in its place, so that a reader's
// bytes never change under it.
type object struct {
	meta backends.ObjectMeta
	body []byte
}

// upload is an unfinished multipart upload; Backend.mu guards its parts.
type upload struct {
	key, id string
	meta    backends.ObjectMeta // of the object to be; LastModified is the initiation
	parts   map[int32]*part
}

// part is one immutable part of an upload.
type part struct {
	info backends.PartInfo
	body []byte
}

// Held together at compile time: what a store can be asked for.
var _ interface {
	backends.Backend
	backends.AttributesReader
	backends.Tagger
	backends.Renamer
	backends.MultipartUploader
	backends.BucketManager
} = (*Backend)(nil)

// New returns a store without buckets.
func New() *Backend {
	return &Backend{Now: time.Now, buckets: map[string]*bucket{}}
}

// Reads is how many positions listings have moved to so far: what they cost.
func (b *Backend) Reads() int64 { return b.reads.Load() }

// now is the time of a write, to the millisecond.
func (b *Backend) now() time.Time { return b.Now().UTC().Truncate(time.Millisecond) }

// bucket finds a bucket; the caller holds the lock.
func (b *Backend) bucket(name *string) (*bucket, error) {
	if k, ok := b.buckets[deref(name)]; ok {
		return k, nil
	}
	return nil, s3err.New(s3err.NoSuchBucket)
}

// lookup returns an object; it takes the lock.
func (b *Backend) lookup(bucketName, key *string, versionID string) (*object, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	k, err := b.bucket(bucketName)
	if err != nil {
		return nil, err
	}
	o, ok := k.objects[deref(key)]
	if !ok {
		return nil, s3err.New(s3err.NoSuchKey)
	}
	return o, backends.CheckVersion(versionID)
}

// meta is what the rules want of the object under key; nil when there is none.
func (k *bucket) meta(key string) *backends.ObjectMeta {
	if o, ok := k.objects[key]; ok {
		return &o.meta
	}
	return nil
}

// put stores o under key.
func (k *bucket) put(key string, o *object) {
	if _, ok := k.objects[key]; !ok {
		i, _ := slices.BinarySearch(k.keys, key)
		k.keys = slices.Insert(k.keys, i, key)
	}
	k.objects[key] = o
}

// remove deletes what is under key, if anything.
func (k *bucket) remove(key string) {
	if i, ok := slices.BinarySearch(k.keys, key); ok {
		k.keys = slices.Delete(k.keys, i, i+1)
		delete(k.objects, key)
	}
}

// deref is *p, and T's zero value for nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
