package sigv4

import (
	"encoding/hex"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// Payload is the value of x-amz-content-sha256: one of the constants, or the
// SHA-256 of the body in hex.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
type Payload string

// The payloads that are not a hash. AWS does not document StreamingUnsigned;
// it is StreamingUnsignedTrailer without the trailer.
const (
	Unsigned                 Payload = "UNSIGNED-PAYLOAD"
	StreamingSigned          Payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer   Payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsigned        Payload = "STREAMING-UNSIGNED-PAYLOAD"
	StreamingUnsignedTrailer Payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Empty is the payload of a request without a body: the SHA-256 of nothing.
const Empty Payload = emptySHA256

// Streaming reports whether the body is aws-chunked.
func (p Payload) Streaming() bool { return strings.HasPrefix(string(p), "STREAMING-") }

// signed reports whether the chunks of a streaming payload carry signatures.
func (p Payload) signed() bool { return p == StreamingSigned || p == StreamingSignedTrailer }

// trailing reports whether a trailer may follow the chunks.
func (p Payload) trailing() bool {
	return p == StreamingSignedTrailer || p == StreamingUnsignedTrailer
}

// parsePayload returns the payload that s names; Unsigned when s is empty.
func parsePayload(s string) (Payload, error) {
	switch p := Payload(s); p {
	case "":
		return Unsigned, nil
	case Unsigned, StreamingSigned, StreamingSignedTrailer, StreamingUnsigned, StreamingUnsignedTrailer:
		return p, nil
	case "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER":
		return "", unsupportedECDSA()
	}
	if !isSHA256(s) {
		return "", s3err.InvalidArg("x-amz-content-sha256", s, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "+
			"STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "+
			"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")
	}
	return Payload(s), nil
}

// isSHA256 reports whether s is 32 bytes in hex.
func isSHA256(s string) bool {
	if len(s) != 64 {
		return false
	}
	var sum [32]byte
	var text [64]byte
	copy(text[:], s)
	_, err := hex.Decode(sum[:], text[:])
	return err == nil
}

// unsupportedECDSA refuses SigV4A, whose keys we would need public halves of.
func unsupportedECDSA() error {
	return s3err.Newf(s3err.UnsupportedSignature, "AWS4-ECDSA-P256-SHA256 is not supported. Please use AWS4-HMAC-SHA256.")
}
