package s3api

import (
	"context"
	"strings"
	"time"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// asOfHeader has a read or a listing look at a moment of the past, as RFC 3339 writes it.
const asOfHeader = "x-xronox-as-of"

// What makes the name of a bucket that of a view: NAME.at.20261123T101500Z is NAME as it was then. A view
// is read-only, and shows what the header would. Host names have no case, so that neither do the letters of the time.
const (
	viewMark   = ".at."
	viewLayout = "20060102T150405Z"
)

// cutView takes the name of a view apart.
func cutView(name string) (bucket string, asOf time.Time, ok bool) {
	bucket, at, ok := cutLast(name, viewMark)
	if !ok || bucket == "" || len(at) != len(viewLayout) { // Parse takes fractions of a second too.
		return "", time.Time{}, false
	}
	asOf, err := time.Parse(viewLayout, strings.ToUpper(at))
	return bucket, asOf, err == nil && !asOf.IsZero()
}

// place is what the name of a bucket stands for.
type place struct {
	route  *router.Route
	bucket string    // what grants are judged on: of a view, the bucket that it shows
	asOf   time.Time // of a view; zero otherwise
}

// find finds what the name of a bucket stands for: the bucket, or if there is none, the view of one.
func (s *Server) find(c *call, name string) (place, error) {
	return s.findFor(c.ctx, c.identity.TenantID, name)
}

// findFor is find for a tenant.
func (s *Server) findFor(ctx context.Context, tenantID, name string) (place, error) {
	route, err := s.Resolver.Resolve(ctx, tenantID, name)
	if err == nil {
		return place{route: route, bucket: name}, nil
	}
	bucket, asOf, ok := cutView(name)
	if !ok || !noBucket(err) {
		return place{}, err
	}
	if route, err = s.Resolver.Resolve(ctx, tenantID, bucket); noBucket(err) {
		err = s3err.New(s3err.NoSuchBucket).With("BucketName", name)
	}
	return place{route, bucket, asOf}, err
}

// noBucket reports whether an error says that nobody has a bucket of that name.
func noBucket(err error) bool {
	return s3err.Is(err, s3err.NoSuchBucket) || s3err.Is(err, s3err.InvalidBucketName)
}

// What operations do with the past. Those that are not here are about the present, and are not done on a view.
var ofThePast = map[string]past{
	"GetBucketAcl": timeless, "GetBucketLocation": timeless, "GetBucketVersioning": timeless, "HeadBucket": timeless,
	"GetObject": looksBack, "GetObjectAcl": looksBack, "GetObjectAttributes": looksBack,
	"GetObjectLegalHold": looksBack, "GetObjectRetention": looksBack, "GetObjectTagging": looksBack, "HeadObject": looksBack,
	"ListObjectVersions": looksBack, "ListObjects": looksBack, "ListObjectsV2": looksBack,
}

// past is what an operation does with the past.
type past int

const (
	timeless  past = iota + 1 // the same at every time
	looksBack                 // can look at any
)

// look finds out which time the request looks at, and has backends know who is behind it.
func (s *Server) look(c *call) error {
	kind := ofThePast[c.op.name]
	switch {
	case c.hasHeader(asOfHeader):
		if err := c.lookBack(kind); err != nil {
			return err
		}
	case c.at.asOf.IsZero():
	case kind == 0:
		return s3err.Newf(s3err.AccessDenied, "The bucket %s is read-only.", c.bucket)
	default:
		if err := s.checkPast(&c.at, "bucket", c.bucket); err != nil {
			return err
		}
	}
	c.ctx = backends.WithRequest(c.ctx, c.requestAt(c.at.asOf))
	return nil
}

// lookBack reads the header.
func (c *call) lookBack(kind past) error {
	v := c.header(asOfHeader)
	switch {
	case kind != looksBack:
		return s3err.Newf(s3err.InvalidRequest, "%s cannot look at the past: the header %s is for reads of objects and for listings.", c.op.name, asOfHeader)
	case !c.at.asOf.IsZero():
		return s3err.Newf(s3err.InvalidRequest, "The name of the bucket and the header %s both say which time is looked at.", asOfHeader)
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil || t.IsZero() {
		return s3err.InvalidArg(asOfHeader, v, "The time must be written as RFC 3339 has it, such as 2026-11-23T10:15:00Z.")
	}
	c.at.asOf = t.UTC()
	return c.s.checkPast(&c.at, asOfHeader, v)
}

// checkPast refuses a time that cannot be looked at; name and value are how the client said it.
func (s *Server) checkPast(at *place, name, value string) error {
	switch {
	case at.asOf.After(s.Now()):
		return s3err.InvalidArg(name, value, "The time to look at must not be in the future.")
	case !versioned(at.route):
		return s3err.Newf(s3err.InvalidRequest, "The bucket keeps no versions, so that there is no past to look at.")
	}
	return nil
}

// requestAt is what backends may know of the request, when they look at that time for it.
func (c *call) requestAt(asOf time.Time) *backends.Request {
	if !asOf.IsZero() && asOf.Nanosecond() == 0 {
		// Clients are shown whole seconds: what says that it was modified in that second was there.
		asOf = asOf.Add(time.Second - time.Millisecond)
	}
	return &backends.Request{
		Operation: c.op.name, AccessKey: c.identity.AccessKey, UserID: c.identity.UserID, TenantID: c.identity.TenantID, AsOf: asOf,
	}
}

// binding is what a continuation token of the bucket is for. The time that is looked at belongs to it: a
// listing that goes on at another would show neither the one nor the other. Markers of the other
// listings are keys of the client's own, and mean the same at every time.
func (c *call) binding() []string {
	b := []string{c.route.TenantID, c.route.BucketID}
	if !c.at.asOf.IsZero() {
		b = append(b, c.at.asOf.Format(time.RFC3339Nano))
	}
	return b
}
