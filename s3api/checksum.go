package s3api

import (
	"slices"
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

// checksumType reads the type of checksum that a client wants, or has wanted; empty when it does not say.
func (c *call) checksumType() (types.ChecksumType, error) {
	kind := types.ChecksumType(strings.ToUpper(c.header("X-Amz-Checksum-Type"))) // as algorithms, in any case
	if kind != "" && !slices.Contains(kind.Values(), kind) {
		return "", badChecksum("x-amz-checksum-type")
	}
	return kind, nil
}

// checksumHeader calls f with the checksum in the headers, if there is one. There may not be two.
func (c *call) checksumHeader(f func(a types.ChecksumAlgorithm, value string) error) error {
	var algorithm types.ChecksumAlgorithm
	var value string
	for i := range c.headers {
		a, ok := checksum.FromHeader(c.headers[i].Name)
		switch {
		case !ok:
			if err := knownChecksum(c.headers[i].Name); err != nil {
				return err
			}
			continue
		case algorithm != "":
			return twoChecksums()
		}
		algorithm, value = a, c.headers[i].Value
	}
	if algorithm == "" {
		return nil
	}
	return f(algorithm, value)
}

// badChecksum refuses the value of a header that has to do with checksums.
func badChecksum(header string) error {
	return s3err.Newf(s3err.InvalidRequest, "Value for %s header is invalid.", header)
}

// aboutChecksums are the headers that begin as those with a checksum do, and have none.
var aboutChecksums = []string{"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"}

// knownChecksum refuses a header with a checksum of an algorithm that there is not.
func knownChecksum(header string) error {
	if hasPrefixFold(header, "x-amz-checksum-") && !slices.Contains(aboutChecksums, strings.ToLower(header)) {
		return s3err.Newf(s3err.InvalidRequest, "The algorithm type you specified in x-amz-checksum- header is invalid.")
	}
	return nil
}

// twoChecksums refuses a request with more than one.
func twoChecksums() error {
	return s3err.Newf(s3err.InvalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}
