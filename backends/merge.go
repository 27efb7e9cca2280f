package backends

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Filter says which entries of a listing are shown when it is merged with
// others. The zero value shows all. It is asked in order of the entries.
type Filter struct {
	// Keep reports whether a key is shown; nil shows all.
	Keep func(ctx context.Context, key string) (bool, error)

	// KeepPrefix reports whether a common prefix is shown, which it is to be when
	// any key below it is; nil shows all. It is not asked for a prefix that
	// an earlier source shows.
	KeepPrefix func(ctx context.Context, prefix string) (bool, error)

	// Skip is told of an entry that is not shown. It may return a key, as StartAfter takes
	// them, so that nothing up to it is read. No other entry up to it may be one that is
	// shown, not even a common prefix for the sake of keys behind it.
	Skip func(entry string) (after string, ok bool)
}

// ListSource is one of the listings that [MergeObjects] makes one of.
type ListSource struct {
	Lister
	Bucket string
	Filter
}

// UploadSource is one of the listings that [MergeUploads] makes one of. All uploads that
// are shown of a key must come from one source: its Keep decides who gets an UploadIdMarker.
type UploadSource struct {
	MultipartUploader
	Bucket string
	Filter
}

// MergeObjects answers in, as [Lister] says, from several listings as if the
// objects were in one bucket. Of two objects with one key the earlier source's
// is shown. The delimiter is the sources' work: below a common prefix nothing is read.
func MergeObjects(ctx context.Context, sources []ListSource, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	streams := make([]*stream[types.Object], len(sources))
	for i, s := range sources {
		streams[i] = &stream[types.Object]{
			Filter: s.Filter, more: true, at: position{name: aws.ToString(in.StartAfter)},
			read: func(ctx context.Context, after position, limit int32) ([]entry[types.Object], bool, error) {
				return s.read(ctx, in, after, limit)
			},
		}
	}
	page, err := merge(ctx, streams, pageLength(in.MaxKeys))
	if err != nil {
		return nil, err
	}
	return objectsPage(page), nil
}

// MergeUploads is [MergeObjects] for [MultipartUploader.ListMultipartUploads].
func MergeUploads(ctx context.Context, sources []UploadSource, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	streams := make([]*stream[types.MultipartUpload], len(sources))
	for i, s := range sources {
		at, err := s.start(ctx, in.KeyMarker, in.UploadIdMarker)
		if err != nil {
			return nil, err
		}
		streams[i] = &stream[types.MultipartUpload]{
			Filter: s.Filter, more: true, at: at,
			read: func(ctx context.Context, after position, limit int32) ([]entry[types.MultipartUpload], bool, error) {
				return s.read(ctx, in, after, limit)
			},
		}
	}
	page, err := merge(ctx, streams, pageLength(in.MaxUploads))
	if err != nil {
		return nil, err
	}
	return uploadsPage(page), nil
}

// read reads the source's part of what in asks for, after that position.
func (s ListSource) read(ctx context.Context, in *s3.ListObjectsV2Input, after position, limit int32) ([]entry[types.Object], bool, error) {
	c := *in
	c.Bucket, c.StartAfter, c.MaxKeys = &s.Bucket, optional(after.name), &limit
	out, err := s.ListObjectsV2(ctx, &c)
	if err != nil {
		return nil, false, err
	}
	objects := make([]entry[types.Object], len(out.Contents))
	for i, o := range out.Contents {
		objects[i] = entry[types.Object]{position: position{name: aws.ToString(o.Key)}, value: o}
	}
	return withPrefixes(objects, out.CommonPrefixes), aws.ToBool(out.IsTruncated), nil
}

// read reads the source's part of what in asks for, after that position.
func (s UploadSource) read(ctx context.Context, in *s3.ListMultipartUploadsInput, after position, limit int32) ([]entry[types.MultipartUpload], bool, error) {
	c := *in
	c.Bucket, c.MaxUploads = &s.Bucket, &limit
	c.KeyMarker, c.UploadIdMarker = optional(after.name), optional(after.uploadID)
	out, err := s.ListMultipartUploads(ctx, &c)
	if err != nil {
		return nil, false, err
	}
	uploads := make([]entry[types.MultipartUpload], len(out.Uploads))
	for i, u := range out.Uploads {
		uploads[i] = entry[types.MultipartUpload]{position: position{aws.ToString(u.Key), aws.ToString(u.UploadId)}, value: u}
	}
	return withPrefixes(uploads, out.CommonPrefixes), aws.ToBool(out.IsTruncated), nil
}

// start is where a source goes on: within what it has of the key marker when that key is its own, else
// behind it.
func (f Filter) start(ctx context.Context, keyMarker, idMarker *string) (position, error) {
	at := position{name: aws.ToString(keyMarker)}
	if at.name == "" || aws.ToString(idMarker) == "" {
		return at, nil
	}
	own := true
	if f.Keep != nil {
		var err error
		if own, err = f.Keep(ctx, at.name); err != nil {
			return at, err
		}
	}
	if own {
		at.uploadID = *idMarker
	}
	return at, nil
}
