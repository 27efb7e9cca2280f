package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"

	"github.com/xronox/xronox-proxy/s3err"
)

// chain is the chain of signatures of a streamed body: each covers the one
// before it, and the first covers the request's.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
type chain struct {
	key       *signingKey // nil: the request is anonymous
	accessKey string
	stamp     string
	scope     string
	previous  string
}

// emptySHA256 is the SHA-256 of nothing; every chunk's string to sign has it.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunk verifies the signature of a chunk with the content hashed in h.
func (c *chain) chunk(signature string, h hash.Hash) error {
	return c.link("AWS4-HMAC-SHA256-PAYLOAD", emptySHA256+"\n", signature, h.Sum(nil))
}

// trailers verifies the signature of a trailer in canonical form.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func (c *chain) trailers(signature string, canonical []byte) error {
	sum := sha256.Sum256(canonical)
	return c.link("AWS4-HMAC-SHA256-TRAILER", "", signature, sum[:])
}

// link verifies the chain's next signature.
func (c *chain) link(algorithm, extra, signature string, sum []byte) error {
	toSign := hex.AppendEncode([]byte(algorithm+"\n"+c.stamp+"\n"+c.scope+"\n"+c.previous+"\n"+extra), sum)
	computed := c.key.appendSignature(nil, toSign)
	if subtle.ConstantTimeCompare(computed, []byte(signature)) != 1 {
		return s3err.New(s3err.SignatureDoesNotMatch).
			With("AWSAccessKeyId", c.accessKey).
			With("StringToSign", string(toSign)).
			With("SignatureProvided", signature)
	}
	c.previous = signature
	return nil
}
