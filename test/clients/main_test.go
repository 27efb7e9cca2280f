package clients

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endpoint is the server under test and the credential for it.
type endpoint struct{ url, accessKey, secretKey string }

// proxy is set once, before any test runs.
var proxy endpoint

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts the server, if none was named, runs the tests and stops it.
func run(m *testing.M) (code int, err error) {
	if url := os.Getenv("XRONOX_TEST_ENDPOINT"); url != "" {
		proxy = endpoint{url, os.Getenv("XRONOX_TEST_ACCESS_KEY"), os.Getenv("XRONOX_TEST_SECRET_KEY")}
		return m.Run(), nil
	}
	if err := dependOnSource("../.."); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "xronox-clients-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what stays is in the temporary directory

	s, err := startServer(context.Background(), dir)
	if err != nil {
		return 1, err
	}
	proxy = s.endpoint
	code = m.Run()
	return code, errors.Join(s.stop(), s.complaints(code != 0))
}

// dependOnSource looks at every directory of the module, so that go test does
// not answer from its cache when the source of the binary, which it does not
// know to be part of this test, has changed.
func dependOnSource(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
}
