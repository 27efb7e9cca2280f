package config

import (
	"encoding/json"
	"errors"
	"strings"
)

// DataType is one of the four kinds of data that CR-001 keeps apart.
type DataType string

// The data types.
const (
	Records  DataType = "records"
	Versions DataType = "versions"
	Content  DataType = "content"
	Backups  DataType = "backups"
)

// DataTypes returns the data types in their usual order.
func DataTypes() []DataType { return []DataType{Records, Versions, Content, Backups} }

// Scope names one entry of the databases.
type Scope struct {
	Database string `json:"databaseType"`       // metadata, knowledge, runtime, logs, messaging, identities
	Tier     string `json:"tier,omitempty"`     // generic, domain, tenant; of metadata and knowledge
	TenantID string `json:"tenantId,omitempty"` // of tier tenant, and of runtime
	Domain   string `json:"domain,omitempty"`   // of tier domain
}

// Place is where a data type of a scope is kept.
type Place struct {
	Connection string // of spacesConnections
	Local      bool   // on local disk instead, under localStorage.basePath
	Bucket     string
	Prefix     string // before every key: empty, or ending in "/"
}

// ErrNotOffered says that a scope has no object storage: its entry names no
// spaces connection.
var ErrNotOffered = errors.New("config: the database has no object storage")

// ResolveBucket says where scope s keeps data type t.
//
// LayoutNative is what v3.1.0 does: everything in the records bucket, without
// a prefix. LayoutCR001 takes the entry's bucket for t, the entry's bucket,
// the connection's bucket for t, the connection's bucket, in this order, and
// the connection's folder prefix, else the type's name.
func ResolveBucket(x *Xronox, s Scope, t DataType, l Layout) (Place, error) {
	e, ok := x.Entry(s)
	if !ok {
		return Place{}, saying("Cannot resolve database connection for context: %s", s.json())
	}
	return x.ResolveEntry(s, e, t, l)
}

// ResolveEntry is ResolveBucket for an entry at hand, such as that of a
// dynamic tenant.
func (x *Xronox) ResolveEntry(s Scope, e *Entry, t DataType, l Layout) (Place, error) {
	local := x.LocalStorage != nil && x.LocalStorage.Enabled
	conn, ok := x.SpacesConnections[e.SpaceConnRef]
	switch {
	case e.SpaceConnRef == "" && !local:
		return Place{}, &xronoxError{"Cannot resolve spaces connection for context: " + s.json(), ErrNotOffered}
	case !ok && !local:
		return Place{}, saying("Cannot resolve spaces connection for context: %s", s.json())
	}
	p := Place{Connection: e.SpaceConnRef, Local: local}
	if l == LayoutNative {
		t = Records
		p.Bucket = first(e.RecordsBucket, e.Bucket)
	} else {
		p.Bucket = first(e.Buckets().Get(t), e.Bucket, conn.Buckets.Get(t), conn.Bucket)
		p.Prefix = strings.TrimSuffix(first(conn.FolderPrefixes.Get(t), string(t)), "/") + "/"
	}
	if p.Bucket == "" {
		return Place{}, saying("No bucket configured for type '%s'. Please configure either '%sBucket' or 'bucket' (legacy).", t, t)
	}
	return p, nil
}

// first returns the first of the names that is not empty.
func first(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// json is the scope as v3.1.0 puts it into messages.
func (s Scope) json() string {
	b, _ := json.Marshal(s) // strings only: cannot fail
	return string(b)
}

// Entry returns the configured entry of s; the first of several. Entries of
// dynamic tenants are not among them.
func (x *Xronox) Entry(s Scope) (*Entry, bool) {
	for scope, e := range x.Entries() {
		if scope == s.normal() {
			return e, true
		}
	}
	return nil, false
}

// normal drops the members that s.Database does not look at.
func (s Scope) normal() Scope {
	switch {
	case s.Database == "runtime":
		return Scope{Database: s.Database, TenantID: s.TenantID}
	case s.Database != "metadata" && s.Database != "knowledge":
		return Scope{Database: s.Database}
	case s.Tier == "domain":
		return Scope{Database: s.Database, Tier: s.Tier, Domain: s.Domain}
	case s.Tier == "tenant":
		return Scope{Database: s.Database, Tier: s.Tier, TenantID: s.TenantID}
	}
	return Scope{Database: s.Database, Tier: s.Tier}
}
