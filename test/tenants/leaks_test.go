package tenants

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// leak is a way for a server to be broken.
type leak struct {
	build func(*world, *s3test.Options) // breaks what the server is made of

	// deputy breaks what it is not made of, but has built in: it is told of each attempt, and
	// returns in whose name the broken server would do it; nil when it would do right. All of the
	// attempt is then signed by that person.
	deputy func(*world, *attempt) *person
}

// resolverFunc is a resolver.
type resolverFunc func(ctx context.Context, tenantID, bucket string) (*router.Route, error)

// Resolve implements router.Resolver.
func (f resolverFunc) Resolve(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
	return f(ctx, tenantID, bucket)
}

// TestLeaks breaks the server, in one way after the other, and holds that the attacks
// notice.
func TestLeaks(t *testing.T) {
	t.Parallel()
	ops := readOperations(t)
	f := func(name, want string, shared bool, l leak) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			for i := range 10 * worlds {
				w := newWorld(t, ops, shared, &l)
				w.play(random(6, i))
				if slices.ContainsFunc(w.broken, func(b string) bool { return strings.Contains(b, want) }) {
					t.Logf("noticed in world %d: %s", i, w.broken[0])
					return
				}
				w.hangUp()
			}
			t.Error("nobody noticed")
		})
	}
	f("the resolver ignores the tenant", "", false, resolving(func(next router.Resolver) resolverFunc {
		return func(ctx context.Context, _, bucket string) (*router.Route, error) {
			return next.Resolve(ctx, alpha, bucket)
		}
	}))
	f("the resolver looks elsewhere when there is nothing", "the bucket is another tenant's", false, resolving(func(next router.Resolver) resolverFunc {
		return func(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
			route, err := next.Resolve(ctx, tenantID, bucket)
			if s3err.Is(err, s3err.NoSuchBucket) {
				return next.Resolve(ctx, beta, bucket)
			}
			return route, err
		}
	}))
	f("tokens are bound to nothing", "token", false, resolving(func(next router.Resolver) resolverFunc {
		return func(ctx context.Context, tenantID, bucket string) (*router.Route, error) {
			route, err := next.Resolve(ctx, tenantID, bucket)
			if err != nil {
				return nil, err
			}
			same := *route
			same.BucketID, same.TenantID = "same", "same"
			return &same, nil
		}
	}))
	f("UploadIds are bound to nothing, and mounts lie in one place", "", true, mounting(func(w *world, o *mount.Options) {
		o.BucketID, o.Prefix = "same", strings.Replace(o.Prefix, "/"+beta+"/", "/"+alpha+"/", 1)
	}))
	f("a mount without its prefix", "", true, mounting(func(w *world, o *mount.Options) { o.Prefix = "" }))
	f("a mount whose prefix ends before the bucket", "", true, mounting(func(w *world, o *mount.Options) {
		o.Prefix = o.Prefix[:strings.LastIndex(strings.TrimSuffix(o.Prefix, "/"), "/")+1]
	}))
	f("a mount of another's physical bucket", "", false, mounting(func(w *world, o *mount.Options) {
		o.Bucket = strings.Replace(o.Bucket, "/"+beta+"/", "/"+alpha+"/", 1)
	}))
	f("buckets of all tenants are listed", "shown", false, leak{build: func(w *world, o *s3test.Options) { o.Records = everybodys{o.Records} }})
	f("errors name what is physical", "shown", false, leak{build: func(w *world, o *s3test.Options) {
		o.Wrap = func(b backends.Backend) backends.Backend { return talkative{b, w.root} }
	}})
	f("a prefix without its slash", "prefixed", false, granting(func(g *router.Grant) { g.Prefix = strings.TrimSuffix(g.Prefix, "/") }))
	f("a prefix without regard to case", "prefixed", false, deputising(func(w *world, a *attempt) bool {
		return a.who.UserID == "prefixed" && strings.HasPrefix(strings.ToLower(unescaped(a.path)), "/vault/"+granted)
	}))
	f("a prefix compared after decoding twice", "prefixed", false, deputising(func(w *world, a *attempt) bool {
		return a.who.UserID == "prefixed" && strings.HasPrefix(unescaped(unescaped(a.path)), "/vault/"+granted)
	}))
	f("a prefix compared after cleaning the path", "prefixed", false, deputising(func(w *world, a *attempt) bool {
		return a.who.UserID == "prefixed" && strings.HasPrefix(strings.ReplaceAll(a.path, "/../", "/"), "/vault/"+granted)
	}))
	f("patterns match in the middle", "narrow", false, granting(func(g *router.Grant) {
		if g.Buckets[0] != "*" {
			g.Buckets = []string{"*a*"}
		}
	}))
	f("a copy takes the right to write only", "CopyObject by", false, deputising(func(w *world, a *attempt) bool {
		return a.op.name == "CopyObject" && a.mayWrite()
	}))
	f("a copied part takes the right to write only", "UploadPartCopy by", false, deputising(func(w *world, a *attempt) bool {
		return a.op.name == "UploadPartCopy" && a.mayWrite()
	}))
	f("a reader can end uploads", "upload", false, deputising(func(w *world, a *attempt) bool {
		return a.op.name == "AbortMultipartUpload" && a.who.UserID == "reader"
	}))
	f("a reader can delete several at once", "object", false, deputising(func(w *world, a *attempt) bool {
		return a.op.name == "DeleteObjects" && a.who.UserID == "reader"
	}))
	f("headers need not be signed", "not signed", false, leak{deputy: func(w *world, a *attempt) *person { return a.signer }})
	f("anybody may look", "nobody", false, leak{deputy: func(w *world, a *attempt) *person {
		if a.signer == nil && a.method == "GET" {
			return w.someone(alpha, "root")
		}
		return nil
	}})
}

// resolving is a leak in who resolves buckets.
func resolving(wrap func(next router.Resolver) resolverFunc) leak {
	return leak{build: func(_ *world, o *s3test.Options) {
		o.Resolver = func(next router.Resolver) router.Resolver { return wrap(next) }
	}}
}

// mounting is a leak in what mounts are made of.
func mounting(change func(*world, *mount.Options)) leak {
	return leak{build: func(w *world, o *s3test.Options) { o.Mount = func(m *mount.Options) { change(w, m) } }}
}

// granting is a leak in what the server takes grants for.
func granting(change func(*router.Grant)) leak {
	return leak{build: func(_ *world, o *s3test.Options) {
		for i := range o.People {
			grants := slices.Clone(o.People[i].Grants)
			for j := range grants {
				change(&grants[j])
			}
			o.People[i].Grants = grants
		}
	}}
}

// deputising is a leak in the authorisation: what is wrongly let through is done as the
// tenant's root would.
func deputising(through func(*world, *attempt) bool) leak {
	return leak{deputy: func(w *world, a *attempt) *person {
		if a.who == nil || a.op == nil || a.refuse != "" || !through(w, a) {
			return nil
		}
		return w.someone(a.who.TenantID, "root")
	}}
}

// mayWrite reports whether the attempt is one to write to what its path names in plain words.
func (a *attempt) mayWrite() bool {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(unescaped(a.path), "/"), "/")
	return a.host == s3test.Domain && key != "" && a.who.may('w', place{a.who.TenantID, bucket, key})
}

// everybodys are records of which each tenant is shown those of all.
type everybodys struct{ router.Records }

// ListBuckets lists the other tenant's buckets as well.
func (r everybodys) ListBuckets(ctx context.Context, tenantID, prefix, after string, limit int) ([]router.BucketRecord, error) {
	list, err := r.Records.ListBuckets(ctx, tenantID, prefix, after, limit)
	if other := map[string]string{alpha: beta, beta: alpha}[tenantID]; err == nil && other != "" {
		more, err := r.Records.ListBuckets(ctx, other, prefix, after, limit)
		return append(list, more...), err
	}
	return list, err
}

// talkative is a bucket whose errors name what is behind it.
type talkative struct {
	backends.Backend
	physical string
}

// Unwrap is for the abilities that a bucket may have.
func (b talkative) Unwrap() backends.Backend { return b.Backend }

// GetObject fails with the physical name.
func (b talkative) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	out, err := b.Backend.GetObject(ctx, in)
	if err != nil {
		return nil, s3err.From(err).With("BucketName", b.physical)
	}
	return out, nil
}
