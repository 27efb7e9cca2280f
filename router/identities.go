package router

import (
	"errors"
	"fmt"
	"strings"
)

// Credential is one key pair and who it belongs to.
type Credential struct {
	Identity
	SecretKey string
}

// Identities knows every credential by its access key. It is immutable.
type Identities struct {
	byAccessKey map[string]*Credential
}

// NewIdentities takes the configured credentials over and fills in what they
// leave out: the default tenant, and the access key as the user.
func NewIdentities(credentials []Credential) (*Identities, error) {
	ids := &Identities{byAccessKey: make(map[string]*Credential, len(credentials))}
	var problems []error
	for _, c := range credentials {
		if c.UserID == "" {
			c.UserID = c.AccessKey
		}
		if c.DisplayName == "" {
			c.DisplayName = c.UserID
		}
		if c.TenantID == "" {
			c.TenantID = DefaultTenant
		}
		if err := c.validate(); err != nil {
			problems = append(problems, fmt.Errorf("credential %q: %w", c.AccessKey, err))
		}
		if _, taken := ids.byAccessKey[c.AccessKey]; taken {
			problems = append(problems, fmt.Errorf("credential %q: access key given twice", c.AccessKey))
		}
		ids.byAccessKey[c.AccessKey] = &c
	}
	return ids, errors.Join(problems...)
}

// validate refuses what could not work or not be kept apart.
func (c *Credential) validate() error {
	switch {
	case c.AccessKey == "" || strings.ContainsAny(c.AccessKey, "/, \t\r\n"):
		return errors.New("an access key has at least one character, and no slash, comma or space") // it stands in a credential scope
	case c.SecretKey == "":
		return errors.New("no secret key")
	}
	for _, g := range c.Grants {
		for _, a := range g.Actions {
			switch a {
			case Read, Write, Delete, List, Admin, AllActions:
			default:
				return fmt.Errorf("unknown action %q; there are read, write, delete, list, admin and *", a)
			}
		}
	}
	return ValidateTenantID(c.TenantID)
}

// OnlyTenant is the tenant that everybody is of; empty when there are several, or nobody.
func (i *Identities) OnlyTenant() string {
	only := ""
	for _, c := range i.byAccessKey {
		if only != "" && c.TenantID != only {
			return ""
		}
		only = c.TenantID
	}
	return only
}

// Identity returns who signs with the access key.
func (i *Identities) Identity(accessKey string) (*Identity, bool) {
	c, ok := i.byAccessKey[accessKey]
	if !ok {
		return nil, false
	}
	return &c.Identity, true
}

// SecretKey returns the secret of the access key. It is what a verifier of
// signatures asks for.
func (i *Identities) SecretKey(accessKey string) (string, bool) {
	c, ok := i.byAccessKey[accessKey]
	if !ok {
		return "", false
	}
	return c.SecretKey, true
}

// ValidateTenantID refuses tenants whose name cannot be one segment of a
// physical name, where it keeps tenants apart.
func ValidateTenantID(tenantID string) error {
	if tenantID == "" || len(tenantID) > 255 || strings.ContainsRune(tenantID, '/') {
		return fmt.Errorf("tenant %q: want 1 to 255 bytes without a slash", tenantID)
	}
	switch tenantID {
	case EveryTenant, ".", "..":
		return fmt.Errorf("tenant %q: means something else", tenantID)
	}
	for _, r := range tenantID {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return fmt.Errorf("tenant %q: has control characters or is not UTF-8", tenantID)
		}
	}
	return nil
}
