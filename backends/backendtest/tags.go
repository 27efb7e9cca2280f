package backendtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// tagCases are about tags.
var tagCases = []testCase{
	{"tags/put", "a write gives its object the tags in Tagging, and no others", tagsPut},
	{"tags/change", "changing tags changes neither LastModified nor ETag, nor anything else", tagsChange},
	{"tags/missing", "NoSuchKey; no object comes to be because of tags", tagsMissing},
	{"tags/copy", "CopyObject takes the source's tags along, unless TaggingDirective is REPLACE", tagsCopy},
	{"tags/copy-across", "so does a copy between two stores", tagsCopyAcross},
	{"tags/upload", "a multipart upload has the tags that it was begun with", tagsUpload},
	{"tags/characters", "tags are text of Unicode's", tagsCharacters},
	{"tags/overwrite-race", "changing tags is atomic: what it changes is the object that is there", tagsOverwriteRace},
	{"tags/delete-race", "no object comes back because of tags", tagsDeleteRace},
}

// tagger returns the ability. A backend without refuses to write what has tags.
func (e *env) tagger() backends.Tagger {
	e.Helper()
	t, ok := backends.As[backends.Tagger](e.b)
	if !ok {
		_, err := e.tryPut("tagged", "x", withTags("a=1"))
		e.refused(err, s3err.NotImplemented)
		e.missing("tagged")
		e.Skip("no Tagger")
	}
	return t
}

// withTags gives an object tags.
func withTags(encoded string) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) { in.Tagging = &encoded }
}

// tagsOf reads the tags of an object, as they are encoded in the order of their keys.
func (e *env) tagsOf(key string) (string, error) {
	out, err := e.tagger().GetObjectTagging(e.Context(), &s3.GetObjectTaggingInput{Bucket: &e.bucket, Key: &key})
	if err != nil {
		return "", err
	}
	tags := backends.TagsOf(&types.Tagging{TagSet: out.TagSet})
	slices.SortFunc(tags, func(a, b backends.Tag) int { return strings.Compare(a.Key, b.Key) })
	return deref(backends.EncodeTags(tags)), nil
}

// hasTags checks the tags of an object, and that reads count them.
func (e *env) hasTags(key, want string) {
	e.Helper()
	got, err := e.tagsOf(key)
	if err != nil {
		e.Fatalf("GetObjectTagging %q: %v", key, err)
	}
	e.same("tags of "+key, got, want)
	var count *int32
	if want != "" {
		count = new(int32(strings.Count(want, "=")))
	}
	e.same("TagCount of HeadObject "+key, e.head(key).TagCount, count)
	_, out := e.get(key)
	e.same("TagCount of GetObject "+key, out.TagCount, count)
}

// trySetTags replaces the tags of an object.
func (e *env) trySetTags(key, encoded string) error {
	tags, err := backends.ParseTags(encoded)
	if err != nil {
		return err
	}
	_, err = e.tagger().PutObjectTagging(e.Context(), &s3.PutObjectTaggingInput{Bucket: &e.bucket, Key: &key, Tagging: backends.TagSet(tags)})
	return err
}

// setTags is trySetTags of an object that is there.
func (e *env) setTags(key, encoded string) {
	e.Helper()
	if err := e.trySetTags(key, encoded); err != nil {
		e.Fatalf("PutObjectTagging %q: %v", key, err)
	}
}

// tryRemoveTags removes the tags of an object.
func (e *env) tryRemoveTags(key string) error {
	_, err := e.tagger().DeleteObjectTagging(e.Context(), &s3.DeleteObjectTaggingInput{Bucket: &e.bucket, Key: &key})
	return err
}

// spaced has what is escaped, and what may not be.
const spaced = "a%20b=1%2B%201%3D2&c%2Fd=&e=%40%3A._-"

func tagsPut(e *env) {
	e.tagger()
	e.put("k", "one", withTags(spaced))
	e.hasTags("k", spaced)
	e.put("k", "two", withTags("other=1"))
	e.hasTags("k", "other=1")
	e.put("k", "three")
	e.hasTags("k", "")
	e.put("k", "four", withTags(""))
	e.hasTags("k", "")
	e.put("k", "five", withTags("a=1"))
	_, err := e.tryPut("k", "six", withTags("b=2"), func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") })
	if !s3err.Is(err, s3err.NotImplemented) {
		e.refused(err, s3err.PreconditionFailed)
	}
	e.hasTags("k", "a=1")
	e.remove("k")
	e.put("k", "seven")
	e.hasTags("k", "")
}

func tagsChange(e *env) {
	e.tagger()
	e.put("k", "body", described)
	_, before := e.get("k", enableChecksums)
	f := func(want string) {
		e.Helper()
		e.hasTags("k", want)
		body, after := e.get("k", enableChecksums)
		e.same("body", body, "body")
		e.same("ETag", after.ETag, before.ETag)
		e.same("LastModified", after.LastModified, before.LastModified)
		e.same("Metadata", after.Metadata, before.Metadata)
		e.same("CacheControl", after.CacheControl, before.CacheControl)
		e.same("checksum", after.ChecksumCRC64NVME, before.ChecksumCRC64NVME)
		e.same("listed", e.keys(), []string{"k"})
	}
	e.setTags("k", spaced)
	f(spaced)
	e.setTags("k", "x=y")
	f("x=y")
	e.setTags("k", "")
	f("")
	e.setTags("k", "x=y&z=")
	if _, err := e.tagger().PutObjectTagging(e.Context(), &s3.PutObjectTaggingInput{Bucket: &e.bucket, Key: new("k"), Tagging: &types.Tagging{}}); err != nil {
		e.Fatalf("PutObjectTagging of no tags: %v", err)
	}
	f("")
	e.setTags("k", "x=y&z=")
	for range 2 { // That there are none is no error.
		if err := e.tryRemoveTags("k"); err != nil {
			e.Fatalf("DeleteObjectTagging: %v", err)
		}
		f("")
	}
}

func tagsMissing(e *env) {
	e.tagger()
	_, err := e.tagsOf("none")
	e.refused(err, s3err.NoSuchKey)
	e.refused(e.trySetTags("none", "a=1"), s3err.NoSuchKey)
	e.refused(e.tryRemoveTags("none"), s3err.NoSuchKey)
	e.missing("none")
	e.same("keys", e.keys(), []string{})
}

// tagsOfNoBucket checks what is said of tags in a bucket that is not there.
func (e *env) tagsOfNoBucket() {
	e.Helper()
	if _, ok := backends.As[backends.Tagger](e.b); !ok {
		return
	}
	_, err := e.tagsOf("k")
	e.refused(err, s3err.NoSuchBucket)
	e.refused(e.trySetTags("k", "a=1"), s3err.NoSuchBucket)
	e.refused(e.tryRemoveTags("k"), s3err.NoSuchBucket)
}

// copiesTags checks what copies do, however they are made.
func (e *env) copiesTags(copied func(from, to string, edit func(*s3.CopyObjectInput))) {
	e.tagger()
	e.put("from", "body", withTags("a=1&b=2"))
	plain := func(*s3.CopyObjectInput) {}
	f := func(want string, edit func(*s3.CopyObjectInput)) {
		e.Helper()
		copied("from", "to", edit)
		e.holds("to", "body")
		e.hasTags("to", want)
		e.hasTags("from", "a=1&b=2")
	}
	f("a=1&b=2", plain)
	f("a=1&b=2", func(in *s3.CopyObjectInput) { in.TaggingDirective = types.TaggingDirectiveCopy })
	f("a=1&b=2", func(in *s3.CopyObjectInput) { in.Tagging = new("not=used") })
	f("c=3", func(in *s3.CopyObjectInput) {
		in.TaggingDirective, in.Tagging = types.TaggingDirectiveReplace, new("c=3")
	})
	f("", func(in *s3.CopyObjectInput) { in.TaggingDirective = types.TaggingDirectiveReplace })
	f("a=1&b=2", func(in *s3.CopyObjectInput) { in.MetadataDirective = types.MetadataDirectiveReplace })
	f("d=", func(in *s3.CopyObjectInput) {
		in.MetadataDirective, in.TaggingDirective, in.Tagging = types.MetadataDirectiveReplace, types.TaggingDirectiveReplace, new("d=")
	})
	e.setTags("to", "e=5")
	e.hasTags("from", "a=1&b=2")
	e.put("to", "tagged", withTags("old=1"))
	if err := e.tryRemoveTags("from"); err != nil {
		e.Fatalf("DeleteObjectTagging: %v", err)
	}
	copied("from", "to", plain)
	e.hasTags("to", "")
}

func tagsCopy(e *env) {
	e.copiesTags(func(from, to string, edit func(*s3.CopyObjectInput)) { e.copy(from, to, edit) })
	e.setTags("from", "a=1")
	_, err := e.tryCopy("from", "from", func(in *s3.CopyObjectInput) { in.TaggingDirective = types.TaggingDirectiveCopy })
	e.refused(err, s3err.InvalidRequest)
	e.hasTags("from", "a=1")
	e.copy("from", "from", func(in *s3.CopyObjectInput) { in.MetadataDirective = types.MetadataDirectiveReplace })
	e.hasTags("from", "a=1")
	e.copy("from", "from", func(in *s3.CopyObjectInput) {
		in.MetadataDirective, in.TaggingDirective, in.Tagging = types.MetadataDirectiveReplace, types.TaggingDirectiveReplace, new("b=2")
	})
	e.hasTags("from", "b=2")
	e.holds("from", "body")
}

// another is the backend as the store of somebody else.
type another struct{ backends.Backend }

// Unwrap is for [backends.As].
func (a another) Unwrap() backends.Backend { return a.Backend }

func tagsCopyAcross(e *env) {
	e.copiesTags(func(from, to string, edit func(*s3.CopyObjectInput)) {
		in := &s3.CopyObjectInput{Bucket: &e.bucket, Key: &to}
		edit(in)
		src := backends.Source{Backend: another{e.b}, CopySource: backends.CopySource{Bucket: e.bucket, Key: from}}
		if _, err := backends.CopyObject(e.Context(), e.b, src, in); err != nil {
			e.Fatalf("CopyObject: %v", err)
		}
	})
}

func tagsUpload(e *env) {
	e.uploader()
	e.tagger()
	u := e.begin("k", func(in *s3.CreateMultipartUploadInput) { in.Tagging = new(spaced) })
	part := u.part(1, "body")
	e.put("k", "between", withTags("a=1"))
	u.complete(part)
	e.holds("k", "body")
	e.hasTags("k", spaced)
	u.complete(part)
	e.setTags("k", "b=2")
	e.hasTags("k", "b=2")
	e.copy("k", "copy")
	e.hasTags("copy", "b=2")
	e.holds("copy", "body")
	u = e.begin("k")
	u.complete(u.part(1, "without"))
	e.hasTags("k", "")
}

func tagsCharacters(e *env) {
	e.tagger()
	tags := []backends.Tag{{Key: strings.Repeat("字", 128), Value: strings.Repeat("ä", 256)}, {Key: "Ж", Value: "é̈ ١"}}
	slices.SortFunc(tags, func(a, b backends.Tag) int { return strings.Compare(a.Key, b.Key) })
	encoded := *backends.EncodeTags(tags)
	e.put("k", "body", withTags(encoded))
	e.hasTags("k", encoded)
	e.put("k", "body")
	e.setTags("k", encoded)
	e.hasTags("k", encoded)
}

// tagRounds is how often a race is run.
const tagRounds = 20

func tagsOverwriteRace(e *env) {
	e.tagger()
	e.put("k", "body 0", withTags("w=0"))
	for round := range tagRounds {
		old, body, tags := fmt.Sprintf("t=%d", round), fmt.Sprintf("body %d", round+1), fmt.Sprintf("w=%d", round+1)
		together(func(i int) {
			var err error
			if i == 0 {
				_, err = e.tryPut("k", body, withTags(tags))
			} else {
				err = e.trySetTags("k", old)
			}
			if err != nil {
				e.Errorf("%d: %v", i, err)
			}
		})
		e.holds("k", body)
		got, err := e.tagsOf("k")
		if err != nil {
			e.Fatal(err)
		}
		if got != tags && got != old { // whoever came last
			e.Errorf("the tags of %q are %q", body, got)
		}
	}
}

// tagsRefused reports whether err is what is said of the tags of an object that is not there: of one with versions, whose
// current one is a delete marker, it is MethodNotAllowed.
func (e *env) tagsRefused(err error) bool {
	_, versions := backends.As[backends.Versioned](e.b)
	return s3err.Is(err, s3err.NoSuchKey) || versions && s3err.Is(err, s3err.MethodNotAllowed)
}

func tagsDeleteRace(e *env) {
	e.tagger()
	for range tagRounds {
		e.put("k", "body")
		together(func(i int) {
			if i == 0 {
				e.remove("k")
				return
			}
			if err := e.trySetTags("k", "a=1"); err != nil {
				if !e.tagsRefused(err) {
					e.Errorf("tags of what may be removed: %v", err)
				}
			}
		})
		e.missing("k")
		e.same("keys", e.keys(), []string{})
	}
}
