package config

// Xronox is the configuration of Xronox v3.1.0, as its own validator
// normalises it, with the members that its validator dropped although they
// are documented (dynamicTenants, hiddenFields, projection).
type Xronox struct {
	DBConnections     map[string]DBConnection     `json:"dbConnections"`
	SpacesConnections map[string]SpacesConnection `json:"spacesConnections"`
	Databases         Databases                   `json:"databases"`
	LocalStorage      *LocalStorage               `json:"localStorage"`
	Routing           Routing                     `json:"routing"` // informs; nothing is routed by it since v2
	Retention         RetentionRules              `json:"retention"`
	Rollup            any                         `json:"rollup"`
	CollectionMaps    map[string]CollectionMap    `json:"collectionMaps"`
	Analytics         any                         `json:"analytics"` // checked; of no use to a proxy
	DevShadow         *DevShadow                  `json:"devShadow"`
	HardDeleteEnabled bool                        `json:"hardDeleteEnabled"` // never read by v3.1.0
	Fallback          any                         `json:"fallback"`
	WriteOptimization any                         `json:"writeOptimization"`
	Transactions      any                         `json:"transactions"`
	LogicalDelete     *Switch                     `json:"logicalDelete"` // nil is on
	Versioning        *Switch                     `json:"versioning"`    // nil is on
}

// DBConnection is one MongoDB.
type DBConnection struct {
	MongoURI Secret `json:"mongoUri"` // holds a password more often than not
}

// SpacesConnection is one account at an object store. Credentials belong to
// the connection's name: two connections may share endpoint and region.
type SpacesConnection struct {
	Endpoint       string    `json:"endpoint"`
	Region         string    `json:"region"`
	AccessKey      string    `json:"accessKey"`
	SecretKey      Secret    `json:"secretKey"`
	ForcePathStyle *bool     `json:"forcePathStyle"` // nil: virtual-hosted style, as AWS's SDK has it
	Bucket         string    `json:"bucket"`         // of all data types; deprecated
	Buckets        TypeNames `json:"buckets"`
	FolderPrefixes TypeNames `json:"folderPrefixes"`
}

// TypeNames holds a name by data type; empty is none.
type TypeNames struct {
	Records  string `json:"records"`
	Versions string `json:"versions"`
	Content  string `json:"content"`
	Backups  string `json:"backups"`
}

// Get returns the name for t, empty when there is none.
func (n TypeNames) Get(t DataType) string {
	switch t {
	case Records:
		return n.Records
	case Versions:
		return n.Versions
	case Content:
		return n.Content
	case Backups:
		return n.Backups
	}
	return ""
}

// Databases are the six database types.
type Databases struct {
	Metadata   *TieredDatabase  `json:"metadata"`
	Knowledge  *TieredDatabase  `json:"knowledge"`
	Runtime    *RuntimeDatabase `json:"runtime"`
	Logs       *Entry           `json:"logs"`
	Messaging  *Entry           `json:"messaging"`
	Identities *Entry           `json:"identities"`
}

// TieredDatabase is metadata or knowledge.
type TieredDatabase struct {
	GenericDatabase  *Entry          `json:"genericDatabase"`
	DomainsDatabases []Entry         `json:"domainsDatabases"`
	TenantDatabases  []Entry         `json:"tenantDatabases"`
	DynamicTenants   *DynamicTenants `json:"dynamicTenants"`
}

// RuntimeDatabase is runtime, which has tenants only.
type RuntimeDatabase struct {
	TenantDatabases []Entry         `json:"tenantDatabases"`
	DynamicTenants  *DynamicTenants `json:"dynamicTenants"`
}

// Entry is one database of a type and tier: a scope, and where it is kept.
// Which members a type offers is the validator's affair.
type Entry struct {
	Domain            string `json:"domain"`   // in domainsDatabases
	TenantID          string `json:"tenantId"` // in tenantDatabases
	DBConnRef         string `json:"dbConnRef"`
	SpaceConnRef      string `json:"spaceConnRef"` // empty: no object storage
	Bucket            string `json:"bucket"`       // of all data types; deprecated
	RecordsBucket     string `json:"recordsBucket"`
	VersionsBucket    string `json:"versionsBucket"`
	ContentBucket     string `json:"contentBucket"`
	BackupsBucket     string `json:"backupsBucket"`
	DBName            string `json:"dbName"`
	AnalyticsDBName   string `json:"analyticsDbName"`   // of runtime
	CaptureDeliveries bool   `json:"captureDeliveries"` // of messaging
}

// Buckets returns the entry's own buckets by data type, without the fallback
// to Bucket.
func (e *Entry) Buckets() TypeNames {
	return TypeNames{
		Records: e.RecordsBucket, Versions: e.VersionsBucket,
		Content: e.ContentBucket, Backups: e.BackupsBucket,
	}
}

// LocalStorage puts everything on local disk instead of object stores.
type LocalStorage struct {
	BasePath string `json:"basePath"`
	Enabled  bool   `json:"enabled"`
}

// Routing chose among backends before v2.
type Routing struct {
	HashAlgo  string `json:"hashAlgo"`
	ChooseKey string `json:"chooseKey"`
}

// RetentionRules say how long history is kept. Zero is for ever.
type RetentionRules struct {
	Ver      VersionRetention `json:"ver"`
	Counters CounterRetention `json:"counters"`
}

// VersionRetention bounds the history of an item; whichever limit is hit first.
type VersionRetention struct {
	Days       int `json:"days"`
	MaxPerItem int `json:"maxPerItem"`
}

// CounterRetention bounds the history of counters.
type CounterRetention struct {
	Days   int `json:"days"`
	Weeks  int `json:"weeks"`
	Months int `json:"months"`
}

// CollectionMap says what is done with the documents of a collection.
type CollectionMap struct {
	IndexedProps []string              `json:"indexedProps"` // empty: all top-level properties
	Base64Props  map[string]Base64Prop `json:"base64Props"`
	Validation   *CollectionValidation `json:"validation"`
	S3Offload    *S3Offload            `json:"s3Offload"`
	HiddenFields []string              `json:"hiddenFields"`
	Projection   map[string]any        `json:"projection"`
}

// Base64Prop is a property that is kept as an object of its own.
type Base64Prop struct {
	ContentType   string `json:"contentType"`
	PreferredText bool   `json:"preferredText"`
	TextCharset   string `json:"textCharset"`
}

// CollectionValidation is what a document must have.
type CollectionValidation struct {
	RequiredIndexed []string `json:"requiredIndexed"`
}

// S3Offload moves old records to object storage.
type S3Offload struct {
	Enabled       bool   `json:"enabled"`
	OlderThan     int    `json:"olderThan"` // days
	ArchiveBucket string `json:"archiveBucket"`
}

// DevShadow keeps copies of documents in MongoDB, for development.
type DevShadow struct {
	Enabled        bool `json:"enabled"`
	TTLHours       int  `json:"ttlHours"`
	MaxBytesPerDoc int  `json:"maxBytesPerDoc"`
}

// Switch is a section with nothing but "enabled".
type Switch struct {
	Enabled bool `json:"enabled"`
}
