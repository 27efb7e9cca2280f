package versioned_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/backendtest"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions/memindex"
)

// TestCopyTags holds that a copy has the tags of the version that it is of, unless others are asked for.
func TestCopyTags(t *testing.T) {
	t.Parallel()
	f := func(change func(*versioned.Options)) {
		t.Helper()
		b := open(t, change)
		id := "null"
		if b.o.Complete {
			id = b.put("from", "1")
		} else {
			b.putPlain("from", "1")
		}
		b.tag("from", id, "red")
		copied := func(key, version string, directive types.TaggingDirective) string {
			_, err := b.CopyObject(t.Context(), backends.CopySource{Key: "from", VersionID: version}, &s3.CopyObjectInput{Key: &key, TaggingDirective: directive})
			if err != nil {
				t.Fatal(err)
			}
			return b.tags(key, "")
		}
		if got := copied("to", "", ""); got != "red" {
			t.Errorf("a copy has the tags %q", got)
		}
		if got := copied("as asked", "", types.TaggingDirectiveReplace); got != "" {
			t.Errorf("a copy with other tags has %q", got)
		}
		b.put("from", "2")
		if got := copied("of a version", id, types.TaggingDirectiveCopy); got != "red" {
			t.Errorf("a copy of a version has the tags %q", got)
		}
	}
	f(nil)
	f(before)
}

// storeTags are the tags of what a store has at a place.
func storeTags(t *testing.T, place backends.Backend, key string) string {
	t.Helper()
	out, err := backends.TaggerOf(place).GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	encoded := backends.EncodeTags(backends.TagsOf(&types.Tagging{TagSet: out.TagSet}))
	if encoded == nil {
		return ""
	}
	return *encoded
}

// TestTagsBefore holds that an object from before keeps the tags that its store has, and that nobody looks at those any more
// once the index knows the object.
func TestTagsBefore(t *testing.T) {
	t.Parallel()
	b := open(t, before)
	f := func(key, version, want string) {
		t.Helper()
		if got := b.tags(key, version); got != want {
			t.Errorf("%s %s has the tags %q, want %q", key, version, got, want)
		}
		head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Key: &key, VersionId: orNil(version)})
		if err != nil || (head.TagCount != nil) != (want != "") {
			t.Errorf("%s %s: %v", key, version, err)
		}
	}
	copied := func(to, want string) {
		t.Helper()
		if _, err := b.CopyObject(t.Context(), backends.CopySource{Key: "k", VersionID: "null"}, &s3.CopyObjectInput{Key: &to}); err != nil {
			t.Fatal(err)
		}
		f(to, "", want)
	}
	for _, key := range []string{"k", "other", "none"} {
		b.putPlain(key, "old")
		if key != "none" {
			b.asBefore().tag(key, "", "red")
		}
	}
	f("k", "", "red")
	f("k", "null", "red")
	f("none", "", "")
	to := "copy of what is not known"
	if _, err := b.CopyObject(t.Context(), backends.CopySource{Key: "other"}, &s3.CopyObjectInput{Key: &to, MetadataDirective: types.MetadataDirectiveReplace}); err != nil {
		t.Fatal(err)
	}
	f(to, "", "red")
	b.tag("k", "", "")
	f("k", "", "")
	copied("copy without", "")
	b.tag("k", "null", "blue")
	copied("copy", "blue")
	b.put("k", "new")
	f("k", "", "")
	f("k", "null", "blue")
	copied("copy of the body", "blue")
	b.put("other", "new")
	f("other", "null", "red")
	if got := storeTags(t, b.o.Heads, "other"); got != "" {
		t.Errorf("the head has the tags %q", got)
	}
}

// TestTagsOfUploadsBefore holds that an upload from before has the tags that it was begun with, whatever way it is completed.
func TestTagsOfUploadsBefore(t *testing.T) {
	t.Parallel()
	f := func(change func(*bucketOf)) {
		t.Helper()
		b := open(t, before)
		change(b)
		plain, ok := backends.As[backends.MultipartUploader](b.o.Heads)
		if !ok {
			t.Fatal("no uploads")
		}
		begun, err := plain.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
			Key: new("k"), Tagging: new("red="), Metadata: map[string]string{"says": "body"}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
		})
		if err != nil {
			t.Fatal(err)
		}
		part, err := plain.UploadPart(t.Context(), &s3.UploadPartInput{
			Key: new("k"), UploadId: begun.UploadId, PartNumber: new(int32(1)), Body: strings.NewReader("body"), ContentLength: new(int64(4)),
		})
		if err != nil {
			t.Fatal(err)
		}
		b.put("k", "meanwhile")
		err = b.complete(t.Context(), &s3.CompleteMultipartUploadInput{
			Key: new("k"), UploadId: begun.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(1)), ETag: part.ETag}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.get("k", ""); got != "body" || b.tags("k", "") != "red" {
			t.Errorf("%q has the tags %q, %v", got, b.tags("k", ""), err)
		}
	}
	f(func(*bucketOf) {})
	f((*bucketOf).places)
}

// TestTagsAreTheVersions holds that what is written with tags has them in the index, and neither body nor head has any.
func TestTagsAreTheVersions(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	_, err := b.PutObject(t.Context(), &s3.PutObjectInput{
		Key: new("k"), Body: strings.NewReader("body"), ContentLength: new(int64(4)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		Tagging: new("red="),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.tags("k", ""); got != "red" {
		t.Errorf("it has the tags %q", got)
	}
	if got := storeTags(t, b.o.Heads, "k"); got != "" {
		t.Errorf("its head has the tags %q", got)
	}
	if got := storeTags(t, b.o.Bodies, ".content/k/v0"); got != "" {
		t.Errorf("its body has the tags %q", got)
	}
}

// TestImmutable holds that versions stay where clients cannot remove any, and that delete markers can be removed.
func TestImmutable(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *versioned.Options) { o.Immutable = true })
	first, second := b.put("k", "1"), b.put("k", "2")
	for _, id := range []string{first, second} {
		if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: &id}); !s3err.Is(err, s3err.AccessDenied) {
			t.Errorf("removing a version says %v", err)
		}
	}
	marker := b.remove("k", "")
	b.remove("k", *marker.VersionId)
	if got, err := b.get("k", ""); got != "2" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Key: new("k"), VersionId: new("0000000000000000000000000o")}); err != nil {
		t.Errorf("removing one that is not there says %v", err)
	}
}

// TestPlainSuite holds a bucket without versions to the contract.
func TestPlainSuite(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) (backends.Backend, string) {
		return outer(t, versioned.NewPlain(options(memory(t), memindex.New()).Heads, nil)), "virtual"
	}, backendtest.Options{OneBucket: true, MaxKeyBytes: maxKeyBytes})
}
