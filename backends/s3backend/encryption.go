package s3backend

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// checkEncryption refuses encryption that the service would overlook: nobody is to believe in it.
func (b *Backend) checkEncryption(a types.ServerSideEncryption, k backends.CustomerKey) error {
	can := b.can.Load()
	switch {
	case k.Given() && !can.CustomerKeys:
		return cannot("The storage of this bucket does not encrypt with keys of customers.", backends.CustomerAlgorithmHeader)
	case a == types.ServerSideEncryptionAes256 && !can.Encryption, isKMS(a) && !can.KMS:
		return cannot("The storage of this bucket does not encrypt so.", "x-amz-server-side-encryption")
	}
	return nil
}

// isKMS reports whether a is encryption with keys of KMS.
func isKMS(a types.ServerSideEncryption) bool {
	return a != "" && a != types.ServerSideEncryptionAes256
}

// errNotEncrypted is why a success of a service that was to encrypt is none: it says that it has done otherwise.
var errNotEncrypted = errors.New("the service does not encrypt as it was asked to; see check --probe")

// said is what a service has said of how it has encrypted: fields of an SDK output.
type said struct {
	algorithm             *types.ServerSideEncryption
	customer, customerMD5 **string
}

// encrypted judges an answer to a write that was to be encrypted with a, or with the key k. There are services that say
// nothing: they are taken at the word that a probe has found to be true, and the answer says so.
func encrypted(a types.ServerSideEncryption, k backends.CustomerKey, told said) error {
	if a != "" && *told.algorithm == "" {
		*told.algorithm = a
	}
	if k.Given() && *told.customerMD5 == nil {
		*told.customer, *told.customerMD5 = k.Algorithm, k.MD5
	}
	if a != "" && *told.algorithm != a || k.Given() && value(*told.customerMD5) != value(k.MD5) {
		return s3err.New(s3err.BadGateway).Because(errNotEncrypted)
	}
	return nil
}

// partEncrypted judges an answer to an upload of a part with the key k. There are services that take a key, and do not use it,
// for an upload that has none.
func partEncrypted(k backends.CustomerKey, keyMD5 *string) error {
	if k.Given() && value(keyMD5) != value(k.MD5) {
		return new(backends.Encryption).CheckPartKey(k)
	}
	return nil
}

// partKeyError makes of what a service answers to a key that is not its upload's what S3 does.
func partKeyError(err error, k backends.CustomerKey) error {
	if !isForbidden(err, k) || s3err.Is(err, s3err.AccessDenied) {
		return err
	}
	another := backends.Encryption{Customer: "another"}
	return s3err.From(another.CheckPartKey(k)).Because(err)
}

// isForbidden reports whether a service has refused a request with a key as it does whoever may do nothing at all.
func isForbidden(err error, k backends.CustomerKey) bool {
	var response *smithyhttp.ResponseError
	return k.Given() && errors.As(err, &response) && response.HTTPStatusCode() == http.StatusForbidden
}

// keyError makes of what a service answers to a key of a customer's what S3 does. It refuses a wrong one as it does
// whoever may not read at all; that would be the connection's fault.
func keyError(err error, k backends.CustomerKey) error {
	if isForbidden(err, k) {
		return s3err.New(s3err.AccessDenied).Because(err)
	}
	return err
}

// needsKey reports whether an answer to HEAD, that has no document, was one to a read without the key that the object
// was written with, or with a key for one without: a read tells.
func (b *Backend) needsKey(ctx context.Context, in *s3.GetObjectInput) error {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}, b.again)
	if err == nil {
		_ = out.Body.Close() // unread
		return nil
	}
	if errorCode(err) != string(s3err.InvalidRequest) && errorCode(err) != string(s3err.InvalidArgument) {
		return nil
	}
	asked := backends.Encryption{}
	if !backends.GetKey(in).Given() {
		asked.Customer = "some" // of which there is none now
	}
	return asked.CheckKey(backends.GetKey(in))
}
