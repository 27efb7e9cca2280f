// Package s3backend is the store that keeps objects in any S3 service, by way
// of aws-sdk-go-v2. It adds to the SDK what the storage contract of package
// backends wants and S3 services give only together with some care:
//
//   - A body is sent so that the service cannot take it for whole before its
//     reader has said io.EOF, and is sent again only when it was kept (upload.go).
//   - Checksums are sent ahead when they are known, after the body when they
//     are not (chunked.go).
//   - What a service cannot do is known beforehand, and refused before anything
//     is written (capabilities.go, probe.go).
//   - Every error is one of S3's without any name of the service's in it; what
//     only the operator may know is its cause (errors.go).
//   - Silence ends calls, their length never does (transport.go).
//
// Nothing is read from the environment or from AWS's configuration files: a
// connection is what its Options say.
package s3backend

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/xronox/xronox-proxy/backends"
)

// Options describe a connection: one account of one S3 service. All but the
// first five may be zero.
type Options struct {
	Name      string // of the connection, for the operator
	Endpoint  string // URL; empty for AWS in Region
	Region    string
	AccessKey string
	SecretKey string

	PathStyle bool     // the bucket is in the path; else in the host name
	Timeouts  Timeouts // of silence
	// Proxy says which forward proxy a request takes, as [http.Transport] has it; nil is none.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are who may have signed the certificate of the service; nil is the system's.
	Roots *x509.CertPool
	// MaxAttempts is how often a call is tried that may be tried again; 3 when zero.
	MaxAttempts int
	// ReplayBytes is the size up to which a body is kept in memory, so that it can be
	// sent again and its checksum ahead of it; 1 MiB when zero, none when negative.
	ReplayBytes int64
	// Capabilities is what the service can do, as Probe found it. Without them the
	// profile of the endpoint's host counts, and without one of those, Cautious.
	Capabilities *Capabilities
}

// Timeouts bound how long a service may be silent. A transfer that goes on is
// never ended for its length. Zero is the default.
type Timeouts struct {
	Connect time.Duration // until a connection is made, and again for TLS; 5 s
	Header  time.Duration // from the end of a request to the head of the answer; 1 min
	Slow    time.Duration // the same for copies and Complete, which may move 5 GiB; 10 min
	Stall   time.Duration // between two reads, or two writes, of a body; 1 min
}

// Defaults of Options.
const (
	defaultConnect     = 5 * time.Second
	defaultHeader      = time.Minute
	defaultSlow        = 10 * time.Minute
	defaultStall       = time.Minute
	defaultMaxAttempts = 3
	defaultReplayBytes = 1 << 20
	maxBackoff         = 2 * time.Second
	rememberedUploads  = 10_000
)

// Backend implements [backends.Backend], [backends.MultipartUploader],
// [backends.BucketManager], and [backends.Tagger] when the service has tags.
type Backend struct {
	name        string
	region      string
	replayBytes int64
	client      *s3.Client
	transport   *http.Transport
	retryer     aws.RetryerV2
	can         atomic.Pointer[Capabilities]
	begun       *lru.Cache[uploadName, backends.Checksum] // how uploads were begun
}

// What Backend is.
var (
	_ backends.Backend           = (*Backend)(nil)
	_ backends.MultipartUploader = (*Backend)(nil)
	_ backends.Tagger            = (*Backend)(nil)
	_ backends.BucketManager     = (*Backend)(nil)
)

// New returns the store behind a connection. It does not speak to the service.
func New(o Options) (*Backend, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("connection %q: %w", o.Name, err)
	}
	b := &Backend{
		name: o.Name, region: o.Region, replayBytes: o.ReplayBytes,
		transport: newTransport(o),
		retryer: retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts, s.MaxBackoff = o.MaxAttempts, maxBackoff
		}),
	}
	var err error
	if b.begun, err = lru.New[uploadName, backends.Checksum](rememberedUploads); err != nil {
		return nil, err
	}
	b.can.Store(o.Capabilities)
	b.client = s3.New(s3.Options{
		AppID: "xronox-proxy", BaseEndpoint: optional(o.Endpoint), Region: o.Region, UsePathStyle: o.PathStyle,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, "")),
		HTTPClient: &http.Client{
			Transport:     &patient{b.transport, o.Timeouts},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Retryer: b.retryer,
		// Bodies get their checksums from upload.go, and clients verify what they read.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		// Names that mean other services: a bucket here is a bucket.
		DisableMultiRegionAccessPoints: true,
		DisableS3ExpressSessionAuth:    aws.Bool(true),
		APIOptions:                     []func(*middleware.Stack) error{dropAcceptEncoding},
	})
	return b, nil
}

// complete checks o and fills in defaults.
func (o *Options) complete() error {
	if o.AccessKey == "" || o.SecretKey == "" || o.Region == "" {
		return errors.New("access key, secret key and region are needed")
	}
	host := "amazonaws.com"
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("endpoint %q is no http or https URL", o.Endpoint)
		}
		host = u.Hostname()
	}
	if o.Capabilities == nil {
		c := profile(host)
		o.Capabilities = &c
	}
	o.Timeouts = o.Timeouts.orDefaults()
	o.MaxAttempts = orDefault(o.MaxAttempts, defaultMaxAttempts)
	o.ReplayBytes = orDefault(o.ReplayBytes, defaultReplayBytes)
	return nil
}

// orDefaults is t with its zeros replaced.
func (t Timeouts) orDefaults() Timeouts {
	t.Connect = orDefault(t.Connect, defaultConnect)
	t.Header = orDefault(t.Header, defaultHeader)
	t.Slow = max(orDefault(t.Slow, defaultSlow), t.Header)
	t.Stall = orDefault(t.Stall, defaultStall)
	return t
}

// orDefault is v, and def for zero.
func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Name is the connection's name, for the operator.
func (b *Backend) Name() string { return b.name }

// Capabilities is what the service is taken to be able to do.
func (b *Backend) Capabilities() Capabilities { return *b.can.Load() }

// Adopt makes c what the service is taken to be able to do, from the next call on.
func (b *Backend) Adopt(c Capabilities) { b.can.Store(&c) }

// Close ends connections that no call uses.
func (b *Backend) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// optional is a pointer to s, and nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return new(s)
}

// dropAcceptEncoding keeps a header out of the signature that proxies in front
// of services rewrite (Google's does); the transport asks for no compression.
func dropAcceptEncoding(stack *middleware.Stack) error {
	const id = "DisableAcceptEncodingGzip"
	if _, ok := stack.Finalize.Get(id); ok {
		_, err := stack.Finalize.Remove(id)
		return err
	}
	return nil
}
