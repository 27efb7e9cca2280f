package backends

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// DeleteEach is DeleteObjects by way of a DeleteObject for each key, in order.
func DeleteEach(ctx context.Context, w ObjectWriter, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	out := &s3.DeleteObjectsOutput{}
	if in.Delete == nil {
		return out, nil
	}
	for _, o := range in.Delete.Objects {
		_, err := w.DeleteObject(ctx, DeleteOne(in, o))
		if err != nil && (ctx.Err() != nil || s3err.Is(err, s3err.NoSuchBucket)) {
			return nil, err
		}
		if err != nil {
			out.Errors = append(out.Errors, deleteError(o, err))
			continue
		}
		out.Deleted = append(out.Deleted, types.DeletedObject{Key: o.Key, VersionId: o.VersionId})
	}
	return out, nil
}

// DeleteOne is the DeleteObject of one of in's objects.
func DeleteOne(in *s3.DeleteObjectsInput, o types.ObjectIdentifier) *s3.DeleteObjectInput {
	return &s3.DeleteObjectInput{
		Bucket:                  in.Bucket,
		Key:                     o.Key,
		VersionId:               o.VersionId,
		IfMatch:                 o.ETag,
		IfMatchLastModifiedTime: o.LastModifiedTime,
		IfMatchSize:             o.Size,
	}
}

// CheckVersion judges the VersionId of a request to a store without versions,
// whose objects are all the null version: NoSuchVersion for any other.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
func CheckVersion(id string) error {
	if id == "" || id == NullVersion {
		return nil
	}
	return s3err.New(s3err.NoSuchVersion).With("VersionId", id)
}
