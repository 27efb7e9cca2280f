package s3backend

import (
	"context"
	"errors"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/s3err"
)

// attempts decides what is tried again. The rest is the SDK's: how long to wait
// in between, and to stop when too much is tried again.
type attempts struct {
	aws.RetryerV2
	// once says that the operation may be done once: doing it again answers
	// something else, as a conditional write answers PreconditionFailed to itself.
	once bool
	body *upload // or nil
}

// IsErrorRetryable implements aws.Retryer.
func (a attempts) IsErrorRetryable(err error) bool {
	var timeout net.Error
	switch {
	case a.body != nil && (!a.body.replayable() || a.body.err() != nil):
		return false
	case errors.Is(err, context.Canceled):
		return false
	case unreachable(err):
		return !errors.As(err, &timeout) || !timeout.Timeout() // A timeout was long enough.
	case isTimeout(err):
		return false
	case a.once && !refused(err):
		return false
	}
	return a.RetryerV2.IsErrorRetryable(err)
}

// isTimeout reports a timeout, ours or of the network.
func isTimeout(err error) bool {
	var ours timeoutError
	var timeout net.Error
	return errors.As(err, &ours) || errors.As(err, &timeout) && timeout.Timeout()
}

// refused reports that the service answered, and that it did nothing.
func refused(err error) bool {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return false
	}
	switch answeredCode(response.HTTPStatusCode(), errorCode(err)) {
	case s3err.SlowDown, s3err.ServiceUnavailable:
		return response.HTTPStatusCode() == 503 || response.HTTPStatusCode() == 429
	}
	return errorCode(err) == "RequestTimeTooSkewed"
}

// again lets an operation be tried again that can be done twice.
func (b *Backend) again(o *s3.Options) { o.Retryer = attempts{RetryerV2: b.retryer} }

// once lets an operation be tried again only when it has not been done.
func (b *Backend) once(o *s3.Options) { o.Retryer = attempts{RetryerV2: b.retryer, once: true} }

// writing is again or once for a write that may have conditions.
func (b *Backend) writing(u *upload, conditions ...*string) func(*s3.Options) {
	a := attempts{RetryerV2: b.retryer, body: u}
	for _, c := range conditions {
		a.once = a.once || c != nil
	}
	return func(o *s3.Options) { o.Retryer = a }
}
