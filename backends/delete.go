package backends

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/s3err"
)

// maxDeletions is how many objects of a DeleteObjects are deleted at once where each takes a call.
const maxDeletions = 16

// DeleteEach is DeleteObjects by way of a DeleteObject for each object, several at a time; those of one key in
// order. It fails when ctx ends, and when there is no bucket; no other failure of an object is another's.
func DeleteEach(ctx context.Context, w ObjectWriter, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if in.Delete == nil {
		return &s3.DeleteObjectsOutput{}, nil
	}
	report := NewDeletions(in)
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(maxDeletions)
	for _, places := range placesByKey(in.Delete.Objects) {
		if all.Err() != nil {
			break
		}
		g.Go(func() error {
			for _, place := range places {
				if err := deletePlace(all, w, in, report, place); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := errors.Join(g.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	return report.Output(), nil
}

// placesByKey are the places of objects in a request, those of one key together, by the first of them.
func placesByKey(objects []types.ObjectIdentifier) [][]int {
	var places [][]int
	of := make(map[string]int, len(objects))
	for i, o := range objects {
		n, ok := of[value(o.Key)]
		if !ok {
			n = len(places)
			of[value(o.Key)] = n
			places = append(places, nil)
		}
		places[n] = append(places[n], i)
	}
	return places
}

// deletePlace deletes one object and reports on it. It fails with what concerns all of them.
func deletePlace(ctx context.Context, w ObjectWriter, in *s3.DeleteObjectsInput, report *Deletions, place int) error {
	o := in.Delete.Objects[place]
	out, err := w.DeleteObject(ctx, DeleteOne(in, o))
	switch {
	case err != nil && (ctx.Err() != nil || s3err.Is(err, s3err.NoSuchBucket)):
		return err
	case err != nil:
		report.Done(place, err)
		return nil
	}
	deleted := types.DeletedObject{Key: o.Key, VersionId: o.VersionId, DeleteMarker: out.DeleteMarker}
	if out.DeleteMarker != nil && *out.DeleteMarker {
		deleted.DeleteMarkerVersionId = out.VersionId
	}
	report.Report(place, deleted)
	return nil
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

		BypassGovernanceRetention: in.BypassGovernanceRetention,
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
