package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/versions"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// loadCommand puts a dump into the index.
func loadCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "load", Usage: "put what was dumped into an index that is empty, or has some of it already; servers that share it wait meanwhile", ArgsUsage: "FILE",
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return errors.New("load wants FILE")
			}
			cfg, report, err := loadConfig(c)
			if err != nil {
				return failedLoad(c, report, err)
			}
			f, err := os.Open(c.Args().First())
			if err != nil {
				return err
			}
			defer f.Close()
			a := &app{log: quietLog(cfg, stderr)}
			defer a.close()
			x, err := a.openIndex(ctx, cfg)
			if err != nil {
				return hinted(err, cfg.Proxy)
			}
			bar := newBar(stderr)
			out, err := target(x, cfg).Fill(ctx, func() (upkeep.Copied, error) {
				return upkeep.Load(ctx, x, bufio.NewReader(f), bar.show)
			}, bar.show)
			bar.end()
			if err != nil {
				return err
			}
			return printCopied(stdout, "loaded", out)
		},
	}
}

// migrateCommand copies an index into another.
func migrateCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "migrate", ArgsUsage: "NEW",
		Usage: "copy the index into the empty one of another configuration, embedded or in MongoDB; servers only read meanwhile, and are to use NEW then",
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return errors.New("migrate wants the configuration NEW, whose index is to have what the one in use has")
			}
			cfg, report, err := loadConfig(c)
			if err != nil {
				return failedLoad(c, report, err)
			}
			to, report, err := config.Load(c.Args().First(), config.Options{Strict: c.Bool("strict")})
			if err != nil {
				return fmt.Errorf("%s: %w", c.Args().First(), failedLoad(c, report, err))
			}
			out, err := migrate(ctx, cfg, to, stderr)
			if err != nil {
				return hinted(err, cfg.Proxy)
			}
			return printCopied(stdout, "migrated", out)
		},
	}
}

// migrate copies the index of one configuration into that of another.
func migrate(ctx context.Context, from, to *config.Config, stderr io.Writer) (out upkeep.Copied, err error) {
	log := quietLog(from, stderr)
	m := mapped(from)
	if err := m.Report.Err(); err != nil {
		return out, err
	}
	first := &app{log: log}
	defer first.close()
	source, err := first.openIndex(ctx, from)
	if err != nil {
		return out, err
	}
	last, err := versions.LastNotice(ctx, source)
	if err != nil {
		return out, err
	}
	var a *app
	if last.Reads() == nil { // What is wrong with the configuration shows before anybody has to wait.
		if a, err = openOn(ctx, source, from, m, log); err != nil {
			return out, err
		}
		defer a.close()
	}
	other := &app{log: log}
	defer other.close()
	x, err := other.openIndex(ctx, to)
	if errors.Is(err, versions.ErrInUse) {
		return out, fmt.Errorf("the index to migrate to: %w", err)
	}
	if err != nil {
		return out, err
	}
	bar := newBar(stderr)
	defer bar.end()
	return upkeep.Migration{
		From: target(source, from), To: target(x, to), Progress: bar.show,
		Contents: func(ctx context.Context) (upkeep.Contents, error) {
			c, err := newKeeper(a, from, m).contents(ctx)
			if err != nil {
				return c, err
			}
			// Servers of the old index go on for a while as they know buckets without versions. Who gives one its first versions
			// in the new index waits for them, too.
			said, err := router.Announced(ctx, source)
			c.Values = slices.Concat(c.Values, said)
			return c, err
		},
	}.Run(ctx)
}

// target is the index of a configuration for who fills it.
func target(x versions.Index, cfg *config.Config) upkeep.Target {
	t := upkeep.Target{Index: x, Sign: tokenKeys}
	switch i := cfg.Proxy.Index; i.Driver {
	case config.DriverMongo:
		t.Name, t.Wait = fmt.Sprintf("the database %q of dbConnections.%s", i.DBName, i.DBConnRef), versions.NoticedAfter
	default:
		dir, _ := filepath.Abs(indexDir(cfg)) // who reads it may be elsewhere
		t.Name = "the index in " + dir
	}
	return t
}

// reopenCommand gives up a migration.
func reopenCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "reopen", Usage: "go on with an index whose migration was broken off, and that is not to be gone on with",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "moved", Usage: "also when the migration ended; what was written to the new index since is missing then"}},
		Action: alone(func(ctx context.Context, c *cli.Command) error {
			cfg, report, err := loadConfig(c)
			if err != nil {
				return failedLoad(c, report, err)
			}
			a := &app{log: quietLog(cfg, stderr)}
			defer a.close()
			x, err := a.openIndex(ctx, cfg)
			if err != nil {
				return hinted(err, cfg.Proxy)
			}
			if err := upkeep.Reopen(ctx, x, c.Bool("moved")); err != nil {
				return err
			}
			_, err = fmt.Fprintf(stdout, "%s is open\n", target(x, cfg).Name)
			return err
		}),
	}
}

// printCopied prints how much there was.
func printCopied(w io.Writer, what string, c upkeep.Copied) error {
	_, err := fmt.Fprintf(w, "%s: %d values, %d buckets, %d settings, %d tombstones, %d slots, %d rows\n",
		what, c.Values, c.Buckets, c.Settings, c.Tombstones, c.Slots, c.Rows)
	return err
}
