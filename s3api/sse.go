package s3api

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// The headers of encryption with keys of the store's.
const (
	encryptionHeader        = "x-amz-server-side-encryption"
	encryptionKeyHeader     = "x-amz-server-side-encryption-aws-kms-key-id"
	encryptionContextHeader = "x-amz-server-side-encryption-context"
	bucketKeyHeader         = "x-amz-server-side-encryption-bucket-key-enabled"
)

// CustomerKeys says over which connections keys of customers (SSE-C) are taken. S3 itself takes them over TLS only:
// else everybody on the way could read them.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
type CustomerKeys string

// The ways. By default it is those over TLS and those that do not leave this machine. Trusted is for a proxy behind
// something that ends TLS and is reached by a network that nobody listens to.
const (
	CustomerKeysLocal   CustomerKeys = ""
	CustomerKeysTLS     CustomerKeys = "tls"
	CustomerKeysTrusted CustomerKeys = "trusted"
)

// encryption is what a writer asks for.
type encryption struct {
	algorithm      types.ServerSideEncryption
	keyID, context *string
	bucketKey      *bool
	customer       backends.CustomerKey
}

// writesObject are the operations that say how an object is to be encrypted.
var writesObject = []string{"CopyObject", "CreateMultipartUpload", "PostObject", "PutObject"}

// noEncryption refuses headers that say how to encrypt, in requests that encrypt nothing.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (c *call) noEncryption() error {
	if c.scope != onObject || slices.Contains(writesObject, c.op.name) {
		return nil
	}
	for _, name := range []string{encryptionHeader, encryptionKeyHeader, encryptionContextHeader} {
		if v := c.header(name); v != "" {
			return s3err.InvalidArg(name, v, name+" header is not supported for this operation.")
		}
	}
	return nil
}

// encryption reads how the object is to be encrypted: as the request says, else as is set for the bucket.
func (c *call) encryption() (e encryption, err error) {
	if e.customer, err = c.customerKey(""); err != nil {
		return e, err
	}
	e.algorithm = types.ServerSideEncryption(c.header(encryptionHeader))
	e.keyID, e.context = c.headerPtr(encryptionKeyHeader), c.headerPtr(encryptionContextHeader)
	switch v := c.header(bucketKeyHeader); strings.ToLower(v) {
	case "":
	case "true", "false":
		on := strings.EqualFold(v, "true")
		e.bucketKey = &on
	default:
		return e, s3err.InvalidArg(bucketKeyHeader, v, "Value for "+bucketKeyHeader+" header is invalid.")
	}
	if err := e.check(); err != nil {
		return e, err
	}
	c.defaultEncryption(&e)
	if !e.isKMS() {
		e.bucketKey = nil
	}
	return e, nil
}

// isKMS reports whether a key of KMS is asked for.
func (e *encryption) isKMS() bool {
	return e.algorithm == types.ServerSideEncryptionAwsKms || e.algorithm == types.ServerSideEncryptionAwsKmsDsse
}

// check judges what goes together.
func (e *encryption) check() error {
	if e.algorithm != "" && e.algorithm != types.ServerSideEncryptionAes256 && !e.isKMS() {
		return s3err.InvalidArg(encryptionHeader, string(e.algorithm), "The encryption method specified is not supported")
	}
	if e.algorithm != "" && e.customer.Given() {
		return s3err.InvalidArg(encryptionHeader, string(e.algorithm), "Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
	}
	if (e.keyID != nil || e.context != nil) && !e.isKMS() {
		return s3err.InvalidArg(encryptionHeader, string(e.algorithm),
			"Server Side Encryption with AWS KMS managed keys requires HTTP header x-amz-server-side-encryption : aws:kms")
	}
	if e.context != nil && !isContext(*e.context) {
		return s3err.InvalidArg(encryptionContextHeader, *e.context,
			"The header '"+encryptionContextHeader+"' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map")
	}
	return nil
}

// isContext reports whether v is an encryption context of KMS.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html
func isContext(v string) bool {
	b, err := base64.StdEncoding.DecodeString(v)
	var pairs map[string]string
	return err == nil && json.Unmarshal(b, &pairs) == nil && pairs != nil
}

// defaultEncryption fills in what is set for the bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
func (c *call) defaultEncryption(e *encryption) {
	set := c.route.Settings.Encryption
	if set == nil || e.customer.Given() {
		return
	}
	if e.algorithm == "" {
		e.algorithm, e.keyID = types.ServerSideEncryption(set.Algorithm), optional(set.KMSKeyID)
	}
	if e.bucketKey == nil && set.BucketKey {
		e.bucketKey = &set.BucketKey
	}
}

// customerKey reads a key of SSE-C; prefix is empty, or that of the source of a copy.
func (c *call) customerKey(prefix string) (backends.CustomerKey, error) {
	k := backends.CustomerKey{
		Algorithm: c.headerPtr(backends.CustomerHeader(prefix, backends.CustomerAlgorithmHeader)),
		Key:       c.headerPtr(backends.CustomerHeader(prefix, backends.CustomerKeyHeader)),
		MD5:       c.headerPtr(backends.CustomerHeader(prefix, backends.CustomerKeyMD5Header)),
	}
	if k == (backends.CustomerKey{}) {
		return k, nil
	}
	if !c.private() {
		return k, s3err.Newf(s3err.InvalidRequest, "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.")
	}
	return k, k.Check(prefix)
}

// private reports whether the request has come over a connection on which nobody could read keys.
func (c *call) private() bool {
	switch c.s.CustomerKeys {
	case CustomerKeysTrusted:
		return true
	case CustomerKeysTLS:
		return c.fc.IsTLS()
	}
	tcp, ok := c.fc.RemoteAddr().(*net.TCPAddr)
	return c.fc.IsTLS() || ok && tcp.IP.IsLoopback()
}

// shownEncryption is what an answer tells of how an object is encrypted.
type shownEncryption struct {
	algorithm      types.ServerSideEncryption
	keyID, context *string
	bucketKey      *bool
	customer, md5  *string
}

// setEncryption writes how an object is encrypted, if it is.
func (c *call) setEncryption(e shownEncryption) {
	if e.algorithm != "" {
		c.set(encryptionHeader, string(e.algorithm))
	}
	c.setPtr(encryptionKeyHeader, e.keyID)
	c.setPtr(encryptionContextHeader, e.context)
	if e.bucketKey != nil && *e.bucketKey {
		c.set(bucketKeyHeader, "true")
	}
	c.setPtr(backends.CustomerAlgorithmHeader, e.customer)
	c.setPtr(backends.CustomerKeyMD5Header, e.md5)
}
