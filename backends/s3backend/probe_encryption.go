package s3backend

import (
	"crypto/md5" // as the header has it
	"crypto/rand"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// encrypts stores objects on every road that are to be encrypted, and looks whether the service says that they are.
func (p *probe) encrypts(name string, a types.ServerSideEncryption) (bool, error) {
	return all(
		func() (bool, error) {
			return taken(second(p.put(name, "secret", func(in *s3.PutObjectInput) { in.ServerSideEncryption = a })))
		},
		func() (bool, error) { return p.isEncrypted(name, a) },
		func() (bool, error) { return p.holds(name, "secret") },
		func() (bool, error) {
			return taken(p.copy(name+"-copy", func(in *s3.CopyObjectInput) { in.ServerSideEncryption = a }))
		},
		func() (bool, error) { return p.isEncrypted(name+"-copy", a) },
		func() (bool, error) {
			return taken(p.completeAs(name+"-upload", "secret", func(in *s3.CreateMultipartUploadInput) { in.ServerSideEncryption = a }))
		},
		func() (bool, error) { return p.isEncrypted(name+"-upload", a) },
	)
}

// isEncrypted looks how an object is encrypted.
func (p *probe) isEncrypted(name string, a types.ServerSideEncryption) (bool, error) {
	head, err := p.headOf(name)
	if err != nil {
		return taken(err)
	}
	return head.ServerSideEncryption == a, nil
}

// encryption asks for keys of the service's.
func (p *probe) encryption() (bool, error) {
	return p.encrypts("encrypted", types.ServerSideEncryptionAes256)
}

// kms asks for the key of KMS that services have for who names none.
func (p *probe) kms() (bool, error) { return p.encrypts("kms", types.ServerSideEncryptionAwsKms) }

// customerKeys stores an object with a key, and reads it with that and without.
func (p *probe) customerKeys() (bool, error) {
	k := newCustomerKey()
	_, err := p.put("customer", "secret", func(in *s3.PutObjectInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	})
	if err != nil {
		return taken(err)
	}
	if ok, err := taken(second(p.get("customer", nil))); ok || err != nil {
		return false, err
	}
	body, err := p.get("customer", func(in *s3.GetObjectInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.Algorithm, k.Key, k.MD5
	})
	if err != nil {
		return taken(err)
	}
	return body == "secret", nil
}

// newCustomerKey makes a key.
func newCustomerKey() backends.CustomerKey {
	key := make([]byte, backends.CustomerKeySize)
	_, _ = rand.Read(key) // It never fails.
	sum := md5.Sum(key)
	return backends.CustomerKey{
		Algorithm: new(string(types.ServerSideEncryptionAes256)),
		Key:       new(base64.StdEncoding.EncodeToString(key)), MD5: new(base64.StdEncoding.EncodeToString(sum[:])),
	}
}
