package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/xronox/xronox-proxy/config"
)

// TestSecretNeverPrints, whatever prints it.
func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	c := config.Credential{AccessKey: "AKID", SecretKey: "hunter2"}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", c.SecretKey)
		fmt.Fprintf(&out, verb+"\n", &c)
	}
	b, err := json.Marshal(map[string]any{"c": c, "m": []config.Secret{c.SecretKey}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("c", c), slog.Any("s", c.SecretKey))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", slog.Any("c", c), slog.Any("s", c.SecretKey))
	for _, leak := range []string{"hunter2", "68756e74657232", "68756E74657232"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("leaks %q:\n%s", leak, out.String())
		}
	}
	if c.SecretKey.Reveal() != "hunter2" {
		t.Error("Reveal reveals")
	}
}

// TestMask is reference §1.1's rule, less its flaws.
func TestMask(t *testing.T) {
	t.Parallel()
	f := func(name, text, want string) {
		t.Helper()
		if got := config.Mask(name, text); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	f("secretKey", "12345678", "***")
	f("secretKey", "123456789", "1234...6789")
	f("accessKey", "AKIAIOSFODNN7EXAMPLE", "AKIA...MPLE")
	for _, name := range []string{"password", "dbPassword", "token", "API_KEY", "apikey", "credentials", "auth", "clientSecret"} {
		f(name, "abc", "***")
	}
	f("monkey", "abc", `"abc"`)
	f("authors", "abc", `"abc"`)
	f("mongoUri", "mongodb://user:pass@host/db", `"mongodb://user:***@host/db"`)
	f("mongoUri", "mongodb://user:p@s/s@host/db", `"mongodb://user:***@host/db"`)
	f("mongoUri", "mongodb://host/db", `"mongodb://host/db"`)
	f("bucket", strings.Repeat("x", 100), `"`+strings.Repeat("x", 80)+`..."`)
}

// TestDuration prints what it reads.
func TestDuration(t *testing.T) {
	t.Parallel()
	var d config.Duration
	if err := json.Unmarshal([]byte(`"1m30s"`), &d); err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(d); err != nil || string(b) != `"1m30s"` {
		t.Errorf("got %s, %v", b, err)
	}
	if json.Unmarshal([]byte(`"30"`), &d) == nil {
		t.Error("no unit")
	}
}
