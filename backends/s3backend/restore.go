package s3backend

import (
	"context"
	"errors"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// RestoreObject implements [backends.Restorer]. It is asked for once: to itself, it would answer that the restore is on
// its way already.
func (b *Backend) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	if err := b.checkKey(in.Key); err != nil {
		return nil, err
	}
	out, err := b.client.RestoreObject(ctx, in, b.once)
	if err != nil {
		err = b.fail(ctx, "RestoreObject", err)
		return nil, b.notRestored(ctx, in, err)
	}
	response, ok := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	return &backends.Restoring{Begun: ok && response.StatusCode == http.StatusAccepted}, nil
}

// notRestored is why an object is not restored. A service that does not know the operation has no archives: what is there
// can be read.
func (b *Backend) notRestored(ctx context.Context, in *s3.RestoreObjectInput, err error) error {
	switch {
	case s3err.Is(err, s3err.InvalidObjectState):
		return backends.ErrNotArchived().Because(err)
	case !s3err.Is(err, s3err.NotImplemented) && !s3err.Is(err, s3err.MethodNotAllowed):
		return err
	}
	_, missing := backends.HeadKeyless(ctx, b, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId})
	if missing != nil {
		return missing
	}
	return backends.ErrNotArchived().Because(err)
}

// archived says of an object that cannot be read where it is.
func archived(e *s3err.Error, err error) *s3err.Error {
	var state *types.InvalidObjectState
	if !errors.As(err, &state) {
		return e
	}
	if state.StorageClass != "" {
		e = e.With("StorageClass", string(state.StorageClass))
	}
	if state.AccessTier != "" {
		e = e.With("AccessTier", string(state.AccessTier))
	}
	return e
}
