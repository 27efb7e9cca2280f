package s3backend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/checksum"
	"github.com/xronox/xronox-proxy/s3err"
)

// copyBuffer is the size of reads of a small body.
const copyBuffer = 32 << 10

// errShortBodies is why a large body is refused, for the operator.
var errShortBodies = errors.New("the service stores bodies that broke off, and takes no checksum that would tell")

// errReplay is why a body cannot be sent again.
var errReplay = errors.New("BUG: s3backend: a body that has been read is to be sent again")

// upload is the body of one call: where it comes from, and how it is sent.
type upload struct {
	algorithm types.ChecksumAlgorithm
	value     string // of its checksum, once that is known
	length    int64

	kept    []byte   // the whole body, or nil:
	named   bool     // aws-chunked is named in Content-Encoding
	source  *held    // then it comes from here,
	chunked *chunked // perhaps by way of this
}

// newUpload prepares body, which is to be stored with the checksum of
// algorithm; claimed is an SDK input that may carry its value. A small body is
// read here, and the error that it ends in is returned.
func (b *Backend) newUpload(ctx context.Context, body backends.Body, algorithm types.ChecksumAlgorithm, claimed any) (*upload, error) {
	if body.Reader == nil {
		body.Reader = http.NoBody
	}
	can := b.can.Load()
	if algorithm == "" { // A checksum also tells a service that a body broke off.
		algorithm = types.ChecksumAlgorithmCrc64nvme
	}
	u := &upload{algorithm: can.keeps(algorithm), length: body.Length, named: can.ChunkedEncoding}
	if body.Length == 0 || body.Length <= b.replayBytes {
		return u, u.keep(ctx, body)
	}
	u.source = &held{ctx: ctx, r: body.Reader, length: body.Length}
	if u.algorithm != "" {
		if v := checksum.Get(claimed, u.algorithm); v != nil {
			u.value = *v
		} else if can.Trailers {
			u.chunked = newChunked(u.source, body.Length, u.algorithm)
		}
	}
	if u.value == "" && u.chunked == nil && !can.WholeBodies {
		return nil, s3err.New(s3err.NotImplemented).Because(errShortBodies)
	}
	return u, nil
}

// keep reads the whole body. Its checksum is then known ahead.
func (u *upload) keep(ctx context.Context, body backends.Body) error {
	buf := bytes.NewBuffer(make([]byte, 0, body.Length))
	digest := backends.NewDigest(u.algorithm)
	if err := digest.CopyBody(ctx, buf, body, make([]byte, min(copyBuffer, body.Length+1))); err != nil {
		return err
	}
	u.kept, u.value = buf.Bytes(), digest.Checksum()
	return nil
}

// options makes a call of the client send the body.
func (u *upload) options(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		if err := v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware(stack); err != nil {
			return err
		}
		return stack.Build.Add(middleware.BuildMiddlewareFunc("XronoxUpload", u.build), middleware.After)
	})
}

// build gives the request its body and the headers that go with it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func (u *upload) build(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	middleware.BuildOutput, middleware.Metadata, error,
) {
	req := in.Request.(*smithyhttp.Request)
	var body io.Reader
	length := u.length
	switch {
	case u.kept != nil:
		body = bytes.NewReader(u.kept)
	case u.chunked != nil:
		body, length = u.chunked, u.chunked.length()
		ctx = v4.SetPayloadHash(ctx, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		if u.named {
			encoding := "aws-chunked"
			if own := req.Header.Get("Content-Encoding"); own != "" {
				encoding += "," + own
			}
			req.Header.Set("Content-Encoding", encoding)
		}
		req.Header.Set("X-Amz-Decoded-Content-Length", itoa(u.length))
		req.Header.Set("X-Amz-Trailer", checksum.HeaderName(u.algorithm))
	default:
		body = u.source
	}
	if u.value != "" {
		req.Header.Set(checksum.HeaderName(u.algorithm), u.value)
	}
	req, err := req.SetStream(body)
	if err != nil {
		return middleware.BuildOutput{}, middleware.Metadata{}, err
	}
	req.ContentLength = length
	in.Request = req
	return next.HandleBuild(ctx, in)
}

// sent is the checksum that was sent, when the service answered with none.
func (u *upload) sent() string {
	if u.chunked != nil {
		return u.chunked.sum()
	}
	return u.value
}

// replayable reports whether the body can be sent again.
func (u *upload) replayable() bool { return u.source == nil || !u.source.touched() }

// err is what the body ended in, if that was not io.EOF.
func (u *upload) err() error {
	if u.source == nil {
		return nil
	}
	return u.source.failure()
}

// held is a body that keeps its last byte back until its reader has said
// io.EOF. A service that got fewer bytes than were announced stores nothing, so
// an error in the very last place still counts.
type held struct {
	ctx    context.Context
	r      io.Reader
	length int64

	mu   sync.Mutex
	read int64
	err  error // other than io.EOF
}

// Read implements io.Reader.
func (h *held) Read(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
		return 0, h.err
	case h.read == h.length:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if h.err = h.ctx.Err(); h.err != nil {
		return 0, h.err
	}
	if left := h.length - h.read; left > 1 {
		n, err = h.r.Read(p[:min(int64(len(p)), left-1)])
		if errors.Is(err, io.EOF) {
			err = s3err.New(s3err.IncompleteBody)
		}
	} else {
		n, err = h.last(p)
	}
	h.read += int64(n)
	h.err = err
	return n, err
}

// last reads the last byte, and the io.EOF that must follow.
func (h *held) last(p []byte) (int, error) {
	var buf [2]byte
	n := 0
	for n < len(buf) {
		m, err := h.r.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if n != 1 {
		return 0, s3err.New(s3err.IncompleteBody)
	}
	return copy(p, buf[:1]), nil
}

// touched reports whether anything has been read.
func (h *held) touched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.read > 0 || h.err != nil
}

// failure is the error that the body ended in.
func (h *held) failure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Len is the length that the SDK asks for.
func (h *held) Len() int { return int(h.length) }

// Seek implements io.Seeker for the SDK, which asks where the stream stands,
// and goes back to the beginning before it sends a request again.
func (h *held) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence == io.SeekEnd || h.touched() {
		return 0, errReplay
	}
	return 0, nil
}
