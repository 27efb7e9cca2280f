package versioned

import (
	"encoding/base64"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/versions"
)

// What bodies and heads carry as metadata: which version they are, and the rest of what an index
// that was lost is made of again.
const (
	markVersion = backends.ReservedMetadata + "version" // [versions.VersionID.Name]
	markBy      = backends.ReservedMetadata + "by"      // who, how and when, as a query string
)

// The parameters of markBy.
const (
	byOperation = "op"
	byAccessKey = "key"
	byUserID    = "user"
	byTenantID  = "tenant"
	byTime      = "at"    // in milliseconds
	byNull      = "null"  // "1" for what was written as a null version
	byClass     = "class" // the object's storage class, which need not be the body's
	byUpload    = "upload"
	byEncrypted = "enc"      // "1" when its writer has asked for encryption: else it is as the store does it by itself
	byRetained  = "retained" // mode and end of its retention; "GOVERNANCE 1790000000000"
	byHold      = "hold"     // status of a legal hold
	byRest      = "rest"     // [versions.Rest], in base 64: there is little room, as all metadata of an object has 2 KiB
)

// Mark is what the metadata of a body says of its version.
type Mark struct {
	ID   versions.VersionID
	By   versions.By
	Time time.Time // about when it was written

	StorageClass types.StorageClass
	Encrypted    bool   // how, its headers say
	Upload       string // see completion; empty for what was not made by an upload from before
	Lock         Lock   // as it was written
	Rest         string // of the object's key: what the body's key does not have of it
}

// marked returns the metadata of a body: the client's, and what it is a body of.
func marked(metadata map[string]string, m Mark) map[string]string {
	out := unmarked(metadata)
	if out == nil {
		out = map[string]string{}
	} else {
		out = maps.Clone(out)
	}
	q := url.Values{byTime: {strconv.FormatInt(m.Time.UnixMilli(), 10)}}
	for name, value := range map[string]string{
		byOperation: m.By.Operation, byAccessKey: m.By.AccessKey, byUserID: m.By.UserID, byTenantID: m.By.TenantID,
		byClass: string(m.StorageClass), byUpload: m.Upload, byRetained: m.Lock.retained(), byHold: string(m.Lock.Hold),
		byRest: base64.RawURLEncoding.EncodeToString([]byte(m.Rest)),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if m.ID.Null {
		q.Set(byNull, "1")
	}
	if m.Encrypted {
		q.Set(byEncrypted, "1")
	}
	out[markVersion], out[markBy] = m.ID.Name(), q.Encode()
	return out
}

// unmarked returns the metadata without what is ours. It does not change its argument.
func unmarked(metadata map[string]string) map[string]string {
	out := metadata
	for name := range metadata {
		if !strings.HasPrefix(name, backends.ReservedMetadata) {
			continue
		}
		if len(out) == len(metadata) {
			out = maps.Clone(metadata)
		}
		delete(out, name)
	}
	return out
}

// ReadMark reads the mark in an object's metadata; false when it has none.
func ReadMark(metadata map[string]string) (Mark, bool) {
	id, err := versions.ParseVersionID(metadata[markVersion])
	if err != nil || id.Null {
		return Mark{}, false
	}
	q, err := url.ParseQuery(metadata[markBy])
	if err != nil {
		return Mark{}, false
	}
	id.Null = q.Get(byNull) != ""
	m := Mark{ID: id, Encrypted: q.Get(byEncrypted) != "", StorageClass: types.StorageClass(q.Get(byClass)), Upload: q.Get(byUpload), By: versions.By{
		Operation: q.Get(byOperation), AccessKey: q.Get(byAccessKey), UserID: q.Get(byUserID), TenantID: q.Get(byTenantID),
	}}
	if ms, err := strconv.ParseInt(q.Get(byTime), 10, 64); err == nil {
		m.Time = time.UnixMilli(ms).UTC()
	}
	m.Lock = parseLock(q.Get(byRetained), q.Get(byHold))
	if rest, err := base64.RawURLEncoding.DecodeString(q.Get(byRest)); err == nil {
		m.Rest = string(rest)
	}
	return m, true
}

// names reports whether metadata says that an object is that version.
func names(metadata map[string]string, v *versions.Version) bool {
	return metadata[markVersion] == v.ID.Name()
}
