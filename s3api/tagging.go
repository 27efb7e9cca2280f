package s3api

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// What S3 takes of tags: how many, and how long in characters.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html
const (
	maxTags       = 10 // of an object
	maxBucketTags = 50
	maxTagKey     = 128
	maxTagValue   = 256
)

// tagger returns the bucket's ability to keep tags.
func (c *call) tagger() (backends.Tagger, error) {
	t, ok := backends.As[backends.Tagger](c.route.Backend)
	if !ok {
		return nil, s3err.Newf(s3err.NotImplemented, "The storage behind this bucket has no tags.")
	}
	return t, nil
}

// badTagging is said of the header when it cannot be read.
const badTagging = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."

// taggingHeader reads the tags of an object that is to be written, as inputs have them; nil for none.
func (c *call) taggingHeader() (*string, error) {
	tags, err := headerTags(c.header("X-Amz-Tagging"))
	return backends.EncodeTags(tags), err
}

// headerTags reads and checks the tags of an object as the header has them.
func headerTags(header string) ([]backends.Tag, error) {
	tags, err := backends.ParseTags(header)
	switch {
	case err != nil:
		return nil, s3err.InvalidArg("x-amz-tagging", header, badTagging).Because(err)
	case len(tags) > maxTags:
		return nil, tooManyTags(objectTags, maxTags)
	}
	for _, t := range tags {
		if err := checkTag(t.Key, t.Value, reservedOfObjects); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

// documentTags reads and checks the tags of an object as a document has them.
func documentTags(document io.Reader) ([]backends.Tag, error) {
	set := tagSet{max: maxTags, tooMany: objectTags}
	if err := taggingDocument.decode(document, set.read); err != nil {
		return nil, err
	}
	return backends.TagsOf(&types.Tagging{TagSet: set.tags}), nil
}

// What S3 says of tags that are its own.
const (
	reservedOfObjects = "Your TagKey cannot be prefixed with aws:"
	reservedOfBuckets = "System tags cannot be added/updated by requester"
)

// reserved is what is said of a tag that is S3's own.
func (l *tagSet) reserved() string {
	if l.max == maxTags {
		return reservedOfObjects
	}
	return reservedOfBuckets
}

// objectTags names the tags of objects to who has too many.
const objectTags = "Object tags"

// tooManyTags is the error of more tags than there may be.
func tooManyTags(what string, limit int) error {
	return s3err.Newf(s3err.BadRequest, "%s cannot be greater than %d", what, limit)
}

// tagSet is the document of PutObjectTagging and PutBucketTagging.
type tagSet struct {
	tags    []types.Tag
	max     int
	tooMany string // what is said of more
}

// read reads the document.
func (l *tagSet) read(e *elements) error {
	found := false
	err := e.children(func(name string) error {
		switch {
		case name != "TagSet":
			return nil
		case found:
			return malformed(nil)
		}
		found = true
		return l.readTags(e)
	})
	if err == nil && !found {
		return malformed(nil)
	}
	return err
}

// readTags reads a list of tags.
func (l *tagSet) readTags(e *elements) error {
	return e.children(func(name string) error {
		if name != "Tag" {
			return nil
		}
		return l.readTag(e)
	})
}

// ofBucket are the tags as what is set on a bucket.
func (l *tagSet) ofBucket() []router.Tag {
	var tags []router.Tag
	for _, t := range l.tags {
		tags = append(tags, router.Tag{Key: *t.Key, Value: *t.Value})
	}
	return tags
}

// readTag reads a Tag.
func (l *tagSet) readTag(e *elements) error {
	var t types.Tag
	err := e.texts(map[string]**string{"Key": &t.Key, "Value": &t.Value})
	switch {
	case err != nil:
		return err
	case t.Key == nil || t.Value == nil:
		return malformed(nil)
	case len(l.tags) == l.max:
		return tooManyTags(l.tooMany, l.max)
	}
	if err := checkTag(*t.Key, *t.Value, l.reserved()); err != nil {
		return err
	}
	for i := range l.tags {
		if *l.tags[i].Key == *t.Key {
			return s3err.Newf(s3err.InvalidTag, "Cannot provide multiple Tags with the same key").With("TagKey", *t.Key)
		}
	}
	l.tags = append(l.tags, t)
	return nil
}

// writeTags writes the document of tags.
func (c *call) writeTags(tags []types.Tag) {
	d := newResult("Tagging")
	d.open("TagSet")
	for i := range tags {
		d.open("Tag")
		d.ptr("Key", tags[i].Key)
		d.ptr("Value", tags[i].Value)
		d.close("Tag")
	}
	d.close("TagSet")
	d.close("Tagging")
	c.writeDoc(d)
}

// checkTag refuses what is no tag that a client may set; reserved is what it says of one that is S3's own.
func checkTag(key, value, reserved string) error {
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxTagKey || !isTagText(key):
		return s3err.Newf(s3err.InvalidTag, "The TagKey you have provided is invalid").With("TagKey", key)
	case hasPrefixFold(key, "aws:"):
		return s3err.Newf(s3err.InvalidTag, "%s", reserved).With("TagKey", key)
	case utf8.RuneCountInString(value) > maxTagValue || !isTagText(value):
		return s3err.Newf(s3err.InvalidTag, "The TagValue you have provided is invalid").With("TagKey", key).With("TagValue", value)
	}
	return nil
}

// isTagText reports whether s has only characters that tags may have.
func isTagText(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return utf8.ValidString(s)
}
