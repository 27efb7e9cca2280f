package router

import (
	"regexp"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// reservedPrefixes and reservedSuffixes are what AWS keeps for itself.
var (
	reservedPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	reservedSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

// ipLike is what a bucket must not be named as.
var ipLike = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)

// ValidateBucketName holds a name for a new bucket against the rules of S3:
// InvalidBucketName.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func ValidateBucketName(name string) error {
	if validBucketName(name) {
		return nil
	}
	return s3err.New(s3err.InvalidBucketName).With("BucketName", name)
}

// validBucketName is the rules themselves.
func validBucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 {
		return false
	}
	for _, label := range strings.Split(name, ".") { // no label is empty: no dots side by side
		if !validLabel(label) {
			return false
		}
	}
	if ipLike.MatchString(name) {
		return false
	}
	for _, p := range reservedPrefixes {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, s := range reservedSuffixes {
		if strings.HasSuffix(name, s) {
			return false
		}
	}
	return true
}

// validLabel reports whether a label of a bucket name is lower-case letters,
// digits and hyphens. AWS wants a letter or digit only at the ends of the
// whole name, but no host name has a label that ends in a hyphen.
func validLabel(label string) bool {
	if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
