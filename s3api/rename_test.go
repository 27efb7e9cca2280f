package s3api_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestRenameGrants: who renames reads and deletes the source, and writes the destination. Grants are by prefix.
func TestRenameGrants(t *testing.T) {
	t.Parallel()
	f := func(allowed bool, grants ...router.Grant) {
		t.Helper()
		for i := range grants {
			grants[i].Buckets = []string{"*"}
		}
		mover := router.Credential{Identity: router.Identity{AccessKey: "MOVER", Grants: grants}, SecretKey: "MOVER-secret"}
		u := sign(t, s3test.Root, s3test.Options{People: []router.Credential{mover}})
		u.put("in/k", "body")
		_, err := u.as(mover).RenameObject(t.Context(), &s3.RenameObjectInput{
			Bucket: u.bucket, Key: aws.String("out/k"), RenameSource: aws.String("in/k"),
		})
		if allowed != (err == nil) || !allowed && s3err.From(err).Code != s3err.AccessDenied {
			t.Errorf("%v: %v", grants, err)
		}
		there := "in/k"
		if allowed {
			there = "out/k"
		}
		if keys := u.keys("", "", 1000); len(keys) != 1 || keys[0] != there {
			t.Errorf("%v: %v", grants, keys)
		}
	}
	take := []router.Action{router.Read, router.Delete}
	f(true)
	f(true, router.Grant{Prefix: "in/", Actions: take}, router.Grant{Prefix: "out/", Actions: []router.Action{router.Write}})
	f(false, router.Grant{Prefix: "in/", Actions: []router.Action{router.Read}}, router.Grant{Prefix: "out/", Actions: []router.Action{router.Write}})
	f(false, router.Grant{Prefix: "in/", Actions: []router.Action{router.Delete}}, router.Grant{Prefix: "out/", Actions: []router.Action{router.Write}})
	f(false, router.Grant{Prefix: "in/", Actions: take}, router.Grant{Prefix: "out/", Actions: take})
	f(false, router.Grant{Prefix: "in/", Actions: []router.Action{router.AllActions}})
	f(false, router.Grant{Prefix: "out/", Actions: []router.Action{router.AllActions}})
}
