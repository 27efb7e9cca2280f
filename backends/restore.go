package backends

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// Restorer has archives, from which objects are restored before they can be read. Ask by [RestoreObject].
type Restorer interface {
	// RestoreObject has an archived object, or a version of it, made readable for the Days of RestoreRequest, or for other
	// days than before. RestoreAlreadyInProgress when it is on its way; else, when there is nothing to be restored, the error of
	// [ErrNotArchived]; GlacierExpeditedRetrievalNotAvailable, ObjectAlreadyInActiveTier. Errors for what is not there are
	// HeadObject's.
	RestoreObject(context.Context, *s3.RestoreObjectInput) (*Restoring, error)
}

// Restoring is what became of a RestoreObject, which the SDK tells by the status only.
type Restoring struct {
	Begun bool // else the object was readable already, and is for other days now
}

// RestoreObject asks b. Where b has no archives, an object that is there can be read, whatever its storage class is called.
func RestoreObject(ctx context.Context, b Backend, in *s3.RestoreObjectInput) (*Restoring, error) {
	if r, ok := As[Restorer](b); ok {
		return r.RestoreObject(ctx, in)
	}
	if _, err := HeadKeyless(ctx, b, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId}); err != nil {
		return nil, err
	}
	return nil, ErrNotArchived()
}

// ErrNotArchived is the error of a restore of an object that is in no archive.
func ErrNotArchived() *s3err.Error {
	return s3err.Newf(s3err.InvalidObjectState, "Restore is not allowed for the object's current storage class")
}
