package s3api

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// parseAlgorithm reads the name of an algorithm that a client wants a checksum with.
func parseAlgorithm(name string) (types.ChecksumAlgorithm, error) {
	if a, ok := checksum.Parse(name); ok {
		return a, nil
	}
	var names []string
	for _, a := range checksum.All() {
		names = append(names, string(a))
	}
	return "", s3err.Newf(s3err.InvalidRequest,
		"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [%s]", strings.Join(names, ", "))
}

// badChecksum refuses the value of a header that has to do with checksums.
func badChecksum(header string) error {
	return s3err.Newf(s3err.InvalidRequest, "Value for %s header is invalid.", header)
}

// twoChecksums refuses a request with more than one.
func twoChecksums() error {
	return s3err.Newf(s3err.InvalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}
