package main

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/xronox/xronox-proxy/router"
)

// rootFile holds the generated root credential, in the data directory.
const rootFile = "root-credential.json"

// rootCredential is a key pair that may do everything in the default tenant.
type rootCredential struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
	created   bool   // just now
	file      string // that keeps it; empty when it comes from the environment
}

// identity is the credential as the router takes it.
func (c rootCredential) identity() router.Credential {
	return router.Credential{
		Identity:  router.Identity{AccessKey: c.AccessKey, UserID: "root", TenantID: router.DefaultTenant},
		SecretKey: c.SecretKey,
	}
}

// rootFromEnv is the credential of XRONOX_ROOT_ACCESS_KEY and
// XRONOX_ROOT_SECRET_KEY; false when they are not set.
func rootFromEnv() (rootCredential, bool, error) {
	c := rootCredential{AccessKey: os.Getenv("XRONOX_ROOT_ACCESS_KEY"), SecretKey: os.Getenv("XRONOX_ROOT_SECRET_KEY")}
	if (c.AccessKey == "") != (c.SecretKey == "") {
		return c, false, errors.New("set both XRONOX_ROOT_ACCESS_KEY and XRONOX_ROOT_SECRET_KEY, or neither")
	}
	return c, c.AccessKey != "", nil
}

// rootFromDir reads the credential that the data directory has, or makes one.
func rootFromDir(dir string) (rootCredential, error) {
	path := filepath.Join(dir, rootFile)
	data, err := os.ReadFile(path) // the operator's own directory
	if errors.Is(err, fs.ErrNotExist) {
		return newRootCredential(path)
	}
	c := rootCredential{file: path}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err == nil && (c.AccessKey == "" || c.SecretKey == "") {
		err = errors.New("no accessKey or no secretKey in it")
	}
	if err != nil {
		return c, fmt.Errorf("root credential %s: %w; remove the file to have a new one made", path, err)
	}
	return c, nil
}

// newRootCredential makes a credential with 160 random bits in its secret and
// stores it where only the owner can read it.
func newRootCredential(path string) (rootCredential, error) {
	var b [40]byte
	_, _ = rand.Read(b[:]) // never fails
	c := rootCredential{
		AccessKey: "XROOT" + base32.StdEncoding.EncodeToString(b[:10])[:15],
		SecretKey: base64.RawURLEncoding.EncodeToString(b[10:]),
		created:   true, file: path,
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return c, err
	}
	if err := renameio.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return c, fmt.Errorf("root credential: %w", err)
	}
	return c, nil
}
