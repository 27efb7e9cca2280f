package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ListObjectsV2 implements [backends.Lister]. Putting one prefix in front of
// all keys keeps their order, so a page below is a page here.
func (m *mount) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	c := *in
	c.Bucket, c.Prefix = &m.Bucket, m.inFront(in.Prefix)
	if in.StartAfter != nil || m.Prefix != "" {
		// Also without StartAfter: an object named as the prefix itself has no
		// virtual key and must not take a place in the page.
		c.StartAfter = m.inFront(in.StartAfter)
	}
	below, err := m.Backend.ListObjectsV2(ctx, &c)
	if err != nil {
		return nil, m.outward(err, names{bucket: in.Bucket})
	}
	out := *below
	out.Name, out.Prefix, out.StartAfter = in.Bucket, in.Prefix, in.StartAfter
	out.ContinuationToken, out.NextContinuationToken = nil, nil // not part of the contract
	out.Contents = make([]types.Object, len(below.Contents))
	for i, o := range below.Contents {
		if o.Key, err = m.leave(o.Key); err != nil {
			return nil, err
		}
		out.Contents[i] = o
	}
	out.CommonPrefixes, err = m.leavePrefixes(below.CommonPrefixes)
	return &out, err
}

// inFront puts the prefix in front of a prefix or marker; nil counts as empty.
func (m *mount) inFront(s *string) *string { return aws.String(m.Prefix + aws.ToString(s)) }

// leavePrefixes returns common prefixes without ours.
func (m *mount) leavePrefixes(below []types.CommonPrefix) ([]types.CommonPrefix, error) {
	out := make([]types.CommonPrefix, len(below))
	for i, p := range below {
		prefix, err := m.leave(p.Prefix)
		if err != nil {
			return nil, err
		}
		out[i].Prefix = prefix
	}
	return out, nil
}
