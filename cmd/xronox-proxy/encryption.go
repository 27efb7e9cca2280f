package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/xronox/xronox-proxy/backends/localbackend"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/s3api"
)

// keyFile has the key of local disk when the configuration has none. It lies beside what it encrypts: that is SSE-S3 as
// AWS has it, where who stores has the key, too, and no help against who takes the whole directory.
const keyFile = "encryption.key"

// localKeys are the keys that encrypt on local disk: those of the configuration, else one that is made when there is
// nothing yet that another has encrypted. One that was made goes on decrypting when others are configured.
func localKeys(cfg *config.Config) (localbackend.Keys, error) {
	var keys localbackend.Keys
	e := &cfg.Proxy.Encryption
	for i := range e.Keys {
		b, err := e.Keys[i].Bytes()
		if err != nil {
			return keys, err
		}
		keys.Managed = append(keys.Managed, b)
	}
	for i := range e.KMS {
		b, err := e.KMS[i].Bytes()
		if err != nil {
			return keys, err
		}
		keys.KMS = append(keys.KMS, localbackend.KMSKey{ID: e.KMS[i].ID, Key: b})
	}
	path := filepath.Join(cfg.Proxy.DataDir, keyFile)
	made, err := madeKey(path)
	if err != nil {
		return keys, fmt.Errorf("key of local disk: %w", err)
	}
	if made != nil {
		keys.Managed = append(keys.Managed, made)
	}
	keys.Make = func() ([]byte, error) { return makeKey(path) }
	return keys, nil
}

// keyLost says what to do when objects are encrypted and the key is not there.
func keyLost(cfg *config.Config, err error) error {
	if !errors.Is(err, localbackend.ErrKeyLost) {
		return err
	}
	return fmt.Errorf("%w: put %s back, or name the keys in xronoxProxy.encryption.keys; with a new key there, what the lost one encrypted cannot be read",
		err, filepath.Join(cfg.Proxy.DataDir, keyFile))
}

// makeKey makes a key and keeps it.
func makeKey(path string) ([]byte, error) {
	b := make([]byte, localbackend.KeySize)
	_, _ = rand.Read(b) // never fails
	return b, renameio.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(b)+"\n"), 0o600)
}

// madeKey reads the key that was made; nil when there is none.
func madeKey(path string) ([]byte, error) {
	data, err := os.ReadFile(path) // the operator's own directory
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(data)))
	if err == nil && len(b) != localbackend.KeySize {
		err = fmt.Errorf("%d bytes", len(b))
	}
	if err != nil {
		// Never a new one: what the old one encrypted could not be read.
		return nil, fmt.Errorf("%s is not the key that was written: %w", path, err)
	}
	return b, nil
}

// customerKeys is over which connections keys of customers are taken.
func customerKeys(cfg *config.Config) s3api.CustomerKeys {
	switch cfg.Proxy.Encryption.CustomerKeys {
	case config.CustomerKeysTLS:
		return s3api.CustomerKeysTLS
	case config.CustomerKeysTrusted:
		return s3api.CustomerKeysTrusted
	}
	return s3api.CustomerKeysLocal
}
