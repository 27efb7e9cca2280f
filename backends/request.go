package backends

import (
	"context"
	"time"
)

// Request is what a Backend may want to know of the request that it works for besides its
// input: who is behind it, and which time is looked at. The edge attaches it to the
// context, once; what needs none of it passes it on unseen.
type Request struct {
	Operation string // of S3, such as "PutObject"
	AccessKey string // who signed
	UserID    string
	TenantID  string

	// AsOf is the moment that a read or a listing looks at. The zero time is now. Backends
	// without versions have no other; the edge does not ask them.
	AsOf time.Time
}

// requestKey is the key of the one value of ours in a context.
type requestKey struct{}

// WithRequest returns a context for the work that r causes.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns what [WithRequest] attached. It is empty for work that no request
// caused, and must not be changed.
func RequestOf(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return &noRequest
}

// noRequest is what no request says.
var noRequest Request

// ReservedMetadata is what the names of metadata begin with that the proxy itself gives objects.
// The edge takes none of it from clients and shows them none.
const ReservedMetadata = "xronox-proxy-"
