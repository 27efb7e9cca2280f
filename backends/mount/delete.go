package mount

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// DeleteObjects implements [backends.ObjectWriter]. A key that is too long with
// the prefix in front fails alone.
func (m *mount) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	c, del := *in, *in.Delete
	refused := map[int]types.Error{} // by place in in.Delete.Objects
	del.Objects = make([]types.ObjectIdentifier, 0, len(in.Delete.Objects))
	for i, o := range in.Delete.Objects {
		if err := m.enter(&c.Bucket, &o.Key); err != nil {
			refused[i] = errorOf(o, err)
			continue
		}
		del.Objects = append(del.Objects, o)
	}
	c.Bucket, c.Delete = &m.Bucket, &del

	below := &s3.DeleteObjectsOutput{}
	if len(del.Objects) > 0 {
		var err error
		if below, err = m.Backend.DeleteObjects(ctx, &c); err != nil {
			return nil, m.outward(err, names{bucket: in.Bucket})
		}
	}
	out := *below
	out.Deleted = make([]types.DeletedObject, len(below.Deleted))
	for i, d := range below.Deleted {
		key, err := m.leave(d.Key)
		if err != nil {
			return nil, err
		}
		d.Key = key
		out.Deleted[i] = d
	}
	errs, err := m.mergeErrors(in.Delete.Objects, refused, below.Errors)
	out.Errors = errs
	return &out, err
}

// mergeErrors returns our errors and those from below in the order of the request.
func (m *mount) mergeErrors(objects []types.ObjectIdentifier, refused map[int]types.Error, below []types.Error) ([]types.Error, error) {
	var out []types.Error
	for i, o := range objects {
		if e, ok := refused[i]; ok {
			out = append(out, e)
			continue
		}
		if len(below) == 0 || aws.ToString(below[0].Key) != m.physical(*o.Key) {
			continue
		}
		e := below[0]
		e.Key, below = o.Key, below[1:]
		out = append(out, e)
	}
	for _, e := range below { // from a backend that keeps no order
		key, err := m.leave(e.Key)
		if err != nil {
			return nil, err
		}
		e.Key = key
		out = append(out, e)
	}
	return out, nil
}

// errorOf is an error as DeleteObjects reports it.
func errorOf(o types.ObjectIdentifier, err error) types.Error {
	e := s3err.From(err)
	return types.Error{Key: o.Key, VersionId: o.VersionId, Code: aws.String(string(e.Code)), Message: &e.Message}
}
