package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xronox/xronox-proxy/config"
)

// TestEnvTokens is the environment part of reference §1.1.
func TestEnvTokens(t *testing.T) {
	t.Parallel()
	e := env("FOO", "value", "EMPTY", "", "A_1", "x")
	// f reads a configuration whose secret is token.
	f := func(token, want string) {
		t.Helper()
		for _, strict := range []bool{true, false} {
			cfg, _, err := config.Parse([]byte(edit(t, set(connection+"secretKey", token))), "", config.Options{Strict: strict, Env: e})
			if err != nil {
				t.Errorf("%s: %v", token, err)
			} else if got := cfg.Xronox.SpacesConnections["s"].SecretKey.Reveal(); got != want {
				t.Errorf("%s: got %q, want %q", token, got, want)
			}
		}
	}
	f("ENV.FOO", "value")
	f("ENV.A_1", "x")
	for _, literal := range []string{"x-ENV.FOO", "ENV.foo", "ENV.FOO ", "ENV.", "ENV.FOO||default", "ENV::FOO"} {
		f(literal, literal)
	}
	// A token cannot be a name, nor anything but a text.
	if _, _, err := config.Parse([]byte(edit(t, set("collectionMaps", `json:{"ENV.NOPE":{"indexedProps":[]}}`))), "", config.Options{Strict: true, Env: e}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{connection + "forcePathStyle: Expected boolean, received string"}, strictlyWith(edit(t, set(connection+"forcePathStyle", "ENV.FOO")), e)); diff != "" {
		t.Error(diff)
	}
}

// strictlyWith is strictly with an environment.
func strictlyWith(text string, e func(string) (string, bool)) []string {
	_, report, _ := config.Parse([]byte(text), "", config.Options{Strict: true, Env: e})
	return lines(report)
}

// TestEnvMissing holds the message of v3.1.0, and that the lenient reader
// tells of every token where v3.1.0 stops at the first.
func TestEnvMissing(t *testing.T) {
	t.Parallel()
	text := `{"xronox":{"dbConnections":{"m":{"mongoUri":"ENV.URI"}}},"other":[1,{"x":["ENV.EMPTY"]}]}`
	e := env("EMPTY", "")
	says := func(name, in, at string) string {
		return "Environment variable '" + name + "' is required but not set" + in + ". Referenced at JSON path: " + at +
			". Please set " + name + " in your environment before starting the application."
	}
	f := func(name string, strict bool, want ...string) {
		t.Helper()
		cfg, report, err := config.Parse([]byte(text), name, config.Options{Strict: strict, Env: e})
		if cfg != nil || err == nil {
			t.Fatal("no error")
		}
		var got []string
		for _, p := range report {
			if p.Code != "XRONOX_ENV_VAR_MISSING" {
				t.Errorf("code %q", p.Code)
			}
			got = append(got, p.Message)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if strict && err.Error() != want[0] {
			t.Errorf("got %v", err)
		}
	}
	first, second := "$.xronox.dbConnections.m.mongoUri", "$.other[1].x[0]"
	f("", true, says("URI", "", first))
	f("/etc/x.json", true, says("URI", " in file '/etc/x.json'", first))
	f("/etc/x.json", false, says("URI", " in file '/etc/x.json'", first), says("EMPTY", " in file '/etc/x.json'", second))
}

// TestNearTokens: what looks like a token and is none gets a warning.
func TestNearTokens(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"ENV.foo", "ENV.FOO||default", "ENV::FOO"} {
		_, report, err := config.Parse([]byte(edit(t, set("dbConnections.m.mongoUri", token))), "", config.Options{Env: env()})
		if err != nil || len(report) == 0 || report[0].Path != "dbConnections.m.mongoUri" || report[0].Severity != config.SeverityWarning {
			t.Errorf("%s: %v, %v", token, report, err)
		}
	}
}

// TestFileErrors is the rest of the table in reference §1.1.
func TestFileErrors(t *testing.T) {
	t.Parallel()
	f := func(text, name string, strict bool, code, message string) {
		t.Helper()
		_, report, err := config.Parse([]byte(text), name, config.Options{Strict: strict})
		if err == nil {
			t.Errorf("%q: no error", text)
			return
		}
		p := report.Errors()[0]
		if p.Code != code || !strings.HasPrefix(p.Message, message) || err.Error() != p.Message {
			t.Errorf("%q: got %s, %s", text, p.Code, err)
		}
	}
	const parse, structure = "XRONOX_CONFIG_PARSE_ERROR", "XRONOX_CONFIG_STRUCTURE_ERROR"
	for _, strict := range []bool{true, false} {
		f(`{"a":}`, "/c.json", strict, parse, "Failed to parse Xronox configuration file at '/c.json': ")
		f(`{"a":1} x`, "/c.json", strict, parse, "Failed to parse Xronox configuration file at '/c.json': ")
		for _, scalar := range []string{"1", `"text"`, "null", "true"} {
			f(scalar, "/c.json", strict, structure, "Invalid Xronox configuration file structure at '/c.json': Config file must be a JSON object")
		}
	}
	f("\ufeff{}", "/c.json", true, parse, "Failed to parse Xronox configuration file at '/c.json': ")
	f("{}//", "/c.json", false, parse, "Failed to parse Xronox configuration file at '/c.json': ")
	f("a: 1", "/c.yaml", true, parse, "Failed to parse Xronox configuration file at '/c.yaml': ")
	f("[]", "/c.json", false, structure, "Invalid Xronox configuration file structure at '/c.json': ")
	if _, report, err := config.Parse([]byte("\ufeff{}"), "/c.json", config.Options{}); err != nil || len(report) != 1 {
		t.Errorf("a byte order mark is a warning: %v, %v", report, err)
	}
}

// TestWrapped: members of the file beat those of "xronox".
func TestWrapped(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		for _, strict := range []bool{true, false} {
			cfg, _, err := config.Parse([]byte(text), "", config.Options{Strict: strict})
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if got := cfg.Xronox.DBConnections["m"].MongoURI.Reveal(); got != want {
				t.Errorf("%s: got %q", text, got)
			}
		}
	}
	const usual = "mongodb://localhost:27017"
	rest := strings.TrimPrefix(minimal, "{")
	f(`{"xronox":`+minimal+`}`, usual)
	f(`{"xronox":`+minimal+`,"dbConnections":{"m":{"mongoUri":"top"}}}`, "top")
	f(`{"dbConnections":{"m":{"mongoUri":"top"}},"xronox":`+minimal+`}`, "top")
	for _, falsy := range []string{"null", "false", "0", `""`, "1", "[]", `"x"`} {
		f(`{"xronox":`+falsy+`,`+rest, usual)
	}
	cfg, _, err := config.Parse([]byte(`{"xronox":{"xronoxProxy":{"region":"eu"}},"other":{}}`), "", config.Options{})
	if err != nil || cfg.Proxy.Region != "eu" {
		t.Errorf("inside of the wrapper: %v", err)
	}
}
