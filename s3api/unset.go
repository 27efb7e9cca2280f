package s3api

import (
	"net/http"

	"github.com/xronox/xronox-proxy/s3err"
)

// unset is the one answer that an operation has for a bucket as it is when it is new. This server does not let
// clients change that, so it is the answer for every bucket.
type unset struct {
	code s3err.Code // that there is no such setting, or that it cannot be changed

	// Else the document that says so; without a root, 204 without one: there is nothing to remove.
	root, inner string
}

// unsets are the operations on settings that S3 has and this server does not: what they read is as in a
// new bucket of S3, where access control lists are disabled, and nobody from outside has access. What would set them
// answers NotImplemented; docs/OPERATIONS.md says why. An operation that is here has no file of its own.
var unsets = map[string]unset{
	"DeleteBucketAnalyticsConfiguration":          {},
	"DeleteBucketIntelligentTieringConfiguration": {},
	"DeleteBucketInventoryConfiguration":          {},
	"DeleteBucketLifecycle":                       {},
	"DeleteBucketMetadataConfiguration":           {},
	"DeleteBucketMetadataTableConfiguration":      {},
	"DeleteBucketMetricsConfiguration":            {},
	"DeleteBucketPolicy":                          {},
	"DeleteBucketReplication":                     {},
	"DeleteBucketWebsite":                         {},

	"GetBucketAnalyticsConfiguration":          {code: s3err.NoSuchConfiguration},
	"GetBucketIntelligentTieringConfiguration": {code: s3err.NoSuchConfiguration},
	"GetBucketInventoryConfiguration":          {code: s3err.NoSuchConfiguration},
	"GetBucketLifecycleConfiguration":          {code: s3err.NoSuchLifecycleConfiguration},
	"GetBucketMetadataConfiguration":           {code: s3err.MetadataConfigurationNotFound},
	"GetBucketMetadataTableConfiguration":      {code: s3err.MetadataConfigurationNotFound},
	"GetBucketMetricsConfiguration":            {code: s3err.NoSuchConfiguration},
	"GetBucketPolicy":                          {code: s3err.NoSuchBucketPolicy},
	"GetBucketPolicyStatus":                    {code: s3err.NoSuchBucketPolicy},
	"GetBucketReplication":                     {code: s3err.ReplicationConfigurationNotFound},
	"GetBucketWebsite":                         {code: s3err.NoSuchWebsiteConfiguration},

	"GetBucketAbac":                      {root: "AbacStatus", inner: "<Status>Disabled</Status>"},
	"GetBucketAccelerateConfiguration":   {root: "AccelerateConfiguration"},
	"GetBucketLogging":                   {root: "BucketLoggingStatus"},
	"GetBucketNotificationConfiguration": {root: "NotificationConfiguration"},
	"GetBucketOwnershipControls":         {root: "OwnershipControls", inner: "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"},
	"GetBucketRequestPayment":            {root: "RequestPaymentConfiguration", inner: "<Payer>BucketOwner</Payer>"},
	"GetPublicAccessBlock": {root: "PublicAccessBlockConfiguration", inner: "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>" +
		"<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>"},

	"ListBucketAnalyticsConfigurations":          {root: "ListBucketAnalyticsConfigurationResult", inner: noneListed},
	"ListBucketIntelligentTieringConfigurations": {root: "ListBucketIntelligentTieringConfigurationsOutput", inner: noneListed},
	"ListBucketInventoryConfigurations":          {root: "ListInventoryConfigurationsResult", inner: noneListed},
	"ListBucketMetricsConfigurations":            {root: "ListMetricsConfigurationsResult", inner: noneListed},

	"PutBucketAcl": {code: s3err.AccessControlListNotSupported},
	"PutObjectAcl": {code: s3err.AccessControlListNotSupported},
}

// noneListed is in a list without entries.
const noneListed = "<IsTruncated>false</IsTruncated>"

// unset implements every operation that is in unsets.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
func (s *Server) unset(c *call) error {
	u := unsets[c.op.name]
	switch {
	case u.code == s3err.AccessControlListNotSupported || u.code == s3err.NoSuchConfiguration:
		return s3err.New(u.code)
	case u.code != "":
		return s3err.New(u.code).With("BucketName", c.bucket)
	}
	if err := c.noBody(); err != nil {
		return err
	}
	if u.root == "" {
		c.fc.SetStatusCode(http.StatusNoContent)
		return nil
	}
	d := newResult(u.root)
	d.b = append(d.b, u.inner...)
	d.close(u.root)
	c.writeDoc(d)
	return nil
}
