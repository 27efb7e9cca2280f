package versioned

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// adopt takes an object that was there before versions into the index, as the null version, and returns
// the top row; the zero Row when there is no such object. Its body stays where it is until
// somebody is about to write over it: see keep.
func (b *bucket) adopt(ctx context.Context, o versions.Object) (versions.Row, error) {
	head, err := backends.HeadKeyless(ctx, b.Heads, &s3.HeadObjectInput{Key: &o.Key, ChecksumMode: types.ChecksumModeEnabled})
	if s3err.Is(err, s3err.NoSuchKey) {
		return b.Index.Top(ctx, o) // It may have gone because there is a row by now.
	}
	if err != nil {
		return versions.Row{}, err
	}
	s, err := versions.NextSlot(ctx, b.Index, versions.Slot{Object: o, Taken: b.Now()})
	if err != nil {
		return versions.Row{}, err
	}
	id := versions.NewVersionID(s.N)
	id.Null = true
	v := versions.Version{
		ID: id, Plain: true, Size: aws.ToInt64(head.ContentLength), ETag: aws.ToString(head.ETag),
		StorageClass: head.StorageClass, Parts: partsOf(aws.ToString(head.ETag)), Checksum: checksumOf(head, head.ChecksumType),
		Encryption: encryptionOf(head),
		Redirect:   aws.ToString(head.WebsiteRedirectLocation),
	}
	v.Tags, err = backends.StoredTags(ctx, b.plainSource(o.Key), head.TagCount)
	if s3err.Is(err, s3err.NoSuchKey) {
		return b.Index.Top(ctx, o)
	}
	if err != nil {
		return versions.Row{}, err
	}
	row, _, err := b.change(ctx, versions.Head{Object: o}, func(top versions.Row) (versions.Row, error) {
		if top.Seq > 0 {
			return top, nil // Somebody else was first, and what we saw is perhaps his.
		}
		return versions.Put(top, v, aws.ToTime(head.LastModified)), nil
	})
	return row, err
}

// plainSource is what is at the plain place of a key.
func (b *bucket) plainSource(key string) backends.Source {
	return backends.Source{Backend: b.Heads, CopySource: backends.CopySource{Key: key}}
}

// keep sees to it that the body of a current version from before is in the place of versions, before another
// version takes its place. What was copied there once is what it is for good. Nothing needs to be kept of
// what is replaced, as null versions are by others.
func (b *bucket) keep(ctx context.Context, o versions.Object, top versions.Row, replaced bool) error {
	v := top.State.Current
	if v == nil || !v.Plain || replaced {
		return nil
	}
	if v.Encryption.Customer {
		return errCannotKeep()
	}
	body := b.body(o.Key, v.ID)
	_, err := backends.HeadKeyless(ctx, b.Bodies, &s3.HeadObjectInput{Key: &body})
	if !s3err.Is(err, s3err.NoSuchKey) {
		return err
	}
	src, err := backends.Source{Backend: b.Heads, CopySource: backends.CopySource{Key: o.Key}}.Located(ctx)
	if err != nil {
		return err
	}
	c := &s3.CopyObjectInput{
		Key: &body, MetadataDirective: types.MetadataDirectiveReplace, TaggingDirective: types.TaggingDirectiveReplace, CopySourceIfMatch: &v.ETag,
		WebsiteRedirectLocation: optional(v.Redirect),
	}
	err = takeHeaders(ctx, c, src)
	if now, e := b.Index.Top(ctx, o); e != nil || now.Seq != top.Seq {
		return e // Whoever had a row behind top has kept the body, and the headers may be those of his head.
	}
	if err != nil {
		return keepFailed(o, err)
	}
	c.Metadata = marked(c.Metadata, Mark{ID: v.ID, By: v.By, Time: v.Time, Rest: versions.Rest(o.Key)})
	c.ServerSideEncryption, c.SSEKMSKeyId = v.Encryption.Algorithm, optional(v.Encryption.KMSKeyID)
	b.bodyPolicy(&c.StorageClass, &c.ServerSideEncryption, &c.SSEKMSKeyId, nil)
	err = copyKept(ctx, b.Bodies, src, c, v)
	if now, e := b.Index.Top(ctx, o); e != nil || now.Seq != top.Seq {
		return e
	}
	return keepFailed(o, err)
}

// keepFailed is the error when an object from before is not what it was: somebody has written to the store directly.
func keepFailed(o versions.Object, err error) error {
	if s3err.Is(err, s3err.NoSuchKey) || s3err.Is(err, s3err.PreconditionFailed) {
		return s3err.New(s3err.OperationAborted).Because(fmt.Errorf("%q has changed in its store since it was taken into the index: %w", o.Key, err))
	}
	return err
}
