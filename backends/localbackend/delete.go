package localbackend

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// DeleteObject implements backends.ObjectWriter. Deleting goes on when the
// disk is nearly full: it is what makes room.
func (b *Backend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	t, err := b.applyDelete(ctx, in)
	if err == nil {
		err = t.wait(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &s3.DeleteObjectOutput{}, nil
}

// applyDelete removes an object; the caller waits for the disk.
func (b *Backend) applyDelete(ctx context.Context, in *s3.DeleteObjectInput) (*tx, error) {
	p, err := b.at(in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	return b.applyChange(ctx, p, func(t *tx) error {
		old, err := b.object(p)
		if err != nil {
			return err
		}
		if old == nil {
			t.affirm()
			return backends.CheckDelete(nil, in)
		}
		if err := backends.CheckDelete(&old.ObjectMeta, in); err != nil {
			return err
		}
		t.delete(objectKey(p.bkt.id, p.key))
		return t.free(old)
	})
}

// DeleteObjects implements backends.ObjectWriter. The disk syncs once for all.
func (b *Backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if _, err := b.bucket(in.Bucket); err != nil {
		return nil, err
	}
	txs := make([]*tx, len(in.Delete.Objects))
	errs := make([]error, len(in.Delete.Objects))
	for i, o := range in.Delete.Objects {
		txs[i], errs[i] = b.applyDelete(ctx, &s3.DeleteObjectInput{
			Bucket:                  in.Bucket,
			Key:                     o.Key,
			IfMatch:                 o.ETag,
			IfMatchLastModifiedTime: o.LastModifiedTime,
			IfMatchSize:             o.Size,
		})
	}
	out := &s3.DeleteObjectsOutput{}
	for i, o := range in.Delete.Objects {
		if errs[i] == nil {
			errs[i] = txs[i].wait(ctx)
		}
		if errs[i] == nil {
			out.Deleted = append(out.Deleted, types.DeletedObject{Key: o.Key})
			continue
		}
		e := s3err.From(errs[i])
		code := string(e.Code)
		out.Errors = append(out.Errors, types.Error{Key: o.Key, Code: &code, Message: &e.Message})
	}
	if len(out.Deleted) == 0 && ctx.Err() != nil {
		return nil, errors.Join(errs...)
	}
	return out, nil
}
