// Package policy applies to a bucket what its data types are configured to: a storage class, a
// KMS key, and what may be done with objects. It stands on top of every other
// composition, so that it judges a write before anything of it has happened, whichever place
// the object that it would replace is in.
package policy

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Policy is what holds for an object; the zero value is nothing.
type Policy struct {
	StorageClass types.StorageClass // of objects whose writer names none
	KMSKeyID     string             // encrypts, by SSE-KMS, objects whose writer asks for no encryption
	Access       Access
}

// Access is what may be done with an object.
type Access int

// The kinds of access. AppendOnly takes new keys, and neither replaces nor
// deletes: it needs a store that has conditional writes.
const (
	ReadWrite Access = iota
	AppendOnly
	ReadOnly
)

// write applies the policy to any write of a new object; customer is its key of SSE-C.
func (p *Policy) write(class *types.StorageClass, sse *types.ServerSideEncryption, key **string, customer *string) error {
	if p.Access == ReadOnly {
		return s3err.New(s3err.AccessDenied)
	}
	if *class == "" {
		*class = p.StorageClass
	}
	if *sse == "" && customer == nil && p.KMSKeyID != "" {
		*sse, *key = types.ServerSideEncryptionAwsKms, aws.String(p.KMSKeyID)
	}
	return nil
}

// guard makes a write, where there is only appending, one that replaces nothing. A writer
// who wants to replace something is refused.
func (p *Policy) guard(match *string, noneMatch **string) error {
	if p.Access != AppendOnly {
		return nil
	}
	if match != nil {
		return s3err.New(s3err.AccessDenied)
	}
	*noneMatch = aws.String("*")
	return nil
}

// refusal makes of a failed guard what the client is told: AccessDenied, unless it
// set that condition itself.
func (p *Policy) refusal(err error, asked *string) error {
	if p.Access == AppendOnly && asked == nil && s3err.Is(err, s3err.PreconditionFailed) {
		return s3err.New(s3err.AccessDenied).Because(err)
	}
	return err
}

// remove refuses deletions where there are none.
func (p *Policy) remove() error {
	if p.Access != ReadWrite {
		return s3err.New(s3err.AccessDenied)
	}
	return nil
}

// put applies the policy to a PutObject.
func (p *Policy) put(in *s3.PutObjectInput) error {
	if err := p.write(&in.StorageClass, &in.ServerSideEncryption, &in.SSEKMSKeyId, in.SSECustomerKey); err != nil {
		return err
	}
	return p.guard(in.IfMatch, &in.IfNoneMatch)
}

// copy applies the policy to a CopyObject.
func (p *Policy) copy(in *s3.CopyObjectInput) error {
	if err := p.write(&in.StorageClass, &in.ServerSideEncryption, &in.SSEKMSKeyId, in.SSECustomerKey); err != nil {
		return err
	}
	return p.guard(in.IfMatch, &in.IfNoneMatch)
}

// create applies the policy to a CreateMultipartUpload.
func (p *Policy) create(in *s3.CreateMultipartUploadInput) error {
	return p.write(&in.StorageClass, &in.ServerSideEncryption, &in.SSEKMSKeyId, in.SSECustomerKey)
}

// part refuses parts of uploads that can never be completed.
func (p *Policy) part() error {
	if p.Access == ReadOnly {
		return s3err.New(s3err.AccessDenied)
	}
	return nil
}

// complete applies the policy to a CompleteMultipartUpload.
func (p *Policy) complete(in *s3.CompleteMultipartUploadInput) error {
	if err := p.part(); err != nil {
		return err
	}
	return p.guard(in.IfMatch, &in.IfNoneMatch)
}
