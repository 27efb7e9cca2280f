package backendtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// Archive is a store that has archives, for tests: no server of S3's that can be run has some. Objects of the classes GLACIER
// and DEEP_ARCHIVE are read and copied only when they have been restored, which they are at once when that is asked
// for as Expedited, and else never.
type Archive struct {
	backends.Backend
	mu       sync.Mutex
	restores map[string]restore // by bucket and key
}

// restore is what became of the restore of an object.
type restore struct {
	done bool
	days int32
}

// NewArchive has a store have archives.
func NewArchive(store backends.Backend) *Archive {
	return &Archive{Backend: store, restores: map[string]restore{}}
}

// Unwrap is the store; what it does beside is done as if there were no archives.
func (a *Archive) Unwrap() backends.Backend { return a.Backend }

// expiry is till when what has been restored can be read.
const expiry = "Fri, 21 Dec 2012 00:00:00 GMT"

// of is what became of the restore of an object, if it was asked for.
func (a *Archive) of(bucket, key *string) (restore, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.restores[aws.ToString(bucket)+"/"+aws.ToString(key)]
	return r, ok
}

// readable fails when an object is in an archive and has not been restored.
func (a *Archive) readable(ctx context.Context, bucket, key *string) error {
	head, err := a.Backend.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	if err != nil || !archival(head.StorageClass) {
		return err
	}
	if r, _ := a.of(bucket, key); r.done {
		return nil
	}
	return s3err.New(s3err.InvalidObjectState).With("StorageClass", string(head.StorageClass))
}

// archival reports whether objects of a class are in archives.
func archival(class types.StorageClass) bool {
	return class == types.StorageClassGlacier || class == types.StorageClassDeepArchive
}

// GetObject implements [backends.ObjectReader].
func (a *Archive) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if err := a.readable(ctx, in.Bucket, in.Key); err != nil {
		return nil, err
	}
	out, err := a.Backend.GetObject(ctx, in)
	if err == nil {
		out.Restore = a.shown(in.Bucket, in.Key)
	}
	return out, err
}

// HeadObject implements [backends.ObjectReader].
func (a *Archive) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, err := a.Backend.HeadObject(ctx, in)
	if err == nil {
		out.Restore = a.shown(in.Bucket, in.Key)
	}
	return out, err
}

// shown is what reads tell of a restore.
func (a *Archive) shown(bucket, key *string) *string {
	r, ok := a.of(bucket, key)
	switch {
	case !ok:
		return nil
	case r.done:
		return aws.String(`ongoing-request="false", expiry-date="` + expiry + `"`)
	}
	return aws.String(`ongoing-request="true"`)
}

// CopyObject implements [backends.ObjectWriter].
func (a *Archive) CopyObject(ctx context.Context, src backends.CopySource, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if err := a.readable(ctx, &src.Bucket, &src.Key); s3err.Is(err, s3err.InvalidObjectState) {
		return nil, s3err.New(s3err.ObjectNotInActiveTier)
	}
	return a.Backend.CopyObject(ctx, src, in)
}

// ListObjectsV2 implements [backends.Lister].
func (a *Archive) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	out, err := a.Backend.ListObjectsV2(ctx, in)
	if err != nil || !slices.Contains(in.OptionalObjectAttributes, types.OptionalObjectAttributesRestoreStatus) {
		return out, err
	}
	for i := range out.Contents {
		r, ok := a.of(in.Bucket, out.Contents[i].Key)
		if !ok {
			continue
		}
		status := &types.RestoreStatus{IsRestoreInProgress: aws.Bool(!r.done)}
		if t, err := time.Parse(time.RFC1123, expiry); r.done && err == nil {
			status.RestoreExpiryDate = &t
		}
		out.Contents[i].RestoreStatus = status
	}
	return out, nil
}

// RestoreObject implements [backends.Restorer].
func (a *Archive) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*backends.Restoring, error) {
	head, err := a.Backend.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId})
	switch {
	case err != nil:
		return nil, err
	case !archival(head.StorageClass):
		return nil, backends.ErrNotArchived()
	case in.RestoreRequest.Days == nil:
		return nil, s3err.New(s3err.MalformedXML)
	}
	before, ok := a.of(in.Bucket, in.Key)
	if ok && !before.done {
		return nil, s3err.New(s3err.RestoreAlreadyInProgress)
	}
	job := in.RestoreRequest.GlacierJobParameters
	a.mu.Lock()
	defer a.mu.Unlock()
	a.restores[*in.Bucket+"/"+*in.Key] = restore{days: *in.RestoreRequest.Days, done: ok || job != nil && job.Tier == types.TierExpedited}
	return &backends.Restoring{Begun: !ok}, nil
}

// Restores holds a backend that has an [Archive] at its bottom to what it is told there: what is archived can be
// restored through it, and read from then on.
func Restores(t *testing.T, b backends.Backend, bucket string) {
	t.Helper()
	e := &env{T: t, b: b, bucket: bucket}
	restored := func(key string, tier types.Tier) (*backends.Restoring, error) {
		return backends.RestoreObject(t.Context(), b, &s3.RestoreObjectInput{
			Bucket: &bucket, Key: &key,
			RestoreRequest: &types.RestoreRequest{Days: aws.Int32(1), GlacierJobParameters: &types.GlacierJobParameters{Tier: tier}},
		})
	}
	archive := func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassGlacier }
	e.put("archived", "cold", archive)
	e.put("slow", "cold", archive)
	e.put("usual", "warm")
	_, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("archived")})
	e.refused(err, s3err.InvalidObjectState)
	if d := s3err.From(err).Details; !slices.Contains(d, s3err.Detail{Name: "StorageClass", Value: "GLACIER"}) {
		t.Errorf("details: %v", d)
	}
	f := func(key string, tier types.Tier, begun bool, restore string) {
		t.Helper()
		out, err := restored(key, tier)
		if err != nil || out.Begun != begun {
			t.Errorf("RestoreObject %s: %v, %v", key, out, err)
		}
		if got := aws.ToString(e.head(key).Restore); !strings.HasPrefix(got, restore) {
			t.Errorf("Restore of %s: %s", key, got)
		}
	}
	f("archived", types.TierExpedited, true, `ongoing-request="false"`)
	e.holds("archived", "cold")
	f("archived", types.TierExpedited, false, `ongoing-request="false"`)
	f("slow", types.TierBulk, true, `ongoing-request="true"`)
	_, err = restored("slow", types.TierBulk)
	e.refused(err, s3err.RestoreAlreadyInProgress)
	_, err = restored("usual", types.TierBulk)
	e.refused(err, s3err.InvalidObjectState)
	_, err = restored("none", types.TierBulk)
	e.refused(err, s3err.NoSuchKey)
	e.holds("usual", "warm")
}
