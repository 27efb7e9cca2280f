package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
)

// planCommand says what would move between two configurations.
func planCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "say which buckets and keys would move from one configuration to another", ArgsUsage: "OLD NEW",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print all steps as a JSON array, also where nothing moves"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() != 2 {
				return errors.New("plan wants the configurations OLD and NEW")
			}
			var maps [2]*mapping.Map
			for i := range maps {
				cfg, report, err := config.Load(c.Args().Get(i), config.Options{Strict: c.Bool("strict")})
				if err == nil {
					maps[i] = mapped(cfg)
					report, err = maps[i].Report, maps[i].Report.Err()
				}
				if err != nil {
					return fmt.Errorf("%s: %w", c.Args().Get(i), failedLoad(c, report, err))
				}
			}
			steps := mapping.Plan(maps[0], maps[1])
			if c.Bool("json") {
				return printJSON(stdout, append([]mapping.Step{}, steps...))
			}
			return printPlan(stdout, steps)
		},
	}
}

// printPlan prints what does not stay where it is, and how much does.
func printPlan(w io.Writer, steps []mapping.Step) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	stays := 0
	for _, s := range steps {
		note := ""
		switch {
		case s.Change == mapping.Stays:
			stays++
			continue
		case s.Change == mapping.Moves && s.ReadThrough:
			note = "\twhat is there is read through"
		case s.Change == mapping.Moves:
			note = "\twhat is there must be copied"
		}
		fmt.Fprintf(t, "%s\t%s/%s\t%s\t%s\t->\t%s%s\n", s.Change, s.Tenant, s.Bucket, s.Keys, dash(s.From), dash(s.To), note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d stay where they are\n", stays, len(steps))
	return err
}

// dash stands for nothing.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
