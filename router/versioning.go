package router

import (
	"context"

	"github.com/xronox/xronox-proxy/s3err"
)

// SetVersioning has a bucket keep versions from now on, or keep no more: NoSuchBucket, AccessDenied,
// NotImplemented for a bucket that has no place for versions. When it returns nil, every later write
// to the bucket is versioned as v says.
func (r *Router) SetVersioning(ctx context.Context, id Identity, bucket string, v Versioning) error {
	return s3err.New(s3err.NotImplemented)
}
