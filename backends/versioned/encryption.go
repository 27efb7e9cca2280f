package versioned

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// asked is how a writer asks a version to be encrypted.
func asked(a types.ServerSideEncryption, customerKey *string) versions.Encryption {
	return versions.Encryption{Algorithm: a, Customer: customerKey != nil}
}

// encrypted completes how the version is encrypted with what the store says, unless nobody has asked.
func (w *write) encrypted(a types.ServerSideEncryption, keyID *string, bucketKey *bool) {
	if e := &w.version.Encryption; e.Algorithm != "" {
		e.Algorithm, e.KMSKeyID, e.BucketKey = a, aws.ToString(keyID), aws.ToBool(bucketKey)
	}
}

// checkKey judges whether a read of a version needs a customer's key, and has one. Whether it is the right one the store says.
func checkKey(v *versions.Version, k backends.CustomerKey) error {
	m := metaFor(v, k)
	return m.Encryption.CheckKey(k)
}

// metaFor is the version to who reads it with a key, which is taken to be the right one.
func metaFor(v *versions.Version, k backends.CustomerKey) *backends.ObjectMeta {
	m := v.Meta()
	if v.Encryption.Customer {
		m.Encryption.Customer = cmp.Or(k.Verifier(), "unknown")
	}
	return m
}

// errCannotKeep refuses to write over an object from before that was written with a customer's key: it would have to be copied,
// which takes the key. In a bucket that keeps no versions for now it is replaced, and need not be kept.
func errCannotKeep() error {
	return s3err.Newf(s3err.NotImplemented, "The object was written with a customer's key before the bucket had versions, and cannot be kept as one. Suspend versioning to replace or delete it.")
}

// encryptionOf is how an object is encrypted that is to become a version.
func encryptionOf(head *s3.HeadObjectOutput) versions.Encryption {
	return versions.Encryption{
		Algorithm: head.ServerSideEncryption, KMSKeyID: aws.ToString(head.SSEKMSKeyId),
		BucketKey: aws.ToBool(head.BucketKeyEnabled), Customer: head.SSECustomerAlgorithm != nil,
	}
}

// copyKept is [copyWithParts] of an object from before, as which the copy is to be encrypted. But there are services that say of
// all that they have that it is encrypted with keys of theirs: where the copy is to be, there need be none.
func copyKept(ctx context.Context, dst backends.Backend, src backends.Source, in *s3.CopyObjectInput, v *versions.Version) error {
	err := copyWithParts(ctx, dst, src, in, v)
	if in.ServerSideEncryption != types.ServerSideEncryptionAes256 || !s3err.Is(err, s3err.NotImplemented) {
		return err
	}
	plain := *in
	plain.ServerSideEncryption = ""
	return copyWithParts(ctx, dst, src, &plain, v)
}
