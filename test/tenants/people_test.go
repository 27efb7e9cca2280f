package tenants

import (
	"strings"

	"github.com/xronox/xronox-proxy/internal/s3test"
	"github.com/xronox/xronox-proxy/router"
)

// The two tenants. They have the same people and, but for one, buckets of the same names.
const (
	alpha = "alpha"
	beta  = "beta"
)

// granted is the prefix that people called "prefixed" are bound to.
const granted = "granted/"

// right is a grant as the suite understands it. It is judged by the code below,
// not by the router's, so that a mistake in one is not one in both.
type right struct {
	actions string // of "rwdla": read, write, delete, list, admin
	bucket  string // "" is every one, "open" each whose name begins so
	prefix  string
}

// person is somebody who signs requests.
type person struct {
	router.Credential
	rights []right // nil: everything in the tenant
}

// newPeople are those of one tenant.
func newPeople(tenant string) []*person {
	return []*person{
		newPerson(tenant, "root"),
		newPerson(tenant, "reader", right{"rl", "", ""}),
		newPerson(tenant, "writer", right{"w", "", ""}),
		newPerson(tenant, "lister", right{"l", "", ""}),
		newPerson(tenant, "deleter", right{"d", "", ""}),
		newPerson(tenant, "prefixed", right{"rwdla", "vault", granted}),
		newPerson(tenant, "narrow", right{"rwdla", "open", ""}),
		newPerson(tenant, "mixed", right{"r", "open", ""}, right{"w", "vault", granted}),
		newPerson(tenant, "powerless", right{"", "", ""}),
	}
}

// newPerson is a person and the credential that the server knows.
func newPerson(tenant, name string, rights ...right) *person {
	p := &person{rights: rights, Credential: router.Credential{
		Identity:  router.Identity{AccessKey: strings.ToUpper(tenant + name), UserID: name, TenantID: tenant},
		SecretKey: tenant + "-" + name,
	}}
	for _, r := range rights {
		g := router.Grant{Buckets: []string{"*"}, Prefix: r.prefix, Actions: []router.Action{}}
		switch r.bucket {
		case "":
		case "open":
			g.Buckets = []string{"nothing", "open*"}
		default:
			g.Buckets = []string{r.bucket}
		}
		for _, a := range r.actions {
			g.Actions = append(g.Actions, map[rune]router.Action{
				'r': router.Read, 'w': router.Write, 'd': router.Delete, 'l': router.List, 'a': router.Admin,
			}[a])
		}
		p.Grants = append(p.Grants, g)
	}
	return p
}

// place is an object, or the name of one; a bucket when it has no key.
type place struct{ tenant, bucket, key string }

// may reports whether p, who is nil for somebody unknown, is to be let do the action at the place.
func (p *person) may(action byte, at place) bool {
	if p == nil || p.TenantID != at.tenant {
		return false
	}
	if p.rights == nil {
		return true
	}
	for _, r := range p.rights {
		if strings.IndexByte(r.actions, action) >= 0 && r.covers(at.bucket) && strings.HasPrefix(at.key, r.prefix) {
			return true
		}
	}
	return false
}

// maySome reports whether p is to be let do the action to any key of the place's bucket.
func (p *person) maySome(action byte, at place) bool {
	if p.may(action, at) {
		return true
	}
	for _, r := range p.rights {
		if p.may(action, place{at.tenant, at.bucket, r.prefix}) {
			return true
		}
	}
	return false
}

// sees reports whether the name of the bucket may be shown to p.
func (p *person) sees(at place) bool {
	if p == nil || p.TenantID != at.tenant {
		return false
	}
	for _, r := range p.rights {
		if r.actions != "" && r.covers(at.bucket) {
			return true
		}
	}
	return p.rights == nil
}

// covers reports whether the right is for the bucket.
func (r right) covers(bucket string) bool {
	return r.bucket == "" || r.bucket == bucket || r.bucket == "open" && strings.HasPrefix(bucket, "open")
}

// name is p in messages.
func (p *person) name() string {
	if p == nil {
		return "nobody"
	}
	return p.TenantID + "'s " + p.UserID
}

// credentials are what the server knows of people.
func credentials(people []*person) []router.Credential {
	var list []router.Credential
	for _, p := range people {
		list = append(list, p.Credential)
	}
	return list
}

// bystanders are the tenants that s3test brings along and whom nobody here may touch.
var bystanders = []string{router.DefaultTenant, s3test.Stranger.TenantID}
