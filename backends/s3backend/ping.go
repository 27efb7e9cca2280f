package s3backend

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/s3err"
)

// Ping asks the service for anything at all. An error, which is the operator's, says that it
// cannot be reached or does not take the credentials; that they may not list buckets is none.
func (b *Backend) Ping(ctx context.Context) error {
	_, err := b.client.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)}, b.once)
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() > 0 && response.HTTPStatusCode() < http.StatusInternalServerError {
		switch errorCode(err) {
		case "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed":
		default:
			return nil
		}
	}
	err = b.fail(ctx, "ListBuckets", err)
	var e *s3err.Error
	if errors.As(err, &e) && e.Cause != nil {
		return e.Cause
	}
	return err
}
