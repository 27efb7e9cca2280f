package router

import (
	"slices"
	"strings"
)

// Identity is who signed a request: the user, the tenant whose buckets it
// sees, and what it may do there.
type Identity struct {
	AccessKey   string
	UserID      string // owner of what it creates; the access key when not configured
	DisplayName string
	TenantID    string // the default tenant when empty in the configuration
	Grants      []Grant
}

// Grant allows actions on the buckets and keys that match it.
type Grant struct {
	Buckets []string // patterns; "*" matches any run of characters
	Prefix  string   // of keys; empty matches every key
	Actions []Action
}

// Action is what a grant allows.
type Action string

// The actions of a grant. AllActions allows everything.
const (
	Read       Action = "read"
	Write      Action = "write"
	Delete     Action = "delete"
	List       Action = "list"
	Admin      Action = "admin" // create and delete buckets, change their settings, bypass retentions in mode GOVERNANCE
	AllActions Action = "*"
)

// DefaultTenant is the tenant of credentials and buckets that name none.
const DefaultTenant = "default"

// Allows reports whether the identity may do a to a key of a bucket of its
// tenant. A listing names its prefix as the key, an action on the bucket itself the
// empty key: a grant with a Prefix does not reach it. Without any grants an identity may do
// everything in its tenant. Whether the bucket belongs to the tenant is not judged here: that
// is what resolving it says.
func (id *Identity) Allows(a Action, bucket, key string) bool {
	if len(id.Grants) == 0 {
		return true
	}
	for i := range id.Grants {
		g := &id.Grants[i]
		if g.allows(a) && strings.HasPrefix(key, g.Prefix) && g.covers(bucket) {
			return true
		}
	}
	return false
}

// AllowsSome reports whether there are keys of the bucket to which the identity
// may do a.
func (id *Identity) AllowsSome(a Action, bucket string) bool {
	if len(id.Grants) == 0 {
		return true
	}
	for i := range id.Grants {
		if g := &id.Grants[i]; g.allows(a) && g.covers(bucket) {
			return true
		}
	}
	return false
}

// sees reports whether the bucket is shown to the identity: one that it may do
// anything at all in.
func (id *Identity) sees(bucket string) bool {
	if len(id.Grants) == 0 {
		return true
	}
	for i := range id.Grants {
		if len(id.Grants[i].Actions) > 0 && id.Grants[i].covers(bucket) {
			return true
		}
	}
	return false
}

// allows reports whether the grant is for a.
func (g *Grant) allows(a Action) bool {
	return slices.Contains(g.Actions, a) || slices.Contains(g.Actions, AllActions)
}

// covers reports whether one of the grant's patterns matches the bucket.
func (g *Grant) covers(bucket string) bool {
	for _, pattern := range g.Buckets {
		if match(pattern, bucket) {
			return true
		}
	}
	return false
}

// match reports whether s matches pattern, in which "*" stands for any run of
// characters. It never backs up further than the last "*", so that its cost
// is at most len(pattern) times len(s).
func match(pattern, s string) bool {
	p, i := 0, 0
	star, resume := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			resume++
			p, i = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
