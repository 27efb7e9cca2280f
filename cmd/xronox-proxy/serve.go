package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/versions"
)

// serve returns the step that runs the server until ctx ends.
func serve(ctx context.Context, c *cli.Command, stdout, stderr io.Writer) func() error {
	return func() error {
		cfg, report, err := loadConfig(c)
		var m *mapping.Map
		if err == nil {
			m = mapped(cfg)
			report = append(report, m.Report...)
			err = report.Err()
		}
		warn(stderr, report)
		if err != nil {
			return unlessReported(report, err)
		}
		// Before anything is written: a start that fails must not make a root
		// credential that nobody gets to see.
		on, err := listen(cfg.Proxy)
		if err != nil {
			return err
		}
		a, err := build(ctx, cfg, m, newLog(cfg.Proxy.Log, stderr))
		if err != nil {
			on.close()
			return hinted(err, cfg.Proxy)
		}
		defer a.close()
		return a.run(ctx, cfg, on, stdout)
	}
}

// hinted is err of build, with what to do about it.
func hinted(err error, p config.Proxy) error {
	if errors.Is(err, versions.ErrInUse) {
		return fmt.Errorf("another xronox-proxy uses the data directory %s; stop it, or choose another with --data-dir or XRONOX_DATA_DIR (%w)", p.DataDir, err)
	}
	return err
}

// listeners are what a server listens on.
type listeners struct{ s3, admin net.Listener }

// close ends both, when no server has taken them.
func (l listeners) close() {
	_ = l.s3.Close()
	_ = l.admin.Close()
}

// listen opens both addresses, or none.
func listen(p config.Proxy) (l listeners, err error) {
	open := func(addr, option, env string) (net.Listener, error) {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("%w; choose another HOST:PORT with --%s or %s", err, option, env)
		}
		return ln, nil
	}
	if l.s3, err = open(p.Listen, "listen", "XRONOX_LISTEN"); err != nil {
		return l, err
	}
	if l.admin, err = open(p.Admin, "admin", "XRONOX_ADMIN"); err != nil {
		_ = l.s3.Close()
	}
	return l, err
}

// newLog is the log on standard error.
func newLog(l config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // the configuration was checked
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// run serves until ctx ends, then lets requests in flight finish.
func (a *app) run(ctx context.Context, cfg *config.Config, on listeners, stdout io.Writer) (err error) {
	adminServer := &http.Server{Handler: a.admin, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- a.server.Serve(on.s3) }()
	go func() { failed <- adminServer.Serve(on.admin) }()
	a.admin.SetReady(true)
	a.log.Info("listening", slog.String("s3", on.s3.Addr().String()),
		slog.String("admin", on.admin.Addr().String()), slog.String("version", versionText()))
	if a.root.file != "" {
		file, _ := filepath.Abs(a.root.file) // who reads logs may be elsewhere
		a.log.Info("root credential", slog.String("accessKey", a.root.AccessKey), slog.String("file", file))
	}
	if a.root.created {
		printWelcome(stdout, on.s3.Addr(), a.root, cfg.Proxy)
	}

	select {
	case err = <-failed:
	case <-ctx.Done():
		a.log.Info("shutting down", slog.String("timeout", cfg.Proxy.Limits.ShutdownTimeout.String()))
	}
	a.admin.SetReady(false)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Proxy.Limits.ShutdownTimeout.Duration)
	defer cancel()
	if e := a.server.Shutdown(ctx); e != nil {
		a.log.Warn("requests were cut off", slog.Any("cause", e))
	}
	_ = adminServer.Shutdown(ctx)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// printWelcome prints, once, the root credential and three lines that work.
func printWelcome(w io.Writer, addr net.Addr, root rootCredential, p config.Proxy) {
	fmt.Fprintf(w, `
S3 endpoint http://%[1]s, data in %[4]s. The root credential was made just now and is
kept in %[4]s/%[5]s; it is not printed again. Paste into a terminal:

  export AWS_ENDPOINT_URL=http://%[1]s AWS_DEFAULT_REGION=%[6]s AWS_ACCESS_KEY_ID=%[2]s AWS_SECRET_ACCESS_KEY=%[3]s
  aws s3 mb s3://demo; echo hello | aws s3 cp - s3://demo/hello.txt
  aws s3 ls s3://demo; aws s3 cp s3://demo/hello.txt -

`, dialable(addr.String()), root.AccessKey, root.SecretKey, p.DataDir, rootFile, p.Region)
}

// dialable turns an address that is listened on into one to connect to.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
