package config

// DynamicTenants makes entries for tenants that have none of their own.
// v3.1.0 documents it and its validator drops it; here it works.
type DynamicTenants struct {
	Enabled      bool            `json:"enabled"`
	AutoCreate   bool            `json:"autoCreate"`
	CacheExpiry  int             `json:"cacheExpiry"`  // seconds
	MaxCacheSize int             `json:"maxCacheSize"` // tenants
	Tiers        map[string]Tier `json:"tiers"`
	Validation   *TenantRules    `json:"validation"`
	Tier
}

// Tier is a set of templates. A tier of DynamicTenants.Tiers stands alone: it
// inherits nothing from the base.
type Tier struct {
	DBConnRef               string `json:"dbConnRef"`
	SpaceConnRef            string `json:"spaceConnRef"`
	BucketTemplate          string `json:"bucketTemplate"`
	RecordsBucketTemplate   string `json:"recordsBucketTemplate"`
	VersionsBucketTemplate  string `json:"versionsBucketTemplate"`
	ContentBucketTemplate   string `json:"contentBucketTemplate"`
	BackupsBucketTemplate   string `json:"backupsBucketTemplate"`
	DBNameTemplate          string `json:"dbNameTemplate"`
	AnalyticsDBNameTemplate string `json:"analyticsDbNameTemplate"`
}

// TenantRules are what a tenant's id must satisfy; zero values check nothing.
type TenantRules struct {
	Pattern      string `json:"pattern"` // an unanchored regular expression
	MinLength    int    `json:"minLength"`
	MaxLength    int    `json:"maxLength"`
	AllowedChars string `json:"allowedChars"` // inside of a character class
}
