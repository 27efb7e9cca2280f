package config

import (
	"fmt"
	"regexp"
	"strconv"
)

// Messages of v3.1.0's rules between members.
const (
	bucketRequired   = "At least one bucket configuration is required"
	databaseRequired = "At least one database type (metadata, knowledge, runtime, or logs) must be configured."
)

// refineConnection is V1: a connection names a bucket. The lenient validator
// asks only where the bucket is needed.
func refineConnection(c *checker, p path, n *node) {
	if c.strict && n.str("bucket") == "" && n.get("buckets") == nil {
		c.problem(p, nil, "Either bucket or buckets configuration is required", `add "buckets": {}, which is enough`)
	}
}

// refineEntry is V3: an entry names a bucket. The lenient validator looks at
// the connection too, later.
func refineEntry(c *checker, p path, n *node, message string) {
	if !c.strict {
		return
	}
	for _, b := range allBuckets {
		if n.str(b) != "" {
			return
		}
	}
	c.problem(p, nil, message, `add "recordsBucket" and the like`)
}

// refineRoot is V2, V4 and V5: some database, and no dangling references.
func refineRoot(c *checker, p path, n *node) {
	if !c.strict {
		return // validate does it, and knows more
	}
	db := n.get("databases")
	if db.get("metadata") == nil && db.get("knowledge") == nil && db.get("runtime") == nil && db.get("logs") == nil {
		c.problem(p, nil, databaseRequired, "add one of them; messaging and identities do not count")
	}
	for _, ref := range references(db, "dbConnRef") {
		if n.get("dbConnections").get(ref) == nil {
			c.problem(p, nil, fmt.Sprintf(danglingDB, ref), "add it to dbConnections, or correct the reference")
		}
	}
	for _, ref := range references(db, "spaceConnRef") {
		if n.get("spacesConnections").get(ref) == nil {
			c.problem(p, nil, fmt.Sprintf(danglingSpaces, ref), "add it to spacesConnections, or correct the reference")
		}
	}
}

// The messages of V4 and V5.
const (
	danglingDB     = "Referenced database connection '%s' does not exist in dbConnections."
	danglingSpaces = "Referenced spaces connection '%s' does not exist in spacesConnections."
)

// references returns the distinct references of a kind in all entries, in the
// order of the database types.
func references(databases *node, member string) []string {
	var refs []string
	seen := map[string]bool{"": true}
	for _, at := range entryNodes(databases) {
		if ref := at.node.str(member); !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	return refs
}

// entryNode is an entry of a file, with its scope and its place in the file.
type entryNode struct {
	scope Scope
	path  path
	node  *node
}

// entryNodes returns the entries of databases, in the order of [Xronox.Entries].
func entryNodes(databases *node) []entryNode {
	var out []entryNode
	add := func(s Scope, p path, n *node) {
		if n != nil && n.kind == kindObject {
			out = append(out, entryNode{s, p, n})
		}
	}
	list := func(s Scope, p path, n *node) {
		if n == nil {
			return
		}
		for i, item := range n.items {
			s := s
			if s.Tier == "domain" {
				s.Domain = item.str("domain")
			} else {
				s.TenantID = item.str("tenantId")
			}
			add(s, p.key(strconv.Itoa(i)), item)
		}
	}
	for _, name := range []string{"metadata", "knowledge"} {
		n, p := databases.get(name), path("databases").key(name)
		add(Scope{Database: name, Tier: "generic"}, p.key("genericDatabase"), n.get("genericDatabase"))
		list(Scope{Database: name, Tier: "domain"}, p.key("domainsDatabases"), n.get("domainsDatabases"))
		list(Scope{Database: name, Tier: "tenant"}, p.key("tenantDatabases"), n.get("tenantDatabases"))
	}
	list(Scope{Database: "runtime"}, "databases.runtime.tenantDatabases", databases.get("runtime").get("tenantDatabases"))
	for _, name := range []string{"logs", "messaging", "identities"} {
		add(Scope{Database: name}, path("databases").key(name), databases.get(name))
	}
	return out
}

// refineDynamic checks the base templates of dynamicTenants and the rules for
// ids, so that no request meets a broken one.
func refineDynamic(c *checker, p path, n *node) {
	refineTier(c, p, n)
	v, q := n.get("validation"), p.key("validation")
	if s := v.str("pattern"); s != "" {
		if _, err := regexp.Compile(s); err != nil {
			c.problem(q.key("pattern"), v.get("pattern"), "Invalid regular expression: "+err.Error(), "RE2 has no look-around and no back-references")
		}
	}
	if s := v.str("allowedChars"); s != "" {
		if _, err := regexp.Compile(allowedPattern(s)); err != nil {
			c.problem(q.key("allowedChars"), v.get("allowedChars"), "Invalid character class: "+err.Error(), "write the inside of [...], such as a-z0-9-")
		}
	}
}

// refineTier checks one set of templates.
func refineTier(c *checker, p path, n *node) {
	vars := TenantContext{}.vars()
	for _, name := range templateNames {
		for _, v := range templateVar.FindAllStringSubmatch(n.str(name), -1) {
			if _, known := vars.get(v[1]); !known {
				c.warn(p.key(name), n.get(name), fmt.Sprintf("Template variable {%s} is none of the built-in ones", v[1]),
					"nothing but a caller's metadata could set it; the proxy has {tenantId}, {tier}, {timestamp}, {env} and {region}")
			}
		}
	}
}
