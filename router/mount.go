package router

import (
	"fmt"
	"strings"
)

// Mount says where the keys of a bucket are: physical key = Prefix + key. What
// begins with Prefix in that physical bucket is the image of the mount.
type Mount struct {
	ID      string `json:"id"`      // stable; tokens and index rows name it
	Backend string `json:"backend"` // name of the connection
	Bucket  string `json:"bucket"`  // physical
	Prefix  string `json:"prefix,omitempty"`

	// Own says that the physical bucket was made for this bucket alone, and is
	// removed with it.
	Own bool `json:"own,omitempty"`
}

// mainMount is the id of the one mount of a bucket that does not fan out.
const mainMount = "main"

// overlaps reports whether the images of two mounts have an object in common.
// Connections are told apart by name: that two names reach one account is
// for the configuration to rule out.
func (m Mount) overlaps(o Mount) bool {
	return m.Backend == o.Backend && m.Bucket == o.Bucket &&
		(strings.HasPrefix(m.Prefix, o.Prefix) || strings.HasPrefix(o.Prefix, m.Prefix))
}

// String is the mount in messages for the operator.
func (m Mount) String() string { return fmt.Sprintf("%s: %s/%s", m.Backend, m.Bucket, m.Prefix) }

// aliases reports whether two buckets are declared to be one and the same:
// only within a tenant.
func (r *BucketRecord) aliases(o *BucketRecord) bool {
	return r.BucketID != "" && r.BucketID == o.BucketID && r.TenantID == o.TenantID
}

// checkOverlap refuses a bucket that reaches an object which another bucket reaches too.
func (r *BucketRecord) checkOverlap(o *BucketRecord) error {
	if r.aliases(o) {
		return nil
	}
	for _, m := range r.Mounts {
		for _, n := range o.Mounts {
			if m.overlaps(n) {
				return fmt.Errorf("buckets %q of tenant %q and %q of tenant %q would share objects: %s and %s",
					r.Name, r.TenantID, o.Name, o.TenantID, m, n)
			}
		}
	}
	return nil
}
