package s3api

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/checksum"
)

// headObject implements HeadObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (s *Server) headObject(c *call) error {
	in, err := c.getObjectInput()
	if err != nil {
		return err
	}
	out, err := c.route.Backend.HeadObject(c.ctx, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, PartNumber: in.PartNumber, Range: in.Range,
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch,
		IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince, ChecksumMode: in.ChecksumMode,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	})
	if err != nil {
		return err
	}
	o := &objectOutput{
		CacheControl: out.CacheControl, ContentDisposition: out.ContentDisposition, ContentEncoding: out.ContentEncoding,
		ContentLanguage: out.ContentLanguage, ContentType: out.ContentType, ContentRange: out.ContentRange,
		ETag: out.ETag, ExpiresString: out.ExpiresString, LastModified: out.LastModified, Metadata: out.Metadata,
		PartsCount: out.PartsCount, StorageClass: out.StorageClass, WebsiteRedirectLocation: out.WebsiteRedirectLocation,
		ChecksumType: out.ChecksumType, VersionId: out.VersionId, TagCount: out.TagCount, Restore: out.Restore,
		ObjectLockMode: out.ObjectLockMode, ObjectLockRetainUntilDate: out.ObjectLockRetainUntilDate,
		ObjectLockLegalHoldStatus: out.ObjectLockLegalHoldStatus,
		ServerSideEncryption:      out.ServerSideEncryption, SSEKMSKeyId: out.SSEKMSKeyId, BucketKeyEnabled: out.BucketKeyEnabled,
		SSECustomerAlgorithm: out.SSECustomerAlgorithm, SSECustomerKeyMD5: out.SSECustomerKeyMD5,
	}
	checksum.Copy(o, out)
	c.writeObjectHeaders(o)
	c.archived(out.ArchiveStatus)
	c.fc.Response.SkipBody = true
	c.fc.Response.Header.SetContentLength(int(*out.ContentLength))
	return nil
}
