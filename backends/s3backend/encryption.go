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

// errNotEncrypted is why a success of a service that was to encrypt is none: it does not say that it has.
var errNotEncrypted = errors.New("the service does not say that it has encrypted as it was asked to; see check --probe")

// encrypted judges an answer to a write that was to be encrypted with a, or with the key k.
func encrypted(a, answered types.ServerSideEncryption, k backends.CustomerKey, keyMD5 *string) error {
	if a != answered && a != "" || k.Given() && value(k.MD5) != value(keyMD5) {
		return s3err.New(s3err.BadGateway).Because(errNotEncrypted)
	}
	return nil
}

// keyError makes of what a service answers to a key of a customer's what S3 does. It refuses a wrong one as it does
// whoever may not read at all; that would be the connection's fault.
func keyError(err error, k backends.CustomerKey) error {
	var response *smithyhttp.ResponseError
	if k.Given() && errors.As(err, &response) && response.HTTPStatusCode() == http.StatusForbidden {
		return s3err.New(s3err.AccessDenied).Because(err)
	}
	return err
}

// needsKey reports whether an answer to HEAD, that has no document, was one to a read without the key that the object
// was written with, or with a key that it was not: a read of its first byte tells.
func (b *Backend) needsKey(ctx context.Context, in *s3.GetObjectInput) error {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, Range: new("bytes=0-0"),
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}, b.again)
	if err == nil {
		return out.Body.Close()
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
