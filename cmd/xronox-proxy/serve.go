package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
)

// serve returns the step that runs the server until ctx ends.
func serve(ctx context.Context, c *cli.Command, stdout, stderr io.Writer) func() error {
	return func() error {
		cfg, report, err := loadConfig(c)
		var m *mapping.Map
		if err == nil {
			m = mapped(cfg)
			report, err = append(report, m.Report...), m.Report.Err()
		}
		if err != nil {
			return failedLoad(c, report, err)
		}
		warn(stderr, report)
		a, err := build(ctx, cfg, m, newLog(cfg.Proxy.Log, stderr))
		if err != nil {
			return err
		}
		defer a.close()
		return a.run(ctx, cfg, stdout)
	}
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

// run listens and serves until ctx ends, then lets requests in flight finish.
func (a *app) run(ctx context.Context, cfg *config.Config, stdout io.Writer) error {
	s3, err := net.Listen("tcp", cfg.Proxy.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	admin, err := net.Listen("tcp", cfg.Proxy.Admin)
	if err != nil {
		_ = s3.Close()
		return fmt.Errorf("admin: %w", err)
	}
	adminServer := &http.Server{Handler: a.admin, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- a.server.Serve(s3) }()
	go func() { failed <- adminServer.Serve(admin) }()
	a.admin.SetReady(true)
	a.log.Info("listening", slog.String("s3", s3.Addr().String()),
		slog.String("admin", admin.Addr().String()), slog.String("version", versionText()))
	if a.root.created {
		printWelcome(stdout, s3.Addr(), a.root, cfg.Proxy)
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
