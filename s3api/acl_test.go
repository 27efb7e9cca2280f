package s3api

import (
	"testing"

	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestRefuseACL: what headers may say of access where lists are disabled.
func TestRefuseACL(t *testing.T) {
	t.Parallel()
	f := func(name, value string, onObject, onNew s3err.Code) {
		t.Helper()
		for want, c := range map[s3err.Code]*call{
			onObject: {op: &operation{scope: onBucket}, route: &router.Route{Owner: "me"}},
			onNew:    {op: &operation{scope: onNewBucket}, identity: &router.Identity{UserID: "me"}},
		} {
			if err := c.refuseACL(name, value); want == "" && err != nil || want != "" && !s3err.Is(err, want) {
				t.Errorf("%s: %s: %v; want %s", name, value, err, want)
			}
		}
	}
	f("X-Amz-Acl", "private", "", "")
	f("X-Amz-Acl", "bucket-owner-full-control", "", "")
	f("X-Amz-Acl", "public-read", s3err.AccessControlListNotSupported, s3err.InvalidBucketACL)
	f("X-Amz-Acl", "public", s3err.InvalidArgument, s3err.InvalidArgument)
	f("X-Amz-Grant-Full-Control", `id="me"`, "", "")
	f("X-Amz-Grant-Full-Control", "id=me", "", "")
	f("X-Amz-Grant-Full-Control", "id=me, id=you", s3err.AccessControlListNotSupported, s3err.InvalidBucketACL)
	f("X-Amz-Grant-Read", "id=me", s3err.AccessControlListNotSupported, s3err.InvalidBucketACL)
}

// TestCheckLocation: a server is in one region.
func TestCheckLocation(t *testing.T) {
	t.Parallel()
	f := func(region, constraint string, code s3err.Code) {
		t.Helper()
		s := &Server{Options: Options{Region: region}}
		if err := s.checkLocation(&constraint); code == "" && err != nil || code != "" && !s3err.Is(err, code) {
			t.Errorf("%s in %s: %v; want %s", constraint, region, err, code)
		}
	}
	f("us-east-1", "", "")
	f("us-east-1", "us-east-1", s3err.InvalidLocationConstraint)
	f("us-east-1", "eu-west-1", s3err.InvalidLocationConstraint)
	f("us-east-1", "mars-1", s3err.InvalidLocationConstraint)
	f("eu-west-1", "", "")
	f("eu-west-1", "eu-west-1", "")
	f("eu-west-1", "EU", "")
	f("eu-west-1", "eu-central-1", s3err.IllegalLocationConstraint)
	f("eu-west-1", "us-east-1", s3err.InvalidLocationConstraint)
	f("eu-west-1", "mars-1", s3err.InvalidLocationConstraint)
	f("mars-1", "mars-1", "")
}
