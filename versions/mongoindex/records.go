package mongoindex

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
)

// ofBucket is the filter of a bucket record.
func ofBucket(tenantID, name string, more ...bson.E) bson.D {
	return append(bson.D{field("tenant", tenantID), field("name", name)}, more...)
}

// InsertBucket implements [router.BucketRecords].
func (x *Index) InsertBucket(ctx context.Context, r router.BucketRecord) error {
	return x.insert(ctx, x.buckets, ofBucket(r.TenantID, r.Name), bson.D{field("id", r.BucketID), encode(r)}, true)
}

// GetBucket implements [router.BucketRecords].
func (x *Index) GetBucket(ctx context.Context, tenantID, name string) (r router.BucketRecord, found bool, err error) {
	e, err := first[encoded](ctx, x, x.buckets, query{filter: ofBucket(tenantID, name)})
	if err != nil || e.JSON == nil {
		return r, false, err
	}
	err = e.decode(&r)
	return r, err == nil, err
}

// DeleteBucket implements [router.BucketRecords].
func (x *Index) DeleteBucket(ctx context.Context, r router.BucketRecord) error {
	return x.deleteOne(ctx, x.buckets, ofBucket(r.TenantID, r.Name, field("id", r.BucketID)))
}

// ListBuckets implements [router.BucketRecords].
func (x *Index) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) ([]router.BucketRecord, error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	names := append(startingWith(prefix), field("$gt", after))
	found, err := find[encoded](ctx, x.buckets, query{
		filter: bson.D{field("tenant", tenantID), field("name", names)}, sort: bson.D{field("name", up)}, limit: limit,
	})
	if err != nil {
		return nil, err
	}
	list := make([]router.BucketRecord, len(found))
	for i, e := range found {
		if err := e.decode(&list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// startingWith is a condition of strings.
func startingWith(prefix string) bson.D {
	condition := bson.D{field("$gte", prefix)}
	if end, ok := past(prefix); ok {
		condition = append(condition, field("$lt", end))
	}
	return condition
}

// past is the least string of UTF-8 behind all that begin with prefix; false when there is none.
func past(prefix string) (string, bool) {
	if prefix == "" {
		return "", false
	}
	return versions.Ceiling(prefix + "\xff")
}

// value is a document of values.
type value struct {
	Value []byte `bson:"value"`
}

// Value implements [router.Values].
func (x *Index) Value(ctx context.Context, name string) ([]byte, error) {
	v, err := first[value](ctx, x, x.values, query{filter: bson.D{field("name", name)}})
	return v.Value, err
}

// InsertValue implements [router.Values].
func (x *Index) InsertValue(ctx context.Context, name string, v []byte) ([]byte, error) {
	err := x.insert(ctx, x.values, bson.D{field("name", name)}, bson.D{field("value", v)}, false)
	if errors.Is(err, versions.ErrExists) {
		return x.Value(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, v...), nil
}

// tombstone is a document of tombstones.
type tombstone struct {
	Key string `bson:"k"`
}

// Hide implements overlay.Tombstones.
func (x *Index) Hide(ctx context.Context, bucketID, key string) (bool, error) {
	err := x.insert(ctx, x.tombstones, of(versions.Object{BucketID: bucketID, Key: key}), nil, false)
	if errors.Is(err, versions.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// Hidden implements overlay.Tombstones.
func (x *Index) Hidden(ctx context.Context, bucketID, key string) (bool, error) {
	found, err := first[*tombstone](ctx, x, x.tombstones, query{filter: of(versions.Object{BucketID: bucketID, Key: key})})
	return found != nil, err
}

// HiddenKeys implements overlay.Tombstones.
func (x *Index) HiddenKeys(ctx context.Context, bucketID, prefix, from string, limit int) ([]string, error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	from, ok := versions.Ceiling(from)
	if err != nil || !ok {
		return nil, err
	}
	found, err := find[tombstone](ctx, x.tombstones, query{
		filter: bson.D{field("b", bucketID), field("k", startingAt(prefix, from))}, sort: bson.D{field("k", up)}, limit: limit,
	})
	keys := make([]string, len(found))
	for i, t := range found {
		keys[i] = t.Key
	}
	return keys, err
}

// startingAt is a condition of strings that have a prefix and are not less than from.
func startingAt(prefix, from string) bson.D {
	condition := startingWith(prefix)
	condition[0].Value = max(prefix, from)
	return condition
}
