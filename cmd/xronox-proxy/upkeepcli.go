package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// indexCommand looks after the index of versions.
func indexCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "index", Usage: "look after the index of versions, while the server runs or not",
		Commands: []*cli.Command{
			verifyCommand(stdout, stderr), rebuildCommand(stdout, stderr), importCommand(stdout, stderr), retentionCommand(stdout, stderr),
			dumpCommand(stdout, stderr), loadCommand(stdout, stderr), migrateCommand(stdout, stderr), reopenCommand(stdout, stderr),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return fmt.Errorf("unknown command %q; see xronox-proxy index --help", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// The options that several commands have.
func asFlag() cli.Flag {
	return &cli.StringFlag{Name: "as", Usage: "`ACCESS_KEY` whose tenant the bucket is of; the default tenant otherwise"}
}

func fromFlag() cli.Flag {
	return &cli.StringFlag{Name: "from", Usage: "go on at the `POSITION` that the same command printed when it was broken off"}
}
func jsonFlag() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "print JSON"} }
func dryFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "change nothing, and say what would be changed"}
}

// atMostBucket is the bucket of a command that is about one, or about all.
func atMostBucket(c *cli.Command) (string, error) {
	if c.Args().Len() > 1 {
		return "", fmt.Errorf("%s wants at most a BUCKET, and got %q", c.Name, c.Args().Get(1))
	}
	return c.Args().First(), nil
}

// verifyCommand compares index and storage.
func verifyCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "compare the index with the storage; exit 1 when they differ", ArgsUsage: "[BUCKET]",
		Flags: []cli.Flag{asFlag(), jsonFlag(), fromFlag(), &cli.BoolFlag{Name: "repair", Usage: "repair what can be repaired without losing anything"}},
		Action: func(ctx context.Context, c *cli.Command) error {
			bucket, err := atMostBucket(c)
			if err != nil {
				return err
			}
			found, err := tell[upkeep.Problem, upkeep.Verified](ctx, c, stderr, job{Do: "verify", Bucket: bucket, Repair: c.Bool("repair")})
			if found == nil {
				return err
			}
			slices.SortStableFunc(found.Items, func(a, b upkeep.Problem) int {
				return cmp.Or(strings.Compare(a.Place, b.Place), strings.Compare(a.Key, b.Key))
			})
			if e := found.print(stdout, c.Bool("json"), printProblems); e != nil || err != nil {
				return errors.Join(err, e)
			}
			for _, r := range found.Results {
				if r.Result.Problems > r.Result.Repaired {
					return errReported
				}
			}
			return nil
		},
	}
}

// printProblems prints what verify found.
func printProblems(w io.Writer, found *told[upkeep.Problem, upkeep.Verified]) {
	for _, p := range found.Items {
		note := ""
		switch {
		case p.Repaired:
			note = "repaired"
		case p.Error != "":
			note = "not repaired: " + p.Error
		}
		row(w, p.Problem, p.Place, p.Key, p.VersionID, p.Body, note)
	}
	for _, r := range found.Results {
		v := r.Result
		pending := ""
		if v.Pending > 0 {
			pending = fmt.Sprintf(", %d being written", v.Pending)
		}
		repaired := ""
		if v.Repaired > 0 {
			repaired = fmt.Sprintf(", %d repaired", v.Repaired)
		}
		fmt.Fprintf(w, "%s: %d objects, %d versions, %d bodies%s: %d problems%s\n", r.Place, v.Objects, v.Versions, v.Bodies, pending, v.Problems, repaired)
	}
	if len(found.Results) == 0 {
		fmt.Fprintln(w, "no bucket keeps versions")
	}
}

// retentionCommand applies the rules of retention.
func retentionCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "retention", Usage: "list the versions that the rules of retention do not keep; remove them when the configuration says enforce",
		ArgsUsage: "[BUCKET]", Flags: []cli.Flag{asFlag(), jsonFlag(), dryFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			bucket, err := atMostBucket(c)
			if err != nil {
				return err
			}
			found, err := tell[expired, upkeep.Retained](ctx, c, stderr, job{Do: "retention", Bucket: bucket, DryRun: c.Bool("dry-run")})
			if found == nil {
				return err
			}
			slices.SortStableFunc(found.Items, func(a, b expired) int {
				return cmp.Or(strings.Compare(a.Place, b.Place), strings.Compare(a.Key, b.Key))
			})
			return errors.Join(err, found.print(stdout, c.Bool("json"), printExpired))
		},
	}
}

// printExpired prints what retention found.
func printExpired(w io.Writer, found *told[expired, upkeep.Retained]) {
	for _, x := range found.Items {
		removed := ""
		if x.Removed {
			removed = "removed"
		}
		row(w, x.Place, x.Key, x.VersionID, stamp(x.Time), bytesText(x.Size), removed)
	}
	for _, r := range found.Results {
		fmt.Fprintf(w, "%s: %d versions (%s) beyond the rules, %d removed\n", r.Place, r.Result.Beyond, bytesText(r.Result.Bytes), r.Result.Removed)
	}
}

// historyCommand tells what happened to an object.
func historyCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "history", Usage: "say who did what to an object, and when", ArgsUsage: "BUCKET KEY", Flags: []cli.Flag{asFlag(), jsonFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 2 {
				return errors.New("history wants BUCKET and KEY")
			}
			found, err := tell[upkeep.Event, any](ctx, c, stderr, job{Do: "history", Bucket: c.Args().Get(0), Key: c.Args().Get(1)})
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printJSON(stdout, found.Items)
			}
			return table(stdout, func(w io.Writer) {
				row(w, "TIME", "CHANGE", "VERSION", "SIZE", "OPERATION", "ACCESS KEY", "USER", "TENANT", "NOW")
				for _, e := range found.Items {
					row(w, stamp(e.Time), e.Kind, e.VersionID, strconv.FormatInt(e.Size, 10), dash(e.Operation), dash(e.AccessKey), dash(e.UserID), dash(e.TenantID), e.State)
				}
			})
		},
	}
}

// restoreCommand brings a prefix back to what it was.
func restoreCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: "bring a bucket, or a prefix of it, back to what it was, as new versions", ArgsUsage: "BUCKET[/PREFIX]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "as-of", Usage: "`TIME`, such as 2026-11-23T10:15:00Z; without a zone it is UTC"},
			dryFlag(), asFlag(), jsonFlag(),
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return errors.New("restore wants BUCKET or BUCKET/PREFIX")
			}
			at, err := parseTime(c.String("as-of"))
			if err != nil {
				return err
			}
			bucket, prefix, _ := strings.Cut(c.Args().First(), "/")
			found, err := tell[upkeep.Change, upkeep.Restored](ctx, c, stderr, job{Do: "restore", Bucket: bucket, Prefix: prefix, At: at, DryRun: c.Bool("dry-run")})
			if found == nil {
				return err
			}
			slices.SortStableFunc(found.Items, func(a, b upkeep.Change) int { return strings.Compare(a.Key, b.Key) })
			err = errors.Join(err, found.print(stdout, c.Bool("json"), func(w io.Writer, found *told[upkeep.Change, upkeep.Restored]) {
				printRestored(w, found, c.Bool("dry-run"))
			}))
			for _, r := range found.Results {
				if err == nil && r.Result.Failed > 0 {
					return fmt.Errorf("%s: %d objects could not be restored; run it again", r.Place, r.Result.Failed)
				}
			}
			return err
		},
	}
}

// printRestored prints what a restore did.
func printRestored(w io.Writer, found *told[upkeep.Change, upkeep.Restored], dryRun bool) {
	for _, x := range found.Items {
		note := ""
		if x.Error != "" {
			note = "failed: " + x.Error
		}
		size := ""
		if x.Change == upkeep.PutBack {
			size = bytesText(x.Size)
		}
		row(w, x.Change, x.Key, x.VersionID, size, note)
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	for _, r := range found.Results {
		v := r.Result
		fmt.Fprintf(w, "%s: %s%d put back (%s), %s%d deleted, %d as they were\n", r.Place, would, v.PutBack, bytesText(v.Bytes), would, v.Deleted, v.Same)
	}
}

// timeLayouts are how a time may be written.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02", "20060102T150405Z"}

// parseTime reads a time of the past.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, errors.New("restore wants --as-of TIME, such as 2026-11-23T10:15:00Z")
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			if t.After(time.Now()) {
				return t, fmt.Errorf("--as-of %s is in the future", s)
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--as-of %q is no time; write it such as 2026-11-23T10:15:00Z", s)
}

// told is what a job told.
type told[Item, Result any] struct {
	Items   []Item           `json:"items"`
	Results []placed[Result] `json:"results"`
}

// placed is what came of a place.
type placed[Result any] struct {
	Place  string `json:"place"`
	Result Result `json:"result"`
}

// tell does a job and collects what it tells; nil when it did not begin. Progress is shown meanwhile.
func tell[Item, Result any](ctx context.Context, c *cli.Command, stderr io.Writer, j job) (*told[Item, Result], error) {
	cfg, report, err := loadConfig(c)
	if err != nil {
		return nil, failedLoad(c, report, err)
	}
	j.As = c.String("as")
	if from := c.String("from"); from != "" {
		if j.From, err = upkeep.ParsePosition(from); err != nil {
			return nil, err
		}
	}
	out := &told[Item, Result]{Items: []Item{}, Results: []placed[Result]{}}
	bar := newBar(stderr)
	defer bar.end()
	var bad error
	reached := j.From
	err = perform(ctx, cfg, j, stderr, func(e event) {
		switch {
		case e.Progress != nil:
			bar.show(*e.Progress)
			reached = e.Progress.Position
		case e.Item != nil:
			var x Item
			bad = errors.Join(bad, json.Unmarshal(e.Item, &x))
			out.Items = append(out.Items, x)
		case e.Result != nil:
			var x placed[Result]
			bad = errors.Join(bad, json.Unmarshal(e.Result, &x))
			out.Results = append(out.Results, x)
		}
	})
	if err != nil && reached != (upkeep.Position{}) {
		err = fmt.Errorf("%w\nto go on where this was broken off, repeat the command with --from %s", err, reached)
	}
	if err != nil && len(out.Items)+len(out.Results) == 0 {
		return nil, err
	}
	return out, errors.Join(err, bad)
}

// print prints what a job told.
func (t *told[Item, Result]) print(w io.Writer, asJSON bool, text func(io.Writer, *told[Item, Result])) error {
	if asJSON {
		return printJSON(w, t)
	}
	return table(w, func(w io.Writer) { text(w, t) })
}

// table prints in columns.
func table(w io.Writer, rows func(io.Writer)) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows(t)
	return t.Flush()
}

// row prints a row of a table. What comes from a key must not steer the terminal.
func row(w io.Writer, cells ...string) {
	for i, s := range cells {
		if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
			cells[i] = strconv.Quote(s)
		}
	}
	fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

// stamp is a time to the millisecond, as --as-of takes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// bytesText is a size for people.
func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, units := float64(n), "KMGTPE"
	for size /= unit; size >= unit && len(units) > 1; size /= unit {
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", size, units[0])
}

// bar shows progress: on a terminal a line that changes, else a line now and then.
type bar struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	shown    time.Time
	last     upkeep.Progress
	width    int // of the line that is shown
}

// newBar returns a bar on standard error.
func newBar(w io.Writer) *bar {
	b := &bar{w: w, every: 10 * time.Second, shown: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" {
			b.terminal, b.every = true, 100*time.Millisecond
		}
	}
	return b
}

// barWidth is how wide a bar is.
const barWidth = 30

// show shows how far something is. Elsewhere than on a terminal the end of each step is shown too.
func (b *bar) show(p upkeep.Progress) {
	if !b.terminal && b.last.Step != "" && (p.Step != b.last.Step || p.Place != b.last.Place) {
		fmt.Fprintln(b.w, b.line(b.last))
		b.shown = time.Now()
	}
	b.last = p
	if time.Since(b.shown) < b.every {
		return
	}
	b.shown = time.Now()
	if !b.terminal {
		fmt.Fprintln(b.w, b.line(p))
		return
	}
	line := b.line(p)
	fmt.Fprintf(b.w, "\r%-*s", b.width, line)
	b.width = len(line)
}

// line is the line that shows how far something is.
func (b *bar) line(p upkeep.Progress) string {
	line := fmt.Sprintf("%s: %s %d", p.Place, p.Step, p.Done)
	if p.Total <= 0 {
		return line
	}
	line += fmt.Sprintf("/%d", p.Total)
	if b.terminal {
		full := int(min(p.Done, p.Total) * barWidth / p.Total)
		line += " [" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + "]"
	}
	return line
}

// end shows the end of the last step, or removes the line.
func (b *bar) end() {
	switch {
	case b.terminal:
		fmt.Fprintf(b.w, "\r%*s\r", b.width, "")
	case b.last.Step != "":
		fmt.Fprintln(b.w, b.line(b.last))
	}
}
