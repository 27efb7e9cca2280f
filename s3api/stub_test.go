package s3api

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

type named struct {
	backends.Backend
	bucket string
}

type stub struct {
	mu sync.Mutex
	b  interface {
		backends.Backend
		backends.BucketManager
	}
	routes map[string]*router.Route
	now    func() time.Time
}

func (s *stub) Resolve(_ context.Context, tenant, bucket string) (*router.Route, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.routes[tenant+"/"+bucket]; ok {
		return r, nil
	}
	return nil, s3err.New(s3err.NoSuchBucket)
}

func (s *stub) CreateBucket(ctx context.Context, id router.Identity, bucket string) (*router.Route, error) {
	if err := router.ValidateBucketName(bucket); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.routes[id.TenantID+"/"+bucket]; ok {
		return nil, s3err.New(s3err.BucketAlreadyOwnedByYou)
	}
	name := bucket
	if _, err := s.b.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
		return nil, err
	}
	r := &router.Route{Name: bucket, BucketID: bucket, TenantID: id.TenantID, Owner: id.UserID, Region: "us-east-1", Created: s.now(), Backend: s.b}
	s.routes[id.TenantID+"/"+bucket] = r
	return r, nil
}

func (s *stub) DeleteBucket(ctx context.Context, id router.Identity, bucket string) error {
	if _, err := s.b.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.routes, id.TenantID+"/"+bucket)
	return nil
}

func (s *stub) ListBuckets(_ context.Context, id router.Identity, prefix, after string, limit int) (list []router.Bucket, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.routes {
		if r.TenantID == id.TenantID && strings.HasPrefix(r.Name, prefix) && r.Name > after {
			list = append(list, router.Bucket{Name: r.Name, Region: r.Region, Created: r.Created, Owner: r.Owner})
		}
	}
	slices.SortFunc(list, func(a, b router.Bucket) int { return strings.Compare(a.Name, b.Name) })
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}
