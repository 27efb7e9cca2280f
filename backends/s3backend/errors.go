package s3backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/s3err"
)

// theirs are the codes that tell a client something about its request, and are
// passed on. The messages are ours: a service's name buckets, keys and hosts.
var theirs = codes(
	s3err.BadDigest, s3err.BucketAlreadyExists, s3err.BucketAlreadyOwnedByYou, s3err.BucketNotEmpty,
	s3err.ConditionalRequestConflict, s3err.EntityTooLarge, s3err.EntityTooSmall, s3err.InternalError,
	s3err.InvalidArgument, s3err.InvalidBucketName, s3err.InvalidDigest, s3err.InvalidObjectState, s3err.InvalidPart,
	s3err.InvalidPartNumber, s3err.InvalidPartOrder, s3err.InvalidRange, s3err.InvalidRequest,
	s3err.InvalidStorageClass, s3err.InvalidTag, s3err.KeyTooLong, s3err.MalformedXML, s3err.MetadataTooLarge,
	s3err.MethodNotAllowed, s3err.NoSuchBucket, s3err.NoSuchKey, s3err.NoSuchUpload, s3err.NoSuchVersion,
	s3err.NotImplemented, s3err.OperationAborted, s3err.PreconditionFailed, s3err.ServiceUnavailable, s3err.SlowDown,
	s3err.TooManyBuckets,
	s3err.ExpeditedNotAvailable, s3err.ObjectAlreadyInActiveTier, s3err.ObjectNotInActiveTier, s3err.RestoreAlreadyInProgress,
)

// synonyms are codes that other services, and bodiless answers, have for S3's.
var synonyms = map[string]s3err.Code{
	"BucketAlreadyOwnedByYouException": s3err.BucketAlreadyOwnedByYou,
	"InvalidBucketState":               s3err.InvalidBucketState,
	"RequestTimeout":                   s3err.SlowDown, // It was our connection that was slow.
	"ThrottlingException":              s3err.SlowDown,
	"TooManyRequests":                  s3err.SlowDown,
	"RequestLimitExceeded":             s3err.SlowDown,
	"XAmzContentChecksumMismatch":      s3err.BadDigest,
}

// ofStatus are the codes of answers that have nothing but a status. What is not
// here is the operator's affair.
var ofStatus = map[int]s3err.Code{
	http.StatusNotModified:                  s3err.NotModified,
	http.StatusMethodNotAllowed:             s3err.MethodNotAllowed,
	http.StatusPreconditionFailed:           s3err.PreconditionFailed,
	http.StatusRequestedRangeNotSatisfiable: s3err.InvalidRange,
	http.StatusTooManyRequests:              s3err.SlowDown,
	http.StatusInternalServerError:          s3err.InternalError,
	http.StatusNotImplemented:               s3err.NotImplemented,
}

// codes is the set of cs.
func codes(cs ...s3err.Code) map[s3err.Code]bool {
	set := map[s3err.Code]bool{}
	for _, c := range cs {
		set[c] = true
	}
	return set
}

// fail turns what went wrong in an operation into what a client may see. The
// cause has the connection's name and what the service said.
func (b *Backend) fail(ctx context.Context, operation string, err error) error {
	if err == nil {
		return nil
	}
	var own *s3err.Error
	if errors.As(err, &own) {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("connection %q: %s: %w: %w", b.name, operation, ctx.Err(), err)
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil && response.HTTPStatusCode() > 0 {
		return b.because(answered(response, err), operation, err)
	}
	if unreachable(err) {
		return b.because(s3err.New(s3err.ServiceUnavailable), operation, err)
	}
	// Something was sent. Whoever asked may ask again.
	return b.because(s3err.New(s3err.SlowDown), operation, err)
}

// because is e with its cause, as the operator reads it.
func (b *Backend) because(e *s3err.Error, operation string, err error) *s3err.Error {
	return e.Because(fmt.Errorf("connection %q: %s: %w", b.name, operation, err))
}

// unreachable reports that there was no connection: nothing has happened.
func unreachable(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// answered is the error of a service that answered.
func answered(response *smithyhttp.ResponseError, err error) *s3err.Error {
	e := s3err.New(answeredCode(response.HTTPStatusCode(), errorCode(err)))
	header := response.Response.Header
	switch e.Code {
	case s3err.NotModified:
		for _, name := range []string{"ETag", "Last-Modified"} {
			if v := header.Get(name); v != "" {
				e = e.With(name, v)
			}
		}
	case s3err.InvalidObjectState:
		e = archived(e, err)
	case s3err.InvalidRange:
		if size, ok := strings.CutPrefix(header.Get("Content-Range"), "bytes */"); ok {
			e = e.With("ActualObjectSize", size)
		}
	}
	return e
}

// errorCode is the code in the answer; empty when there was no document.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// answeredCode judges an answer by its code and its status.
func answeredCode(status int, code string) s3err.Code {
	switch c := s3err.Code(code); {
	case theirs[c]:
		return c
	case synonyms[code] != "":
		return synonyms[code]
	case ofStatus[status] != "":
		return ofStatus[status]
	case status >= 500:
		return s3err.ServiceUnavailable
	case (status == http.StatusBadRequest || status == http.StatusConflict) && code != "" && !operators[code]:
		return s3err.InvalidRequest // in the service's own words, such as a key that is no file name
	}
	// Redirects, refused credentials, pages of a load balancer: the connection is wrong.
	return s3err.BadGateway
}

// operators are the codes of status 400 that are about the connection, not the
// request that a client made.
var operators = map[string]bool{
	"AuthorizationHeaderMalformed":       true, // the wrong region
	"BadRequest":                         true, // a bodiless answer to HEAD
	"ExpiredToken":                       true,
	"IllegalLocationConstraintException": true,
	"InvalidLocationConstraint":          true,
	"InvalidRegion":                      true,
	"InvalidToken":                       true,
	"XAmzContentSHA256Mismatch":          true,
	"UserKeyMustBeSpecified":             true,
}
