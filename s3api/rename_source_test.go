package s3api

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRenameSource: a key that is percent-encoded is read as it was, and anything else is refused.
func FuzzRenameSource(f *testing.F) {
	for _, key := range []string{"k", "a b/c+d", "/k", "ä", "k?versionId=1", "%41", "\x00"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		encoded := strings.ReplaceAll(url.QueryEscape(key), "+", "%20")
		got, err := parseRenameSource(encoded)
		if valid := utf8.ValidString(key) && key != "" && len(key) <= maxKeyBytes; valid != (err == nil) || valid && got != key {
			t.Errorf("%q: %q, %v", encoded, got, err)
		}
		if got, err := parseRenameSource(key); err == nil && (got == "" || len(got) > maxKeyBytes || !utf8.ValidString(got)) {
			t.Errorf("%q: %q", key, got)
		}
	})
}
