package router

import (
	"fmt"
	"slices"
	"strings"
)

// image is a mount as the overlap of images is found: which store and physical
// bucket, which prefix, whose.
type image struct {
	store  string
	mount  *Mount
	record *BucketRecord
}

// images are mounts sorted so that an image comes before all that lie in it.
type images []image

// newImages returns the images of the records' mounts. stores names the store
// behind a connection: two connections to one store can reach the same objects.
func newImages(records []BucketRecord, stores map[string]string) images {
	var all images
	for i := range records {
		r := &records[i]
		for _, m := range r.places() {
			all = append(all, newImage(r, m, stores))
		}
	}
	slices.SortStableFunc(all, compareImages)
	return all
}

// places are where r keeps anything.
func (r *BucketRecord) places() []*Mount {
	var all []*Mount
	for i := range r.Mounts {
		all = append(all, &r.Mounts[i])
	}
	if r.Versions != nil {
		all = append(all, r.Versions)
	}
	return all
}

// newImage is the image of a mount of r.
func newImage(r *BucketRecord, m *Mount, stores map[string]string) image {
	store, ok := stores[m.Backend]
	if !ok {
		store = m.Backend
	}
	return image{store, m, r}
}

// compareImages orders by store, physical bucket and prefix.
func compareImages(a, b image) int {
	if c := strings.Compare(a.store, b.store); c != 0 {
		return c
	}
	if c := strings.Compare(a.mount.Bucket, b.mount.Bucket); c != 0 {
		return c
	}
	return strings.Compare(a.mount.Prefix, b.mount.Prefix)
}

// conflicts returns an error for every two images that share an object and may
// not: up to maxConflicts of them.
func (all images) conflicts() []error {
	var problems []error
	var around images // those that the present one lies in, outermost first
	for _, x := range all {
		for len(around) > 0 && !around[len(around)-1].contains(x) {
			around = around[:len(around)-1]
		}
		for _, outer := range around {
			if err := outer.conflict(x); err != nil {
				if problems = append(problems, err); len(problems) == maxConflicts {
					return problems
				}
			}
		}
		around = append(around, x)
	}
	return problems
}

// maxConflicts is how many conflicts are reported at a time.
const maxConflicts = 20

// conflictsWith returns an error when a record that is not among all shares an
// object with one that is.
func (all images) conflictsWith(r *BucketRecord, stores map[string]string) error {
	for _, m := range r.places() {
		x := newImage(r, m, stores)
		for n := 0; n <= len(x.mount.Prefix); n++ {
			outer := *x.mount
			outer.Prefix = x.mount.Prefix[:n]
			at, _ := slices.BinarySearchFunc(all, image{x.store, &outer, r}, compareImages)
			for ; at < len(all) && compareImages(all[at], image{x.store, &outer, r}) == 0; at++ {
				if err := all[at].conflict(x); err != nil {
					return err
				}
			}
		}
		at, _ := slices.BinarySearchFunc(all, x, compareImages)
		for ; at < len(all) && x.contains(all[at]); at++ {
			if err := x.conflict(all[at]); err != nil {
				return err
			}
		}
	}
	return nil
}

// contains reports whether o's prefix begins with x's, in the same place.
func (x image) contains(o image) bool {
	return x.store == o.store && x.mount.Bucket == o.mount.Bucket && strings.HasPrefix(o.mount.Prefix, x.mount.Prefix)
}

// conflict is the error when two images share an object and may not: mounts of one
// bucket may when they map every key alike, those of aliases may.
func (x image) conflict(o image) error {
	switch {
	case !x.mount.overlaps(o.mount):
		return nil
	case x.record == o.record && (x.mount == x.record.Versions || o.mount == x.record.Versions):
		return nil // It is in the mount of its type, or the mount that it lies in does not show it.
	case x.record == o.record:
		if x.mount == o.mount || x.mount.samePlace(o.mount) {
			return nil
		}
		return fmt.Errorf("bucket %q of tenant %q would keep two keys in one object: %s (%s) and %s (%s)",
			x.record.Name, x.record.TenantID, x.mount, x.mount.ID, o.mount, o.mount.ID)
	case x.record.aliases(o.record):
		return x.aliased(o)
	}
	return fmt.Errorf("buckets %q of tenant %q and %q of tenant %q would share objects: %s and %s",
		x.record.Name, x.record.TenantID, o.record.Name, o.record.TenantID, x.mount, o.mount)
}

// aliased is the error when mounts of two aliases share objects in another way than as the
// same place: two keys would be one object, or one object have two policies.
func (x image) aliased(o image) error {
	switch {
	case x.mount.Old || o.mount.Old || x.mount == x.record.Versions || o.mount == o.record.Versions:
		return nil
	case x.mount.Prefix != o.mount.Prefix:
		return fmt.Errorf("buckets %q and %q of tenant %q show the same objects, and would keep different ones in one place: %s and %s",
			x.record.Name, o.record.Name, x.record.TenantID, x.mount, o.mount)
	case x.mount.Policy != o.mount.Policy:
		return fmt.Errorf("buckets %q and %q of tenant %q show the same objects in %s, with different policies (%s and %s)",
			x.record.Name, o.record.Name, x.record.TenantID, x.mount, x.mount.ID, o.mount.ID)
	}
	return nil
}

// aliases reports whether two buckets are declared to be one and the same:
// only within a tenant.
func (r *BucketRecord) aliases(o *BucketRecord) bool {
	if r.TenantID != o.TenantID {
		return false
	}
	return r.BucketID != "" && r.BucketID == o.BucketID || r.Group != "" && r.Group == o.Group
}
