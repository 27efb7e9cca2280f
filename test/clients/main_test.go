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
type endpoint struct {
	url, accessKey, secretKey string
	ca                        string // file that certifies an https server
	region                    string // that clients sign for; the server's when empty
}

// plain and secure are the server over HTTP and, behind TLS, over HTTPS. spread is
// another one, over HTTP, whose buckets have everything in between that there can
// be; it is not there when somebody named the server. They are set once, before
// any test runs.
var plain, secure, spread endpoint

// spreadConfig has the keys of every bucket be spread over four places, and all
// versions be kept.
const spreadConfig = `
databases: {}
xronoxProxy:
  bucketTemplate:
    mode: spread
    versioning: enabled
    places:
      - {bucket: one, prefix: "{tenantId}/{bucket}/"}
      - {bucket: two, prefix: "{tenantId}/{bucket}/"}
      - {bucket: three, prefix: "{tenantId}/{bucket}/"}
      - {bucket: four, prefix: "{tenantId}/{bucket}/"}
`

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
	dir, err := os.MkdirTemp("", "xronox-clients-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what stays is in the temporary directory

	if url := os.Getenv("XRONOX_TEST_ENDPOINT"); url != "" {
		plain = endpoint{
			url:       url,
			accessKey: os.Getenv("XRONOX_TEST_ACCESS_KEY"),
			secretKey: os.Getenv("XRONOX_TEST_SECRET_KEY"),
		}
		return runSecured(m, dir)
	}
	if err := dependOnSource("../.."); err != nil {
		return 1, err
	}
	return runServers(m, dir)
}

// runServers runs the tests against servers that it starts.
func runServers(m *testing.M, dir string) (code int, err error) {
	binary, err := buildServer(context.Background(), dir)
	if err != nil {
		return 1, err
	}
	for _, s := range []struct {
		at           *endpoint
		name, config string
	}{{&plain, "plain", ""}, {&spread, "spread", spreadConfig}} {
		started, startErr := startServer(context.Background(), binary, filepath.Join(dir, s.name), s.config)
		if startErr != nil {
			return 1, startErr
		}
		*s.at = started.endpoint
		defer func() { err = errors.Join(err, started.stop(), started.complaints(code != 0)) }()
	}
	return runSecured(m, dir)
}

// runSecured runs the tests with TLS in front of the server.
func runSecured(m *testing.M, dir string) (int, error) {
	s, closer, err := plain.secured(dir)
	if err != nil {
		return 1, err
	}
	defer closer.Close()
	secure = s
	return m.Run(), nil
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
