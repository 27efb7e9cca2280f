package s3api

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// defaultEncryptions are the algorithms that new objects can have without saying so themselves.
var defaultEncryptions = []types.ServerSideEncryption{
	types.ServerSideEncryptionAes256, types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse,
}

// encryptionRule is the document of PutBucketEncryption.
type encryptionRule struct {
	router.Encryption
	found bool
}

// read reads the document, which has one rule.
func (r *encryptionRule) read(e *elements) error {
	err := e.children(func(name string) error {
		switch {
		case name != "Rule":
			return nil
		case r.found:
			return malformed(nil)
		}
		r.found = true
		return r.readRule(e)
	})
	switch {
	case err != nil:
		return err
	case !slices.Contains(defaultEncryptions, types.ServerSideEncryption(r.Algorithm)):
		return malformed(nil)
	case r.KMSKeyID != "" && r.Algorithm == string(types.ServerSideEncryptionAes256):
		return s3err.Newf(s3err.InvalidArgument, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse").
			With("ArgumentName", "ApplyServerSideEncryptionByDefault")
	}
	return nil
}

// readRule reads a Rule.
func (r *encryptionRule) readRule(e *elements) error {
	return e.children(func(name string) (err error) {
		switch name {
		case "ApplyServerSideEncryptionByDefault":
			return e.children(func(name string) (err error) {
				switch name {
				case "SSEAlgorithm":
					r.Algorithm, err = e.text()
				case "KMSMasterKeyID":
					r.KMSKeyID, err = e.text()
				}
				return err
			})
		case "BucketKeyEnabled":
			r.BucketKey, err = e.flag()
		case "BlockedEncryptionTypes":
			return readBlockedTypes(e)
		}
		return err
	})
}

// readBlockedTypes reads which encryption clients must not ask for. To take SSE-C and not to block it
// would promise what is not so.
func readBlockedTypes(e *elements) error {
	return e.children(func(name string) error {
		if name != "EncryptionType" {
			return nil
		}
		switch text, err := e.text(); {
		case err != nil:
			return err
		case text == string(types.EncryptionTypeNone):
			return nil
		case text == string(types.EncryptionTypeSseC):
			return s3err.Newf(s3err.NotImplemented, "To block SSE-C is not implemented.")
		}
		return malformed(nil)
	})
}

// encryptionDoc is the document of how new objects are encrypted; nil is what S3 does when nothing was set.
func encryptionDoc(set *router.Encryption) *doc {
	if set == nil {
		set = &router.Encryption{Algorithm: string(types.ServerSideEncryptionAes256)}
	}
	d := newResult("ServerSideEncryptionConfiguration")
	d.open("Rule")
	d.open("ApplyServerSideEncryptionByDefault")
	d.text("SSEAlgorithm", set.Algorithm)
	d.ptr("KMSMasterKeyID", optional(set.KMSKeyID))
	d.close("ApplyServerSideEncryptionByDefault")
	d.bool("BucketKeyEnabled", set.BucketKey)
	d.close("Rule")
	d.close("ServerSideEncryptionConfiguration")
	return d
}
