package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/backends/s3backend"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// checkCommand validates a configuration and says everything that is wrong.
func checkCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "validate a configuration file", ArgsUsage: "FILE",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print the problems as a JSON array; with --probe an object of problems and connections"},
			&cli.BoolFlag{Name: "probe", Usage: "ask the connections to S3 what they can do, with small objects that are removed again, and look for their buckets"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return fmt.Errorf("check wants one FILE")
			}
			file := c.Args().First()
			cfg, report, err := config.Load(file, config.Options{Strict: c.Bool("strict")})
			if err != nil {
				return printReport(stdout, file, c.Bool("json"), report, err)
			}
			m := mapped(cfg)
			report = append(report, m.Report...)
			if !c.Bool("probe") || report.Err() != nil {
				return printReport(stdout, file, c.Bool("json"), report, report.Err())
			}
			return printProbe(stdout, c.Bool("json"), report, probeAll(ctx, cfg, m))
		},
	}
}

// probed is what a probe found out of a connection.
type probed struct {
	Connection     string                  `json:"connection"`
	Error          string                  `json:"error,omitempty"` // why it could not be asked
	Configured     string                  `json:"configured"`      // how a server takes its abilities to be
	Capabilities   *s3backend.Capabilities `json:"capabilities,omitempty"`
	MissingBuckets []string                `json:"missingBuckets,omitempty"`
	WillBeMade     bool                    `json:"willBeMade,omitempty"` // by createBuckets
	Unmet          []string                `json:"unmet,omitempty"`      // what the configuration wants and the service cannot do
}

// bad reports whether a server with this configuration could not do all it should.
func (p *probed) bad() bool {
	return p.Error != "" || len(p.MissingBuckets) > 0 && !p.WillBeMade || len(p.Unmet) > 0
}

// probeTimeout bounds what a connection may take.
const probeTimeout = 2 * time.Minute

// probeAll asks every connection to S3 that is used.
func probeAll(ctx context.Context, cfg *config.Config, m *mapping.Map) []probed {
	a := &app{log: slog.New(slog.DiscardHandler)}
	defer a.close()
	all := []probed{}
	for _, name := range slices.Sorted(maps.Keys(m.Stores)) {
		if name == mapping.Local || name == mapping.LocalStorage {
			continue
		}
		p := probed{Connection: name, Configured: string(cfg.Proxy.Connections[name].Capabilities), WillBeMade: cfg.Proxy.CreateBuckets}
		if p.Configured == "" {
			p.Configured = "by host"
		}
		if err := p.ask(ctx, a, cfg, m); err != nil {
			p.Error = err.Error()
		}
		all = append(all, p)
	}
	return all
}

// ask asks the connection.
func (p *probed) ask(ctx context.Context, a *app, cfg *config.Config, m *mapping.Map) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	b, err := a.openS3(cfg, m, p.Connection)
	if err != nil {
		return err
	}
	if err := b.Ping(ctx); err != nil {
		return err
	}
	for _, bucket := range m.PhysicalBuckets(p.Connection) {
		_, err := b.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
		if s3err.Is(err, s3err.NoSuchBucket) {
			p.MissingBuckets = append(p.MissingBuckets, bucket)
		}
	}
	if at, ok := m.PlaceAt(p.Connection); ok && slices.Contains(p.MissingBuckets, at.Bucket) {
		return nil // There is no place to try anything in.
	}
	used := b.Capabilities()
	c, err := probe(ctx, b, m)
	if err != nil {
		return err
	}
	p.Capabilities = &c
	if p.Configured == string(config.CapabilitiesProbe) {
		used = c
	}
	p.Unmet = unmet(m, p.Connection, used, c)
	return nil
}

// unmet are the policies that a connection cannot carry out: used is what a server takes it to
// be able to do, found what it can.
func unmet(m *mapping.Map, connection string, used, found s3backend.Capabilities) []string {
	var all []string
	add := func(format string, args ...any) {
		if s := fmt.Sprintf(format, args...); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for i := range m.Buckets {
		for _, mount := range m.Buckets[i].Mounts {
			switch p := mount.Policy; {
			case mount.Backend != connection:
			case p.Access == router.AppendOnly && !used.PutIfAbsent && found.PutIfAbsent:
				add("dataTypes.%s.access: appendOnly needs conditional writes, which the service has and is not trusted with: set capabilities to probe", mount.ID)
			case p.Access == router.AppendOnly && !used.PutIfAbsent:
				add("dataTypes.%s.access: appendOnly needs conditional writes, which the service does not have", mount.ID)
			case p.StorageClass != "" && p.StorageClass != "STANDARD" && !found.StorageClasses:
				add("dataTypes.%s.storageClass: the service does not keep %s", mount.ID, p.StorageClass)
			}
		}
	}
	return all
}

// printProbe prints what a check with a probe found; it fails when a connection cannot be asked.
func printProbe(w io.Writer, asJSON bool, report config.Report, all []probed) error {
	if asJSON {
		if report == nil {
			report = config.Report{}
		}
		if err := printJSON(w, map[string]any{"problems": report, "connections": all}); err != nil {
			return err
		}
	} else {
		for _, p := range report {
			fmt.Fprintln(w, p)
		}
		for i := range all {
			all[i].print(w)
		}
	}
	for i := range all {
		if all[i].bad() {
			return errReported
		}
	}
	return nil
}

// print prints it for people: what a service cannot do, and what to do about it.
func (p *probed) print(w io.Writer) {
	fmt.Fprintf(w, "connection %s (capabilities %s)\n", p.Connection, p.Configured)
	for _, bucket := range p.MissingBuckets {
		what := "make it, or let createBuckets do it"
		if p.WillBeMade {
			what = "createBuckets will make it"
		}
		fmt.Fprintf(w, "    bucket %s is missing: %s\n", bucket, what)
	}
	if p.Error != "" {
		fmt.Fprintf(w, "    cannot be asked: %s\n", p.Error)
		return
	}
	if p.Capabilities == nil {
		fmt.Fprintf(w, "    not probed: the bucket to try it in is missing\n")
		return
	}
	for _, problem := range p.Unmet {
		fmt.Fprintf(w, "    %s\n", problem)
	}
	can, cannot := p.abilities()
	fmt.Fprintf(w, "    can     %s\n    cannot  %s\n", words(can), words(cannot))
	if p.Configured == "by host" || p.Configured == "cautious" {
		fmt.Fprintf(w, "    a server uses that with xronoxProxy.connections.%s.capabilities: probe\n", p.Connection)
	}
}

// abilities are the names of what the service can do, and of what it cannot.
func (p *probed) abilities() (can, cannot []string) {
	v := reflect.ValueOf(*p.Capabilities)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("json")
		if v.Field(i).Bool() {
			can = append(can, name)
		} else {
			cannot = append(cannot, name)
		}
	}
	return can, cannot
}

// words are names in a line; a dash when there are none.
func words(names []string) string { return dash(strings.Join(names, " ")) }
