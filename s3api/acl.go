package s3api

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Canned access control lists: all that S3 has, and those that say what holds anyway where lists are disabled, as
// they are in every bucket here.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
var (
	cannedACLs = []string{
		"private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read",
		"bucket-owner-read", "bucket-owner-full-control", "log-delivery-write",
	}
	idleACLs = []string{"private", "bucket-owner-read", "bucket-owner-full-control"}
)

// isACLHeader reports whether a header, as it is canonically written, says who has access.
func isACLHeader(name string) bool {
	return name == "X-Amz-Acl" || strings.HasPrefix(name, "X-Amz-Grant-")
}

// refuseACL refuses a header that would give others access.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
func (c *call) refuseACL(name, value string) error {
	onBucket := c.op.scope == onNewBucket
	switch {
	case name == "X-Amz-Acl" && !slices.Contains(cannedACLs, value):
		return s3err.InvalidArg("x-amz-acl", value, "")
	case name != "X-Amz-Acl" && c.hasHeader("X-Amz-Acl"):
		return s3err.Newf(s3err.InvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed")
	case name == "X-Amz-Acl" && slices.Contains(idleACLs, value):
		return nil
	case name == "X-Amz-Grant-Full-Control" && strings.ReplaceAll(strings.TrimSpace(value), `"`, "") == "id="+c.owner():
		return nil
	case onBucket:
		return s3err.New(s3err.InvalidBucketACL)
	}
	return s3err.New(s3err.AccessControlListNotSupported)
}

// owner is who the bucket belongs to, or will.
func (c *call) owner() string {
	if c.route == nil {
		return c.identity.UserID
	}
	return c.route.Owner
}

// refuseOwnership refuses to let objects of a new bucket belong to who puts them: lists would decide about access then.
func (c *call) refuseOwnership() error {
	switch v := types.ObjectOwnership(c.header("X-Amz-Object-Ownership")); {
	case v == types.ObjectOwnershipBucketOwnerEnforced, v == "" && !c.hasHeader("X-Amz-Object-Ownership"):
		return nil
	case slices.Contains(v.Values(), v):
		return s3err.Newf(s3err.NotImplemented, "Access control lists are not implemented: the only object ownership is BucketOwnerEnforced.").
			With("Header", "x-amz-object-ownership")
	default:
		return s3err.Newf(s3err.InvalidArgument, "Invalid x-amz-object-ownership header: %s", v).With("ArgumentName", "x-amz-object-ownership")
	}
}

// aclDoc is what access control lists say where they are disabled: the owner has full control.
func aclDoc(owner string) *doc {
	d := newResult("AccessControlPolicy")
	d.owner("Owner", owner)
	d.open("AccessControlList")
	d.open("Grant")
	d.open(`Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"`)
	d.text("ID", owner)
	d.text("DisplayName", owner)
	d.close("Grantee")
	d.text("Permission", "FULL_CONTROL")
	d.close("Grant")
	d.close("AccessControlList")
	d.close("AccessControlPolicy")
	return d
}
