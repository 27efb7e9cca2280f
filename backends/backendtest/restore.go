package backendtest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// restoreCases are about archives, which no store in this repository has; see [Archive].
var restoreCases = []testCase{
	{"restore/not-archived", "an object that can be read cannot be restored: InvalidObjectState; NoSuchKey for none", restoreNotArchived},
}

func restoreNotArchived(e *env) {
	f := func(key string, code s3err.Code) {
		e.Helper()
		_, err := backends.RestoreObject(e.Context(), e.b, &s3.RestoreObjectInput{
			Bucket: &e.bucket, Key: &key, RestoreRequest: &types.RestoreRequest{Days: aws.Int32(1)},
		})
		e.refused(err, code)
	}
	f("k", s3err.NoSuchKey)
	e.put("k", "one")
	f("k", s3err.InvalidObjectState)
	e.holds("k", "one")
	e.missing("other")
}
