package router

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// clearShared is clear for a bucket that is a prefix of a shared physical
// bucket. No store has one step for it: an object that is written between the
// look and the removal of the record stays where it is, and is there again when
// the bucket is made again. Templates with {bucket} in the bucket have no such gap.
func clearShared(ctx context.Context, route *Route) error {
	page, err := route.Backend.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &route.Name, MaxKeys: aws.Int32(1)})
	switch {
	case s3err.Is(err, s3err.NoSuchBucket):
		return nil
	case err != nil:
		return behind(err)
	case len(page.Contents) > 0:
		return s3err.New(s3err.BucketNotEmpty).With("BucketName", route.Name)
	}
	return abortUploads(ctx, route)
}

// abortUploads ends the unfinished uploads of a bucket that goes; S3 counts a
// bucket with uploads, and without objects, as empty.
func abortUploads(ctx context.Context, route *Route) error {
	uploader, ok := backends.As[backends.MultipartUploader](route.Backend)
	if !ok {
		return nil
	}
	for {
		page, err := uploader.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &route.Name})
		if err != nil {
			return behind(err)
		}
		for i := range page.Uploads {
			_, err := uploader.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
				Bucket: &route.Name, Key: page.Uploads[i].Key, UploadId: page.Uploads[i].UploadId,
			})
			if err != nil && !s3err.Is(err, s3err.NoSuchUpload) {
				return behind(err)
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
	}
}
