// Package config reads the configuration: the Xronox file with its databases
// and connections, and our own section of it, xronoxProxy. It finds the file,
// resolves ENV tokens, checks everything at once and returns plain data. It
// knows nothing of the server that the data configures, and imports nothing
// of it.
package config

import (
	"encoding/base64"
	"errors"
)

// Config is a whole configuration, checked and completed with defaults.
type Config struct {
	Xronox *Xronox // nil when the file has no part of Xronox
	Proxy  Proxy
	Source string // path of the file; empty for the defaults
}

// Proxy is the object xronoxProxy of the file. Xronox itself drops members it
// does not know, so that one file serves both.
type Proxy struct {
	// Listen is the address of the S3 endpoint, host:port.
	Listen string `json:"listen"`
	// Admin is the address of the admin listener: health, metrics.
	Admin string `json:"admin"`
	// DataDir holds local objects, the embedded index and the root credential.
	DataDir string `json:"dataDir"`
	// Domains are the names under which buckets are addressed virtual-hosted
	// style: with s3.example.com, photos.s3.example.com is the bucket photos.
	Domains []string `json:"domains"`
	// Region is what clients sign for, and what GetBucketLocation answers.
	Region string `json:"region"`
	// Index says where versions and virtual buckets are recorded.
	Index Index `json:"index"`
	// Credentials are the key pairs of clients.
	Credentials []Credential `json:"credentials"`
	// AnonymousTenant is whose buckets are meant by requests that nobody has signed, such as the preflights
	// of browsers; empty: the only tenant of Credentials, if they have only one.
	AnonymousTenant string `json:"anonymousTenant"`
	// Connections are settings of spacesConnections that Xronox has no members for, by
	// the same names.
	Connections map[string]Connection `json:"connections"`
	// AutomaticBuckets says whether every scope, and every bucket name that Xronox
	// recorded, is a virtual bucket by itself.
	AutomaticBuckets bool `json:"automaticBuckets"`
	// CreateBuckets says whether physical buckets that are missing are made at start.
	CreateBuckets bool `json:"createBuckets"`
	// VirtualBuckets are the configured buckets, by the name clients use.
	VirtualBuckets map[string]VirtualBucket `json:"virtualBuckets"`
	// BucketTemplate says where buckets that clients create are put.
	BucketTemplate BucketTemplate `json:"bucketTemplate"`
	// Encryption has the keys that encrypt on local disk, and says which clients may bring.
	Encryption Encryption `json:"encryption"`
	// DataTypes are policies by data type.
	DataTypes map[DataType]Policy `json:"dataTypes"`
	// Limits protect the server.
	Limits Limits `json:"limits"`
	// Retention says whether retention rules of Xronox delete versions.
	Retention Retention `json:"retention"`
	// Log is what is logged, and how.
	Log Log `json:"log"`
}

// Index names the store of versions and virtual buckets.
type Index struct {
	Driver IndexDriver `json:"driver"`

	// All that follows is of DriverMongo only. What it says of pools and timeouts wins over the URI.
	DBConnRef string `json:"dbConnRef"` // of dbConnections
	DBName    string `json:"dbName"`

	MaxPoolSize int `json:"maxPoolSize"` // connections to each server
	MinPoolSize int `json:"minPoolSize"` // that are kept open

	ConnectTimeout   Duration `json:"connectTimeout"`   // of a connection
	SelectionTimeout Duration `json:"selectionTimeout"` // until a call fails when there is no primary
	CallTimeout      Duration `json:"callTimeout"`      // of a call

	// ReadConcern and WriteConcern are MongoDB's; empty: what the URI says, else majority. With less than
	// majority, what was acknowledged can be lost with a primary.
	ReadConcern  string `json:"readConcern"`
	WriteConcern string `json:"writeConcern"`

	// FreshFor is how long a proxy uses what it knows of a bucket without asking: what another has changed
	// shows after that time.
	FreshFor Duration `json:"freshFor"`
	// Outage is how much longer it does while the index cannot be asked. The first versions of a bucket that was
	// in use have to wait for both times.
	Outage Duration `json:"outage"`
}

// IndexDriver is a kind of index.
type IndexDriver string

// The drivers: an embedded store for one node, or MongoDB for any number.
const (
	DriverEmbedded IndexDriver = "embedded"
	DriverMongo    IndexDriver = "mongo"
)

// Credential is a key pair that clients sign with, and who they are then.
type Credential struct {
	AccessKey string `json:"accessKey"`
	// SecretKey is the secret, whichever of the three members it came from.
	SecretKey     Secret  `json:"secretKey"`
	SecretKeyEnv  string  `json:"secretKeyEnv"`  // name of an environment variable
	SecretKeyFile string  `json:"secretKeyFile"` // path, relative to the configuration file
	UserID        string  `json:"userId"`        // owner of what it creates; empty: the access key
	DisplayName   string  `json:"displayName"`   // of the owner
	TenantID      string  `json:"tenantId"`      // empty: the default tenant
	Tier          string  `json:"tier"`          // of its tenant in dynamicTenants; empty: default
	Grants        []Grant `json:"grants"`        // empty: everything in its tenant
}

// Connection is what the proxy must know of one of spacesConnections besides
// what Xronox does.
type Connection struct {
	// Layout is how the scopes at this connection are laid out; empty is LayoutCR001.
	Layout Layout `json:"layout"`
	// TenantPrefix puts <prefix>/<tenantId>/ before the physical keys of tenants' scopes.
	TenantPrefix bool `json:"tenantPrefix"`
	// Capabilities says how it is known what the service can do; empty is CapabilitiesAWS for
	// AWS's own hosts and else CapabilitiesCautious.
	Capabilities Capabilities `json:"capabilities"`
}

// Grant allows actions on the buckets and keys it names.
type Grant struct {
	Buckets []string `json:"buckets"` // patterns with *; empty matches every bucket
	Prefix  string   `json:"prefix"`  // of keys; empty matches every key
	Actions []string `json:"actions"` // read, write, delete, list, admin, *
}

// VirtualBucket is one configured bucket: a place in the databases of Xronox,
// or a physical bucket under another name.
type VirtualBucket struct {
	Mode Mode `json:"mode"`

	// Database, Tier, Domain and TenantID name the scope. TenantID may be
	// "{tenantId}": the tenant of whoever asks.
	Database string `json:"database"`
	Tier     string `json:"tier"`
	Domain   string `json:"domain"`
	TenantID string `json:"tenantId"`

	DataType    DataType   `json:"dataType"`    // ModeFlat over a scope: its one type
	Connection  string     `json:"connection"`  // ModeFlat without a scope: of spacesConnections; empty: local disk
	Bucket      string     `json:"bucket"`      // ModeFlat without a scope: the physical bucket
	Prefix      string     `json:"prefix"`      // ModeFlat without a scope: before every key
	DefaultType DataType   `json:"defaultType"` // ModeLegacy: of keys that fit no class; empty: content
	ReadThrough bool       `json:"readThrough"` // ModeLegacy: what is not found is read from the old bucket
	OldBucket   string     `json:"oldBucket"`   // the physical bucket that is read through; empty: the one of the bucket's own name
	Default     *Spot      `json:"default"`     // ModeTyped: of keys that begin with no data type; nil: refused
	Layout      Layout     `json:"layout"`
	Versioning  Versioning `json:"versioning"`

	// VersionsPrefix is where a bucket without a scope keeps its versions.
	VersionsPrefix string `json:"versionsPrefix"`
	// Tenants see the bucket besides the one it belongs to; "*" is all.
	Tenants []string `json:"tenants"`
	// TenantPrefix puts <prefix>/<tenantId>/ before every physical key.
	TenantPrefix bool `json:"tenantPrefix"`
}

// Capabilities is how it is known which of S3's abilities a service has.
type Capabilities string

// The ways: all that AWS has, what every service has, or what a probe at start finds.
const (
	CapabilitiesAWS      Capabilities = "aws"
	CapabilitiesCautious Capabilities = "cautious"
	CapabilitiesProbe    Capabilities = "probe"
)

// Spot is a place at a connection.
type Spot struct {
	Connection string `json:"connection"` // of spacesConnections; empty: local disk
	Bucket     string `json:"bucket"`
	Prefix     string `json:"prefix"`
}

// Mode is how a virtual bucket maps keys.
type Mode string

// The modes of virtual buckets.
const (
	ModeTyped  Mode = "typed"  // the first segment of a key is its data type
	ModeLegacy Mode = "legacy" // the shape of a key tells its data type
	ModeFlat   Mode = "flat"   // one place
	ModeSpread Mode = "spread" // several, by the hash of a key; of buckets that clients create
)

// Layout is how data types are laid out in physical buckets.
type Layout string

// The layouts. LayoutNative is what Xronox v3.1.0 wrote: no prefixes, and
// everything in the records bucket. LayoutCR001 is what CR-001 specified: a
// bucket and a prefix by data type.
const (
	LayoutCR001  Layout = "cr001"
	LayoutNative Layout = "native"
)

// Versioning is the state of a bucket's versioning, in S3's words; empty is
// "never enabled".
type Versioning string

// The states of versioning.
const (
	VersioningEnabled   Versioning = "enabled"
	VersioningSuspended Versioning = "suspended"
)

// BucketTemplate places the buckets that clients create. Bucket and Prefix may
// contain {tenantId} and {bucket}.
type BucketTemplate struct {
	Mode           Mode   `json:"mode"`       // ModeFlat or ModeSpread
	Connection     string `json:"connection"` // of spacesConnections; empty: local disk
	Bucket         string `json:"bucket"`
	Prefix         string `json:"prefix"`
	VersionsPrefix string `json:"versionsPrefix"` // empty: a sibling of Prefix

	// Places, of ModeSpread, are instead of Connection, Bucket and Prefix: the keys of each bucket
	// are spread over them by their hash.
	Places []Spot `json:"places"`
	// Versioning is what buckets are created with; empty, or VersioningEnabled.
	Versioning Versioning `json:"versioning"`
}

// Policy is what holds for all objects of a data type.
type Policy struct {
	// Connection, of spacesConnections, keeps the type instead of the one that the
	// database names; empty: that one.
	Connection   string `json:"connection"`
	StorageClass string `json:"storageClass"` // S3's name; empty: the store's own default
	Access       Access `json:"access"`
	SSE          SSE    `json:"sse"`
}

// Access is what clients may do with a data type; empty is AccessReadWrite.
type Access string

// The kinds of access. AccessAppendOnly neither replaces nor deletes.
const (
	AccessReadWrite  Access = "readWrite"
	AccessReadOnly   Access = "readOnly"
	AccessAppendOnly Access = "appendOnly"
)

// SSE asks the store to encrypt objects.
type SSE struct {
	KMSKeyID string `json:"kmsKeyId"` // empty: the store's own default
}

// Encryption is how objects are encrypted on local disk. Object stores do it by themselves, with keys of theirs.
type Encryption struct {
	// Keys are those of SSE-S3: the first encrypts, all decrypt. Without any, one is made in DataDir.
	Keys []EncryptionKey `json:"keys"`
	// KMS are those of SSE-KMS, each with the ID that clients name; the first is that of who names none.
	KMS []EncryptionKey `json:"kms"`
	// CustomerKeys says over which connections keys of customers (SSE-C) are taken; empty is CustomerKeysLocal.
	CustomerKeys CustomerKeys `json:"customerKeys"`
}

// EncryptionKey is a key of 32 bytes, in base64.
type EncryptionKey struct {
	ID string `json:"id"`
	// Key is the key, whichever of the three members it came from.
	Key     Secret `json:"key"`
	KeyEnv  string `json:"keyEnv"`  // name of an environment variable
	KeyFile string `json:"keyFile"` // path, relative to the configuration file
}

// encryptionKeySize is how many bytes a key has.
const encryptionKeySize = 32

// errKeySize is said of keys that are none.
var errKeySize = errors.New("the key is not 32 bytes in base64")

// Bytes is the key itself.
func (k *EncryptionKey) Bytes() ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(k.Key.Reveal())
	if err != nil || len(b) != encryptionKeySize {
		return nil, errKeySize
	}
	return b, nil
}

// CustomerKeys is over which connections keys of customers are taken. S3 takes them over TLS only.
type CustomerKeys string

// The ways: over TLS and within this machine, over TLS alone, or over every connection, for a proxy behind something that
// ends TLS.
const (
	CustomerKeysLocal   CustomerKeys = "local"
	CustomerKeysTLS     CustomerKeys = "tls"
	CustomerKeysTrusted CustomerKeys = "trusted"
)

// Limits are bounds on what one client, or all together, can take.
type Limits struct {
	MaxHeaderBytes        int      `json:"maxHeaderBytes"`        // request line and headers
	HeaderTimeout         Duration `json:"headerTimeout"`         // to send them
	IdleTimeout           Duration `json:"idleTimeout"`           // between requests of a connection
	BodyIdleTimeout       Duration `json:"bodyIdleTimeout"`       // without one byte of a body moving
	ShutdownTimeout       Duration `json:"shutdownTimeout"`       // for requests in flight to finish
	MaxConcurrentRequests int      `json:"maxConcurrentRequests"` // more get SlowDown
	MaxConnections        int      `json:"maxConnections"`        // more get 503; 0: as the limit of open files allows
}

// Retention is what becomes of versions beyond the retention rules.
type Retention string

// The ways of retention. Xronox v3.1.0 never deleted anything, so that
// deleting has to be asked for.
const (
	RetentionReport  Retention = "report"
	RetentionEnforce Retention = "enforce"
)

// Log is what is logged.
type Log struct {
	Format string `json:"format"` // text or json
	Level  string `json:"level"`  // debug, info, warn or error
}
