package router

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/xronox/xronox-proxy/s3err"
)

// Configuration is what clients have set on a bucket besides versioning, as S3 has it. It is kept
// as JSON. What it points to is never changed.
type Configuration struct {
	Tags       []Tag       `json:"tags,omitempty"`
	CORS       []CORSRule  `json:"cors,omitempty"`
	Encryption *Encryption `json:"encryption,omitempty"` // nil: what S3 does anyway
	ObjectLock *ObjectLock `json:"objectLock,omitempty"` // nil: none. Once there it stays
}

// Tag is a tag of a bucket.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// CORSRule says which pages may do what with a bucket from within a browser.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html
type CORSRule struct {
	ID             string   `json:"id,omitempty"`
	AllowedOrigins []string `json:"allowedOrigins"`
	AllowedMethods []string `json:"allowedMethods"`
	AllowedHeaders []string `json:"allowedHeaders,omitempty"`
	ExposeHeaders  []string `json:"exposeHeaders,omitempty"`
	MaxAgeSeconds  *int32   `json:"maxAgeSeconds,omitempty"`
}

// Encryption is how new objects are encrypted that do not say so themselves.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
type Encryption struct {
	Algorithm string `json:"algorithm"` // AES256, aws:kms or aws:kms:dsse
	KMSKeyID  string `json:"kmsKeyId,omitempty"`
	BucketKey bool   `json:"bucketKey,omitempty"`
}

// ObjectLock says that versions of a bucket can be locked, and how new ones are that do not say so themselves.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html
type ObjectLock struct {
	Mode  string `json:"mode,omitempty"` // GOVERNANCE or COMPLIANCE; empty: new versions are not locked
	Days  int32  `json:"days,omitempty"` // or Years
	Years int32  `json:"years,omitempty"`
}

// Configure changes what is set on a bucket: NoSuchBucket, AccessDenied, OperationAborted while the bucket is being
// removed, and whatever change returns. change is given what is set now, of which it may replace the Configuration; when somebody else
// was faster it is called again. When Configure returns nil, every later [Router.Settings] sees the change, and routes do
// as soon as they are asked for again.
func (r *Router) Configure(ctx context.Context, id Identity, bucket string, change func(Settings) (Configuration, error)) error {
	route, err := r.Resolve(ctx, id.TenantID, bucket)
	if err != nil {
		return err
	}
	if !id.Allows(Admin, bucket, "") {
		return s3err.New(s3err.AccessDenied)
	}
	for {
		top, err := r.records.TopSettings(ctx, route.BucketID)
		if err != nil {
			return fmt.Errorf("router: settings of %q: %w", bucket, err)
		}
		if top.Closing {
			return s3err.New(s3err.OperationAborted)
		}
		next := top
		if next.Configuration, err = change(top); err != nil || reflect.DeepEqual(next, top) {
			return err
		}
		if err := r.insertSettings(ctx, route.Record, top, next); !errors.Is(err, ErrExists) {
			return err
		}
	}
}

// Settings returns what is set on the bucket of a route by now.
func (r *Router) Settings(ctx context.Context, route *Route) (Settings, error) {
	s, err := r.records.TopSettings(ctx, route.BucketID)
	if err != nil {
		return s, fmt.Errorf("router: settings of %q: %w", route.Name, unavailable(err))
	}
	return s, nil
}
