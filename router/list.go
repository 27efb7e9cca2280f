package router

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ListBuckets lists the buckets of the identity's tenant that it may see, by
// name: up to limit of those that begin with prefix and are greater than after.
// more says that there are others.
func (r *Router) ListBuckets(ctx context.Context, id Identity, prefix, after string, limit int) (list []Bucket, more bool, err error) {
	t := r.table.Load()
	for _, b := range t.visible(id.TenantID) {
		if b.Name > after && strings.HasPrefix(b.Name, prefix) && id.sees(b.Name) {
			list = append(list, b)
		}
	}
	made, err := r.made(ctx, t, id, listRange{prefix, after, limit + 1})
	if err != nil {
		return nil, false, err
	}
	list = append(list, made...)
	slices.SortFunc(list, func(a, b Bucket) int { return strings.Compare(a.Name, b.Name) })
	for i := range list {
		if list[i].Region == "" {
			list[i].Region = t.Region
		}
	}
	if len(list) > limit {
		return list[:max(limit, 0)], limit > 0, nil
	}
	return list, false, nil
}

// listRange is which buckets are wanted.
type listRange struct {
	prefix, after string
	limit         int
}

// made is the first buckets of the range that clients made and that the identity may
// see. One that the configuration has too is left out: it is not reached.
func (r *Router) made(ctx context.Context, t *table, id Identity, want listRange) ([]Bucket, error) {
	var list []Bucket
	for len(list) < want.limit {
		page, err := r.records.ListBuckets(ctx, id.TenantID, want.prefix, want.after, recordsPage)
		if err != nil {
			return nil, fmt.Errorf("router: list buckets: %w", err)
		}
		for i := range page {
			_, hidden := t.configured(id.TenantID, page[i].Name)
			if !hidden && id.sees(page[i].Name) {
				list = append(list, page[i].bucket())
			}
		}
		if len(page) < recordsPage {
			break
		}
		want.after = page[len(page)-1].Name
	}
	return list, nil
}
