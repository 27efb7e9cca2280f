// Command xronox-proxy is an S3 endpoint whose buckets are virtual. Without a
// configuration it stores objects on local disk.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/urfave/cli/v3"
)

// version is set by the linker in releases.
var version = ""

// errReported is a failure that the user has been told of already.
var errReported = errors.New("already reported")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	if err == nil {
		return
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "xronox-proxy:", err)
	}
	os.Exit(1)
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cmd := &cli.Command{
		Name:      "xronox-proxy",
		Usage:     "an S3 endpoint whose buckets are virtual",
		UsageText: "xronox-proxy [serve] [options]\nxronox-proxy COMMAND",
		Version:   versionText(),
		Flags:     flags(),
		Action:    func(ctx context.Context, c *cli.Command) error { return noArgs(c, serve(ctx, c, stdout, stderr)) },
		Writer:    stdout,
		ErrWriter: stderr,
		Commands: []*cli.Command{
			{Name: "serve", Usage: "serve S3 (the default)", Action: func(ctx context.Context, c *cli.Command) error {
				return noArgs(c, serve(ctx, c, stdout, stderr))
			}},
			checkCommand(stdout),
			explainCommand(stdout),
			planCommand(stdout),
			indexCommand(stdout, stderr),
			historyCommand(stdout, stderr),
			restoreCommand(stdout, stderr),
			{Name: "schema", Usage: "print the JSON Schema of the configuration", Action: alone(schema(stdout))},
			{Name: "healthcheck", Usage: "exit 0 when the server of the same configuration is ready", Action: alone(func(ctx context.Context, c *cli.Command) error {
				return healthcheck(ctx, c, stderr)
			})},
			{Name: "version", Usage: "print the version", Action: alone(func(context.Context, *cli.Command) error {
				_, err := fmt.Fprintln(stdout, versionText())
				return err
			})},
		},
		OnUsageError:   usageError,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // main exits
	}
	for _, sub := range cmd.Commands {
		sub.OnUsageError = usageError
		for _, sub := range sub.Commands {
			sub.OnUsageError = usageError
		}
	}
	return cmd.Run(ctx, args)
}

// usageError is what is said of options that there are not. The library would
// print all of the help besides.
func usageError(_ context.Context, _ *cli.Command, err error, _ bool) error {
	return fmt.Errorf("%w; see xronox-proxy --help", err)
}

// alone is a command that refuses arguments.
func alone(action cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		if c.Args().Present() {
			return fmt.Errorf("%s takes no arguments, and got %q", c.Name, c.Args().First())
		}
		return action(ctx, c)
	}
}

// noArgs returns a step that refuses arguments where none are meant: a typing
// mistake in a command's name must not start a server.
func noArgs(c *cli.Command, step func() error) error {
	if c.Args().Present() {
		return fmt.Errorf("unknown command %q; see xronox-proxy --help", c.Args().First())
	}
	return step()
}

// flags are the options of the server; their names are part of the interface.
func flags() []cli.Flag {
	text := func(name, env, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Sources: cli.EnvVars(env), DefaultText: value, Usage: usage}
	}
	return []cli.Flag{
		text("config", "XRONOX_CONFIG", "xronox.config.json when there is one", "configuration `FILE`, JSON or YAML"),
		&cli.BoolFlag{Name: "strict", Sources: cli.EnvVars("XRONOX_STRICT"), Usage: "accept exactly the configurations that Xronox v3.1.0 accepts"},
		text("listen", "XRONOX_LISTEN", "127.0.0.1:9000", "`ADDR` of the S3 endpoint"),
		text("admin", "XRONOX_ADMIN", "127.0.0.1:9001", "`ADDR` of health checks and metrics"),
		text("data-dir", "XRONOX_DATA_DIR", "./xronox-data", "`DIR` of local objects, the index and the root credential"),
		text("log-format", "XRONOX_LOG_FORMAT", "text", "`FORMAT` of the log on standard error: json or text"),
	}
}

// versionText is the version the linker set, else the one of the module.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
