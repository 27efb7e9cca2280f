package router

import (
	"context"

	"github.com/xronox/xronox-proxy/s3err"
)

// maxKeyBytes is the longest that a physical key can be.
const maxKeyBytes = 1024

// Explanation says where a key of a bucket is, and why. It is for the operator: its
// names are physical.
type Explanation struct {
	Tenant   string `json:"tenant"`
	Bucket   string `json:"bucket"`
	BucketID string `json:"bucketId,omitempty"` // as the index has it; empty when it was not asked
	Key      string `json:"key"`
	Rule     string `json:"rule"`  // how the bucket came about
	Mount    string `json:"mount"` // the mount that holds the key, and which keys that holds
	Place
	StorageClass string `json:"storageClass,omitempty"` // for objects whose writer names none
	KMSKeyID     string `json:"kmsKeyId,omitempty"`
	Access       Access `json:"access,omitempty"`
	ReadThrough  *Place `json:"readThrough,omitempty"` // where it is looked for besides
}

// Place is a physical key.
type Place struct {
	Connection     string `json:"connection"`
	PhysicalBucket string `json:"physicalBucket"`
	PhysicalKey    string `json:"physicalKey"`
}

// Explain says where the key is: with the errors of [Resolver.Resolve], and InvalidArgument
// for a key that the bucket does not take.
func (r *Router) Explain(ctx context.Context, tenantID, bucket, key string) (Explanation, error) {
	route, err := r.Resolve(ctx, tenantID, bucket)
	if err != nil {
		return Explanation{}, err
	}
	e, err := route.Record.Explain(key)
	e.Tenant = tenantID
	return e, err
}

// Explain says where the key is: InvalidArgument for one that the bucket does not take.
func (r *BucketRecord) Explain(key string) (Explanation, error) {
	s := NewSelector(r)
	i, err := s.Select(key)
	if err != nil {
		return Explanation{}, err
	}
	m := &s.Mounts()[i]
	if n := len(m.Physical(key)); n > maxKeyBytes {
		return Explanation{}, s3err.Newf(s3err.KeyTooLong, "Your key is too long: with the prefix of its place it has %d bytes, and there are at most %d.", n, maxKeyBytes)
	}
	e := Explanation{
		Tenant: r.TenantID, Bucket: r.Name, BucketID: r.BucketID, Key: key, Rule: r.Rule, Mount: m.ID + ": " + m.rule(),
		Place: m.place(key), StorageClass: m.Policy.StorageClass, KMSKeyID: m.Policy.KMSKeyID, Access: m.Policy.Access,
	}
	if e.Rule == "" {
		e.Rule = "made by a client, placed by bucketTemplate"
	}
	if s.TakesAny() {
		e.Mount = m.ID + ": every key"
	}
	for j := range r.Mounts {
		if old := &r.Mounts[j]; old.Old && !old.excludes(old.Physical(key)) {
			p := old.place(key)
			e.ReadThrough = &p
		}
	}
	return e, nil
}

// place is where m keeps a key that it holds.
func (m *Mount) place(key string) Place { return Place{m.Backend, m.Bucket, m.Physical(key)} }
