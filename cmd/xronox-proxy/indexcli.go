package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// rebuildCommand makes an index of storage.
func rebuildCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "rebuild", Usage: "make the rows that the index lacks of what is in storage", ArgsUsage: "[BUCKET]",
		Flags: []cli.Flag{asFlag(), jsonFlag(), fromFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			bucket, err := atMostBucket(c)
			if err != nil {
				return err
			}
			found, err := tell[any, upkeep.Rebuilt](ctx, c, stderr, job{Do: "rebuild", Bucket: bucket})
			if found == nil {
				return err
			}
			return errors.Join(err, found.print(stdout, c.Bool("json"), func(w io.Writer, found *told[any, upkeep.Rebuilt]) {
				for _, r := range found.Results {
					v := r.Result
					fmt.Fprintf(w, "%s: %d objects, %d versions made, %d known", r.Place, v.Objects, v.Versions, v.Known)
					if v.Pending > 0 {
						fmt.Fprintf(w, ", %d being written", v.Pending)
					}
					if v.Unmarked > 0 {
						fmt.Fprintf(w, ", %d objects say nothing of a version", v.Unmarked)
					}
					fmt.Fprintln(w)
				}
			}))
		},
	}
}

// importCommand takes objects from before into the index.
func importCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "take objects into the index that were there before versions, or were written past the proxy", ArgsUsage: "[BUCKET]",
		Flags: []cli.Flag{asFlag(), jsonFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			bucket, err := atMostBucket(c)
			if err != nil {
				return err
			}
			found, err := tell[any, upkeep.Imported](ctx, c, stderr, job{Do: "import", Bucket: bucket})
			if found == nil {
				return err
			}
			return errors.Join(err, found.print(stdout, c.Bool("json"), func(w io.Writer, found *told[any, upkeep.Imported]) {
				for _, r := range found.Results {
					fmt.Fprintf(w, "%s: %d objects imported\n", r.Place, r.Result.Adopted)
				}
			}))
		},
	}
}

// dumpCommand writes all that the index has to a file.
func dumpCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "dump", Usage: "write all that the index has to a file, which has secrets in it", ArgsUsage: "FILE",
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return errors.New("dump wants FILE")
			}
			cfg, report, err := loadConfig(c)
			if err != nil {
				return failedLoad(c, report, err)
			}
			return dumpTo(ctx, cfg, c.Args().First(), stdout, stderr)
		},
	}
}

// dumpTo writes a dump. The file is there when it is whole.
func dumpTo(ctx context.Context, cfg *config.Config, file string, stdout, stderr io.Writer) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // which only its owner can read
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	bar := newBar(stderr)
	defer bar.end()
	var bad error
	err = perform(ctx, cfg, job{Do: "dump"}, stderr, func(e event) {
		switch {
		case e.Progress != nil:
			bar.show(*e.Progress)
		case e.Item != nil:
			_, failed := w.Write(append(e.Item, '\n'))
			bad = errors.Join(bad, failed)
		}
	})
	if err = errors.Join(err, bad, w.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: all that the index has, with the keys that seal tokens: keep it as you keep secrets\n", file)
	return err
}
