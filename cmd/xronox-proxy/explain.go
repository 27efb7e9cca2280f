package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/xronox/xronox-proxy/cache"
	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
)

// explained is what explain prints: where a key is, and what is known besides.
type explained struct {
	router.Explanation
	As      string          `json:"as,omitempty"`      // access key
	Allowed []router.Action `json:"allowed,omitempty"` // what its grants allow with the key
	Cache   string          `json:"cache"`             // of the route, in the server that runs
}

// explainCommand says where a key is, and why.
func explainCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "say where a key of a bucket is kept, and why", ArgsUsage: "BUCKET KEY",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "as", Usage: "`ACCESS_KEY` whose tenant asks; the default tenant otherwise"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 2 {
				return errors.New("explain wants BUCKET and KEY")
			}
			cfg, report, err := loadConfig(c)
			if err != nil {
				return failedLoad(c, report, err)
			}
			e, err := explain(ctx, cfg, question{c.String("as"), c.Args().Get(0), c.Args().Get(1)})
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printJSON(stdout, e)
			}
			return e.print(stdout)
		},
	}
}

// question is what explain is asked.
type question struct{ as, bucket, key string }

// explain asks the server that runs with the configuration, which knows the buckets that
// clients made and its cache; without one the configuration alone.
func explain(ctx context.Context, cfg *config.Config, q question) (*explained, error) {
	e, err := q.ask(ctx, cfg)
	if !errors.Is(err, errNoServer) {
		return e, err
	}
	m := mapped(cfg)
	if err := m.Report.Err(); err != nil {
		return nil, err
	}
	id, err := identityOf(cfg, q.as)
	if err != nil {
		return nil, err
	}
	r, ok := m.Bucket(id.TenantID, q.bucket)
	if !ok {
		return nil, fmt.Errorf("tenant %q has no bucket %q in the configuration, and no server runs that could know one that clients made", id.TenantID, q.bucket)
	}
	x, err := r.Explain(q.key)
	if err != nil {
		return nil, clientError(err)
	}
	x.Tenant = id.TenantID
	return q.answer(x, &id, "no server runs"), nil
}

// identityOf is who has an access key of the configuration; without one somebody of the default tenant.
func identityOf(cfg *config.Config, accessKey string) (router.Identity, error) {
	id := router.Identity{TenantID: router.DefaultTenant}
	if accessKey == "" {
		return id, nil
	}
	i := slices.IndexFunc(cfg.Proxy.Credentials, func(c config.Credential) bool { return c.AccessKey == accessKey })
	if i < 0 {
		return id, fmt.Errorf("no credential has the access key %q", accessKey)
	}
	id = credential(cfg.Proxy.Credentials[i]).Identity
	if id.TenantID == "" {
		id.TenantID = router.DefaultTenant
	}
	return id, nil
}

// answer completes an explanation.
func (q question) answer(x router.Explanation, id *router.Identity, cache string) *explained {
	e := &explained{Explanation: x, As: q.as, Cache: cache}
	for _, a := range []router.Action{router.Read, router.Write, router.Delete, router.List, router.Admin} {
		if q.as != "" && id.Allows(a, q.bucket, q.key) {
			e.Allowed = append(e.Allowed, a)
		}
	}
	return e
}

// errNoServer says that nobody answers at the admin address.
var errNoServer = errors.New("no server")

// ask asks the running server.
func (q question) ask(ctx context.Context, cfg *config.Config) (*explained, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	query := url.Values{"as": {q.as}, "bucket": {q.bucket}, "key": {q.key}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+dialable(cfg.Proxy.Admin)+"/explain?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // no proxy from the environment
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(strings.TrimSpace(string(body)))
	}
	e := &explained{}
	return e, json.Unmarshal(body, e)
}

// explainer answers /explain of the admin listener.
type explainer struct {
	router *router.Router
	routes *cache.Routes
	ids    *router.Identities
}

// ServeHTTP implements http.Handler.
func (x *explainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !local(r.Host) {
		http.Error(w, "ask by address: names can be pointed at anything", http.StatusForbidden)
		return
	}
	v := r.URL.Query()
	q := question{v.Get("as"), v.Get("bucket"), v.Get("key")}
	id := &router.Identity{TenantID: router.DefaultTenant}
	if q.as != "" {
		var ok bool
		if id, ok = x.ids.Identity(q.as); !ok {
			http.Error(w, fmt.Sprintf("no credential has the access key %q", q.as), http.StatusNotFound)
			return
		}
	}
	state := x.routes.State(id.TenantID, q.bucket)
	e, err := x.router.Explain(r.Context(), id.TenantID, q.bucket, q.key)
	if err != nil {
		http.Error(w, clientError(err).Error(), s3err.From(err).Status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = printJSON(w, q.answer(e, id, state))
}

// local reports whether a Host header is an address, or localhost: a page in an operator's browser
// whose name is made to lead here has another.
func local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// clientError is an S3 error in words.
func clientError(err error) error {
	e := s3err.From(err)
	return fmt.Errorf("%s: %s", e.Code, e.Message)
}

// print prints the explanation for people.
func (e *explained) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if strings.ContainsFunc(value, func(r rune) bool { return !strconv.IsPrint(r) }) {
			value = strconv.Quote(value) // a key from somewhere must not steer the terminal
		}
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, value)
		}
	}
	line("tenant", e.Tenant)
	line("bucket", e.Bucket)
	line("key", e.Key)
	line("rule", e.Rule)
	line("mount", e.Mount)
	line("backend", backendName(e.Connection))
	line("physical bucket", e.PhysicalBucket)
	line("physical key", e.PhysicalKey)
	if p := e.ReadThrough; p != nil {
		line("read through", backendName(p.Connection)+", "+p.PhysicalBucket+", "+p.PhysicalKey)
	}
	if e.StorageClass == "" {
		line("storage class", "the store's default")
	}
	line("storage class", e.StorageClass)
	line("KMS key", e.KMSKeyID)
	line("access", string(e.Access))
	if e.As != "" {
		allowed := "nothing"
		for i, a := range e.Allowed {
			if i == 0 {
				allowed = ""
			}
			allowed += " " + string(a)
		}
		line("allowed to "+e.As, strings.TrimSpace(allowed))
	}
	line("cache", e.Cache)
	return t.Flush()
}

// backendName names a connection for people.
func backendName(connection string) string {
	if connection == mapping.Local {
		return "local disk"
	}
	return connection
}

// printJSON prints a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
