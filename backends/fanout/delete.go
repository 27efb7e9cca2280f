package fanout

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/xronox/xronox-proxy/backends"
)

// maxConcurrent is how many mounts delete at once.
const maxConcurrent = 8

// DeleteObject implements [backends.ObjectWriter].
func (f *fanout) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	c := *in
	i, err := f.Select(aws.ToString(in.Key))
	if err != nil || f.enterVersion(i, &c.VersionId) != nil {
		return &s3.DeleteObjectOutput{VersionId: in.VersionId}, backends.CheckDelete(nil, in)
	}
	out, err := f.Mounts[i].Backend.DeleteObject(ctx, &c)
	if err != nil || c.VersionId == in.VersionId {
		return out, err
	}
	return &s3.DeleteObjectOutput{VersionId: in.VersionId}, nil
}

// DeleteObjects implements [backends.ObjectWriter]. Every mount gets its keys in
// one call. When one of the calls fails, its keys do; when all fail, so does this.
func (f *fanout) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	report := backends.NewDeletions(in)
	places := make([][]int, len(f.Mounts)) // in in.Delete.Objects, by mount
	for i, o := range in.Delete.Objects {
		mount, err := f.Select(aws.ToString(o.Key))
		if id := o.VersionId; err != nil || f.enterVersion(mount, &id) != nil {
			report.Done(i, backends.CheckDelete(nil, backends.DeleteOne(in, o)))
			continue
		}
		places[mount] = append(places[mount], i)
	}
	var g errgroup.Group
	g.SetLimit(maxConcurrent)
	asked, errs := 0, make([]error, len(f.Mounts))
	for i, p := range places {
		if len(p) == 0 {
			continue
		}
		asked++
		g.Go(func() error {
			errs[i] = report.Delete(ctx, f.Mounts[i].Backend, p)
			return nil
		})
	}
	_ = g.Wait() // No mount's failure is another's.
	failed, first := 0, error(nil)
	for _, err := range errs {
		if err == nil {
			continue
		}
		if failed++; first == nil {
			first = err
		}
	}
	if first != nil && (failed == asked || ctx.Err() != nil) {
		return nil, first
	}
	return report.Output(), nil
}
