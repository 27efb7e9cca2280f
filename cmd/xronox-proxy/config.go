package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
)

// loadConfig finds and reads the configuration, and puts flags and environment
// over it.
func loadConfig(c *cli.Command) (*config.Config, config.Report, error) {
	if err := emptyOption(c); err != nil {
		return nil, nil, err
	}
	path := c.String("config")
	if path == "" {
		path, _, _ = config.Discover(".")
	}
	cfg, report := config.Default(), config.Report(nil)
	if path != "" {
		var err error
		if cfg, report, err = config.Load(path, config.Options{Strict: c.Bool("strict")}); err != nil {
			return nil, report, err
		}
	}
	for _, o := range []struct {
		flag string
		to   *string
	}{
		{"listen", &cfg.Proxy.Listen},
		{"admin", &cfg.Proxy.Admin},
		{"data-dir", &cfg.Proxy.DataDir},
		{"log-format", &cfg.Proxy.Log.Format},
	} {
		if v := c.String(o.flag); v != "" {
			*o.to = v
		}
	}
	if f := cfg.Proxy.Log.Format; f != "json" && f != "text" {
		return nil, report, fmt.Errorf("log format %q: want json or text", f)
	}
	return cfg, report, nil
}

// emptyOption refuses an option without a value, which would otherwise count for
// nothing. An empty variable of the environment does: it is as good as none.
func emptyOption(c *cli.Command) error {
	for _, f := range flags() {
		f, text := f.(*cli.StringFlag)
		if !text || !c.IsSet(f.Name) || c.String(f.Name) != "" {
			continue
		}
		if v, set := os.LookupEnv(f.GetEnvVars()[0]); !set || v != "" {
			return fmt.Errorf("the option --%s is empty; give it a value, or leave it out", f.Name)
		}
	}
	return nil
}

// unlessReported is err, or errReported when report says what it says.
func unlessReported(report config.Report, err error) error {
	if report.Err() != nil {
		return errReported
	}
	return err
}

// mapped is what a configuration says of buckets. Templates of tenants use the variables of
// the environment that Xronox uses.
func mapped(cfg *config.Config) *mapping.Map {
	return mapping.Build(cfg, mapping.Options{
		Env:    os.Getenv("NODE_ENV"),
		Region: cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("S3_REGION")),
	})
}

// failedLoad prints what is wrong with a configuration, and returns what main is to say.
func failedLoad(c *cli.Command, report config.Report, err error) error {
	warn(c.Root().ErrWriter, report)
	return unlessReported(report, err)
}

// printReport prints what a check found; err is why the file cannot be used.
func printReport(w io.Writer, file string, asJSON bool, report config.Report, err error) error {
	if asJSON {
		if report == nil {
			report = config.Report{}
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if e := enc.Encode(report); e != nil {
			return e
		}
	} else {
		for _, p := range report {
			fmt.Fprintln(w, p)
		}
		if err == nil {
			fmt.Fprintf(w, "%s: ok\n", file)
		}
	}
	return unlessReported(report, err)
}

// schema prints the JSON Schema of the lenient form.
func schema(stdout io.Writer) cli.ActionFunc {
	return func(context.Context, *cli.Command) error {
		_, err := stdout.Write(config.Schema())
		return err
	}
}

// healthcheck asks the admin listener of a running server; a container without
// a shell can call it.
func healthcheck(ctx context.Context, c *cli.Command, stderr io.Writer) error {
	cfg, report, err := loadConfig(c)
	if err != nil {
		warn(stderr, report)
		return unlessReported(report, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+dialable(cfg.Proxy.Admin)+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // no proxy from the environment
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return nil
}

// warn prints what a configuration that is used leaves to be desired.
func warn(w io.Writer, report config.Report) {
	for _, p := range report {
		fmt.Fprintln(w, "xronox-proxy:", p)
	}
}

// makePrivate creates a directory that only its owner can enter.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}
