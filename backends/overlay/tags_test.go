package overlay_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// TestOldTags holds that tags of the old place are shown, and taken along by copies, and that they stay what they are there.
func TestOldTags(t *testing.T) {
	t.Parallel()
	p := over(t, memory, memory)
	_, err := p.past.PutObject(t.Context(), &s3.PutObjectInput{
		Key: new("k"), Body: strings.NewReader("old"), ContentLength: new(int64(3)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		Tagging: new("a=1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(b backends.Backend, key, want string) {
		t.Helper()
		out, err := backends.TaggerOf(b).GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if s := backends.EncodeTags(backends.TagsOf(&types.Tagging{TagSet: out.TagSet})); s != nil {
			got = *s
		}
		if got != want {
			t.Errorf("%s has the tags %q, want %q", key, got, want)
		}
	}
	f(p.Backend, "k", "a=1")
	tagger := backends.TaggerOf(p.Backend)
	_, err = tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Key: new("k"), Tagging: backends.TagSet([]backends.Tag{{Key: "b"}})})
	if !s3err.Is(err, s3err.NotImplemented) {
		t.Errorf("put: %v", err)
	}
	if _, err := tagger.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Key: new("k")}); !s3err.Is(err, s3err.NotImplemented) {
		t.Errorf("delete: %v", err)
	}
	f(p.past, "k", "a=1")
	if _, err := p.CopyObject(t.Context(), backends.CopySource{Key: "k"}, &s3.CopyObjectInput{Key: new("copy")}); err != nil {
		t.Fatal(err)
	}
	f(p.Backend, "copy", "a=1")
	put(t, p.Backend, "k", "new")
	f(p.Backend, "k", "")
	if _, err := tagger.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Key: new("k"), Tagging: backends.TagSet([]backends.Tag{{Key: "b"}})}); err != nil {
		t.Errorf("put to what was moved: %v", err)
	}
	f(p.Backend, "k", "b=")
	f(p.past, "k", "a=1")
}
