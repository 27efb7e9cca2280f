package backends

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/s3err"
)

// Tag is one of an object's tags.
type Tag struct{ Key, Value string }

// The errors of [ParseTags].
var (
	errTagEncoding = errors.New("tags are not URL-encoded UTF-8")
	errTagTwice    = errors.New("a tag is named twice")
)

// ParseTags reads tags as the header x-amz-tagging has them, and the Tagging of inputs: as the parameters of a URL.
// It looks at nothing but the encoding, and that no key is there twice.
func ParseTags(encoded string) ([]Tag, error) {
	var tags []Tag
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(encoded, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		t, err := parseTag(key, value)
		switch {
		case err != nil:
			return nil, err
		case seen[t.Key]:
			return nil, errTagTwice
		}
		seen[t.Key] = true
		tags = append(tags, t)
	}
	return tags, nil
}

// parseTag decodes a key, which is never empty, and a value.
func parseTag(key, value string) (t Tag, err error) {
	if t.Key, err = url.QueryUnescape(key); err == nil {
		t.Value, err = url.QueryUnescape(value)
	}
	if err != nil || t.Key == "" || !utf8.ValidString(t.Key) || !utf8.ValidString(t.Value) {
		return Tag{}, errTagEncoding
	}
	return t, nil
}

// EncodeTags is the inverse of [ParseTags]; nil for no tags.
func EncodeTags(tags []Tag) *string {
	if len(tags) == 0 {
		return nil
	}
	var s strings.Builder
	for i, t := range tags {
		if i > 0 {
			s.WriteByte('&')
		}
		s.WriteString(escapeTag(t.Key) + "=" + escapeTag(t.Value))
	}
	encoded := s.String()
	return &encoded
}

// escapeTag escapes spaces, too, in the way that nobody takes for a plus sign.
func escapeTag(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// givenTags are the tags of an input, which the edge has checked.
func givenTags(encoded *string) []Tag {
	tags, _ := ParseTags(value(encoded))
	return tags
}

// TagSet are tags in S3's words; never nil.
func TagSet(tags []Tag) *types.Tagging {
	t := &types.Tagging{TagSet: make([]types.Tag, len(tags))}
	for i := range tags {
		t.TagSet[i] = types.Tag{Key: &tags[i].Key, Value: &tags[i].Value}
	}
	return t
}

// TagsOf is the inverse of [TagSet]; nil when there are none.
func TagsOf(t *types.Tagging) []Tag {
	if t == nil || len(t.TagSet) == 0 {
		return nil
	}
	tags := make([]Tag, len(t.TagSet))
	for i := range t.TagSet {
		tags[i] = Tag{value(t.TagSet[i].Key), value(t.TagSet[i].Value)}
	}
	return tags
}

// TagCount is how many tags an object has, as reads show it: nil for none.
func TagCount(tags []Tag) *int32 {
	n := int32(len(tags)) // at most ten
	if n == 0 {
		return nil
	}
	return &n
}

// TaggerOf returns b's ability to keep tags, or one that answers for objects without.
func TaggerOf(b Backend) Tagger {
	if t, ok := As[Tagger](b); ok {
		return t
	}
	return untagged{b}
}

// untagged answers for a backend whose objects have no tags.
type untagged struct{ Backend }

// GetObjectTagging implements [Tagger].
func (u untagged) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	if err := CheckVersion(value(in.VersionId)); err != nil {
		return nil, err
	}
	_, err := HeadKeyless(ctx, u.Backend, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
	return &s3.GetObjectTaggingOutput{}, err
}

// PutObjectTagging implements [Tagger].
func (u untagged) PutObjectTagging(context.Context, *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	return nil, s3err.New(s3err.NotImplemented)
}

// DeleteObjectTagging implements [Tagger].
func (u untagged) DeleteObjectTagging(context.Context, *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	return nil, s3err.New(s3err.NotImplemented)
}

// StoredTags reads the tags of an object of which a read has said how many there are. Who wants them to be of what was read
// holds the store to its ETag.
func StoredTags(ctx context.Context, src Source, count *int32) ([]Tag, error) {
	if count == nil || *count == 0 {
		return nil, nil
	}
	t, ok := As[Tagger](src.Backend)
	if !ok {
		return nil, nil
	}
	out, err := t.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &src.Bucket, Key: &src.Key, VersionId: optional(src.VersionID)})
	if err != nil {
		return nil, err
	}
	return TagsOf(&types.Tagging{TagSet: out.TagSet}), nil
}

// tagged makes in, where it wants the tags of the source, want those that only compositions know.
func (s Source) tagged(in *s3.CopyObjectInput) *s3.CopyObjectInput {
	if s.Tags == nil || in.TaggingDirective == types.TaggingDirectiveReplace {
		return in
	}
	c := *in
	c.TaggingDirective, c.Tagging = types.TaggingDirectiveReplace, EncodeTags(TagsOf(s.Tags))
	return &c
}

// copiedTags are the tags that a streamed copy gets, of what was read from the source.
func (s Source) copiedTags(ctx context.Context, from *s3.GetObjectOutput, in *s3.CopyObjectInput) (*string, error) {
	in = s.tagged(in)
	if in.TaggingDirective == types.TaggingDirectiveReplace {
		return in.Tagging, nil
	}
	tags, err := StoredTags(ctx, s, from.TagCount)
	if err != nil || len(tags) == 0 {
		return nil, err
	}
	// They may be those of an object that was written over the one that is being read.
	_, err = HeadKeyless(ctx, s.Backend, &s3.HeadObjectInput{Bucket: &s.Bucket, Key: &s.Key, VersionId: optional(s.VersionID), IfMatch: from.ETag})
	if s3err.Is(err, s3err.PreconditionFailed) {
		err = ErrWrittenOver(err)
	}
	return EncodeTags(tags), err
}
