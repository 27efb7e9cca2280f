package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

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

// TenantContext is what templates are filled in with.
type TenantContext struct {
	TenantID string
	Tier     string    // empty: default
	Now      time.Time // for {timestamp}, its UTC date
	Env      string    // empty: production, as NODE_ENV has it
	Region   string    // empty: us-east-1
	Meta     []Var     // of the caller; never overrides the others
}

// Var is a variable of a template.
type Var struct{ Name, Value string }

// vars are the variables that a template can use.
type vars []Var

// get returns the value of a variable.
func (v vars) get(name string) (string, bool) {
	i := slices.IndexFunc(v, func(x Var) bool { return x.Name == name })
	if i < 0 {
		return "", false
	}
	return v[i].Value, true
}

// vars returns the built-in variables and the caller's. In v3.1.0 a caller
// could replace tenantId, and so reach another tenant's bucket.
func (t TenantContext) vars() vars {
	v := vars{
		{"tenantId", t.TenantID},
		{"tier", first(t.Tier, "default")},
		{"timestamp", t.Now.UTC().Format("20060102")},
		{"env", first(t.Env, "production")},
		{"region", first(t.Region, "us-east-1")},
	}
	for _, m := range t.Meta {
		if _, taken := v.get(m.Name); !taken {
			v = append(v, m)
		}
	}
	return v
}

// templateVar is a variable in a template; other braces are text.
var templateVar = regexp.MustCompile(`\{([A-Za-z0-9_]+)\}`)

// Expand fills in a template.
func Expand(template string, t TenantContext) (string, error) {
	v := t.vars()
	var missing error
	out := templateVar.ReplaceAllStringFunc(template, func(m string) string {
		name := m[1 : len(m)-1]
		value, known := v.get(name)
		if !known && missing == nil {
			names := make([]string, len(v))
			for i := range v {
				names[i] = v[i].Name
			}
			missing = saying("Template variable {%s} not provided. Available: %s", name, strings.Join(names, ", "))
		}
		return value
	})
	if missing != nil {
		return "", missing
	}
	return out, nil
}

// Entry makes the entry of a tenant. A tier of t's name stands alone; when
// there is none the base serves, and {tier} is still t's.
func (d *DynamicTenants) Entry(t TenantContext) (*Entry, error) {
	if d == nil || !d.Enabled {
		return nil, saying("Tenant '%s' not found in static configuration and dynamic tenants are not enabled. "+
			"Either add the tenant to tenantDatabases or enable dynamicTenants.", t.TenantID)
	}
	if err := d.Validation.Check(t.TenantID); err != nil {
		return nil, err
	}
	tier := d.Tier
	if named, ok := d.Tiers[t.Tier]; ok && t.Tier != "" {
		tier = named
	}
	e := &Entry{TenantID: t.TenantID, DBConnRef: tier.DBConnRef, SpaceConnRef: tier.SpaceConnRef}
	for _, x := range []struct {
		to       *string
		template string
	}{
		{&e.Bucket, tier.BucketTemplate},
		{&e.RecordsBucket, tier.RecordsBucketTemplate},
		{&e.VersionsBucket, tier.VersionsBucketTemplate},
		{&e.ContentBucket, tier.ContentBucketTemplate},
		{&e.BackupsBucket, tier.BackupsBucketTemplate},
		{&e.DBName, tier.DBNameTemplate},
		{&e.AnalyticsDBName, tier.AnalyticsDBNameTemplate},
	} {
		var err error
		if *x.to, err = Expand(x.template, t); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Check judges a tenant's id; nil rules take every id.
func (r *TenantRules) Check(id string) error {
	if r == nil {
		return nil
	}
	length := len(utf16.Encode([]rune(id))) // as JavaScript counts
	switch {
	case length < r.MinLength:
		return saying("Tenant ID '%s' must be at least %d characters", id, r.MinLength)
	case r.MaxLength > 0 && length > r.MaxLength:
		return saying("Tenant ID '%s' must not exceed %d characters", id, r.MaxLength)
	case r.Pattern != "" && !matches(r.Pattern, id):
		return saying("Tenant ID '%s' does not match required pattern: %s", id, r.Pattern)
	case r.AllowedChars != "" && !matches(allowedPattern(r.AllowedChars), id):
		return saying("Tenant ID '%s' contains invalid characters. Allowed: [%s]", id, r.AllowedChars)
	}
	return nil
}

// allowedPattern is a text of nothing but the characters of a class.
func allowedPattern(chars string) string { return `^[` + chars + `]+$` }

// matches reports whether pattern occurs in s. One that does not compile,
// which validation refuses, matches nothing.
func matches(pattern, s string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(s)
}

// xronoxError is an error in v3.1.0's own words.
type xronoxError struct {
	message string
	cause   error
}

// saying makes an xronoxError.
func saying(format string, args ...any) *xronoxError {
	return &xronoxError{message: fmt.Sprintf(format, args...)}
}

// Error returns the words.
func (e *xronoxError) Error() string { return e.message }

// Unwrap returns what the words stand for, such as ErrNotOffered.
func (e *xronoxError) Unwrap() error { return e.cause }

// Uses returns the first bucket template, of those that serve a tier, that has the
// variable in it; empty when none has.
func (d *DynamicTenants) Uses(variable, tier string) string {
	t := d.Tier
	if named, ok := d.Tiers[tier]; ok && tier != "" {
		t = named
	}
	for _, template := range []string{t.BucketTemplate, t.RecordsBucketTemplate, t.VersionsBucketTemplate, t.ContentBucketTemplate, t.BackupsBucketTemplate} {
		if strings.Contains(template, "{"+variable+"}") {
			return template
		}
	}
	return ""
}
