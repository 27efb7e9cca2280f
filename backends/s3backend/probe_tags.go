package s3backend

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// objectTags gives an object tags as it is written, copies it, with its tags and with others, and changes and removes them.
func (p *probe) objectTags() (bool, error) {
	first, second := []backends.Tag{{Key: "a b/+", Value: "1+ 1=2"}, {Key: "c"}}, []backends.Tag{{Key: "d", Value: "e"}}
	name := "tagged"
	put := func() (bool, error) {
		_, err := p.put(name, "body", func(in *s3.PutObjectInput) { in.Tagging = backends.EncodeTags(first) })
		return taken(err)
	}
	copied := func(to string, directive types.TaggingDirective, tags []backends.Tag) func() (bool, error) {
		return func() (bool, error) {
			key := p.key(to)
			_, err := p.CopyObject(p.ctx, backends.CopySource{Bucket: p.bucket, Key: p.prefix + name}, &s3.CopyObjectInput{
				Bucket: &p.bucket, Key: &key, TaggingDirective: directive, Tagging: backends.EncodeTags(tags),
			})
			return taken(err)
		}
	}
	key := p.key(name)
	return all(
		put, p.tagged(name, first),
		copied("tagged-copy", "", nil), p.tagged("tagged-copy", first),
		copied("tagged-other", types.TaggingDirectiveReplace, second), p.tagged("tagged-other", second),
		copied("tagged-none", types.TaggingDirectiveReplace, nil), p.tagged("tagged-none", nil),
		func() (bool, error) {
			_, err := p.PutObjectTagging(p.ctx, &s3.PutObjectTaggingInput{Bucket: &p.bucket, Key: &key, Tagging: backends.TagSet(second)})
			return taken(err)
		}, p.tagged(name, second),
		func() (bool, error) {
			_, err := p.DeleteObjectTagging(p.ctx, &s3.DeleteObjectTaggingInput{Bucket: &p.bucket, Key: &key})
			return taken(err)
		}, p.tagged(name, nil),
	)
}

// tagged tells whether an object has those tags, in whatever order, and reads count them.
func (p *probe) tagged(name string, want []backends.Tag) func() (bool, error) {
	return func() (bool, error) {
		head, err := p.headOf(name)
		if err != nil {
			return taken(err)
		}
		key := p.key(name)
		out, err := p.GetObjectTagging(p.ctx, &s3.GetObjectTaggingInput{Bucket: &p.bucket, Key: &key})
		if err != nil {
			return taken(err)
		}
		got := backends.TagsOf(&types.Tagging{TagSet: out.TagSet})
		for _, t := range want {
			if !slices.Contains(got, t) {
				return false, nil
			}
		}
		count := int32(0)
		if head.TagCount != nil {
			count = *head.TagCount
		}
		return len(got) == len(want) && int(count) == len(want), nil
	}
}
