package s3backend

import (
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/checksum"
)

// chunkBytes is the size of a chunk on the wire. Chunks pass through without
// being held in memory, so it only has to be one that every service takes.
const chunkBytes = 64 << 10

// chunked frames a body as aws-chunked, unsigned, with its checksum as a
// trailer, since the checksum of a body that passes through is known last.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
type chunked struct {
	source    *held
	size      int64
	algorithm types.ChecksumAlgorithm
	hash      hash.Hash

	left    int64  // of the body
	inChunk int64  // of the chunk that has begun
	frame   []byte // what comes before the next byte of the body
	ended   bool   // the trailer is in frame
}

// newChunked frames source, which has size bytes.
func newChunked(source *held, size int64, a types.ChecksumAlgorithm) *chunked {
	return &chunked{source: source, size: size, algorithm: a, hash: checksum.New(a), left: size}
}

// Read implements io.Reader.
func (c *chunked) Read(p []byte) (int, error) {
	if len(c.frame) == 0 && c.inChunk == 0 && !c.ended {
		c.begin()
	}
	if len(c.frame) > 0 {
		n := copy(p, c.frame)
		c.frame = c.frame[n:]
		return n, nil
	}
	if c.ended {
		return 0, io.EOF
	}
	n, err := c.source.Read(p[:min(int64(len(p)), c.inChunk)])
	c.hash.Write(p[:n])
	c.inChunk -= int64(n)
	c.left -= int64(n)
	if c.inChunk == 0 && n > 0 {
		c.frame = []byte("\r\n")
	}
	return n, err
}

// begin frames the next chunk, or the end.
func (c *chunked) begin() {
	if c.inChunk = min(chunkBytes, c.left); c.inChunk > 0 {
		c.frame = fmt.Appendf(nil, "%x\r\n", c.inChunk)
		return
	}
	c.ended = true
	c.frame = fmt.Appendf(nil, "0\r\n%s:%s\r\n\r\n", checksum.HeaderName(c.algorithm), c.sum())
}

// sum is the checksum of what has been read.
func (c *chunked) sum() string { return checksum.Encode(c.hash.Sum(nil)) }

// length is how many bytes the framed body has.
func (c *chunked) length() int64 {
	chunk := func(n int64) int64 { return int64(len(strconv.FormatInt(n, 16))) + 2 + n + 2 }
	total := c.size / chunkBytes * chunk(chunkBytes)
	if rest := c.size % chunkBytes; rest > 0 {
		total += chunk(rest)
	}
	trailer := len("0\r\n") + len(checksum.HeaderName(c.algorithm)) + len(":") + len(checksum.Encode(c.hash.Sum(nil))) + len("\r\n\r\n")
	return total + int64(trailer)
}

// Seek implements io.Seeker as that of its source does: to the beginning, of
// which no byte of the body has been read yet.
func (c *chunked) Seek(offset int64, whence int) (int64, error) {
	n, err := c.source.Seek(offset, whence)
	if err == nil {
		c.left, c.inChunk, c.frame, c.ended = c.size, 0, nil, false
	}
	return n, err
}

// Len is the length that the SDK asks for.
func (c *chunked) Len() int { return int(c.length()) }

// itoa formats a header's number.
func itoa(n int64) string { return strconv.FormatInt(n, 10) }
