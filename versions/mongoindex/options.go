package mongoindex

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// Options say which database the index is, and how it is asked.
type Options struct {
	URI      string // mongodb:// or mongodb+srv://; what it says of pools and timeouts yields to the fields below
	Database string // "xronox" when empty
	AppName  string // in the server's logs; "xronox-proxy" when empty

	MaxPoolSize uint64 // connections to each server; 100 when 0
	MinPoolSize uint64 // that are kept open

	ConnectTimeout   time.Duration // of a connection; 5 s when 0
	SelectionTimeout time.Duration // until calls fail when there is no primary, and then they fail at once; 5 s when 0
	CallTimeout      time.Duration // of each call, all its commands together; 10 s when 0
	OpenTimeout      time.Duration // of Open; 20 s when 0

	// ReadConcern and WriteConcern are what MongoDB calls so: "majority" when empty, also in the URI. The index
	// keeps its promises with that: less loses, at the loss of a primary, what was promised.
	ReadConcern, WriteConcern string

	Log *slog.Logger // of servers that are lost and found; silent when nil

	monitor *event.CommandMonitor // of tests, which count
	watcher *watcher
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	text := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	duration := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	text(&o.Database, "xronox")
	text(&o.AppName, "xronox-proxy")
	duration(&o.ConnectTimeout, 5*time.Second)
	duration(&o.SelectionTimeout, 5*time.Second)
	duration(&o.CallTimeout, 10*time.Second)
	duration(&o.OpenTimeout, 20*time.Second)
	if o.MaxPoolSize == 0 {
		o.MaxPoolSize = 100
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.watcher = newWatcher(o.Log)
	return o
}

// client returns what the driver is told.
func (o Options) client() (*options.ClientOptions, error) {
	c := options.Client().ApplyURI(o.URI)
	if err := c.Validate(); err != nil {
		return nil, uriError(o.URI)
	}
	if c.ReadPreference != nil && c.ReadPreference.Mode() != readpref.PrimaryMode {
		return nil, errors.New("mongoindex: the URI has a readPreference: only the primary knows what was written last; leave it out")
	}
	c.SetAppName(o.AppName).SetReadPreference(readpref.Primary())
	c.SetMaxPoolSize(o.MaxPoolSize).SetMinPoolSize(o.MinPoolSize)
	c.SetConnectTimeout(o.ConnectTimeout).SetServerSelectionTimeout(o.SelectionTimeout).SetTimeout(o.CallTimeout)
	c.SetMonitor(o.monitor).SetServerMonitor(o.watcher.monitor())
	if o.ReadConcern != "" || c.ReadConcern == nil {
		c.SetReadConcern(&readconcern.ReadConcern{Level: or(o.ReadConcern, "majority")})
	}
	if o.WriteConcern != "" || c.WriteConcern == nil {
		c.SetWriteConcern(writeConcern(or(o.WriteConcern, "majority")))
	}
	if !c.WriteConcern.Acknowledged() {
		return nil, errors.New("mongoindex: the write concern 0 asks for no answers, and every insert needs one; leave it out, or set majority")
	}
	return c, nil
}

// or returns s, or value when s is empty.
func or(s, value string) string {
	if s == "" {
		return value
	}
	return s
}

// writeConcern reads "majority", a number of servers, or the name of one that the operator defined.
func writeConcern(s string) *writeconcern.WriteConcern {
	if n, err := strconv.Atoi(s); err == nil {
		return &writeconcern.WriteConcern{W: n}
	}
	return &writeconcern.WriteConcern{W: s}
}

// uriError says what is wrong with a URI, and nothing that is secret in it: not what the driver says of the
// URI, but what it says when there is nothing secret in it.
func uriError(uri string) error {
	const hint = "it is like mongodb://user:password@host:27017/?replicaSet=rs0"
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return errors.New("mongoindex: the URI has no scheme: " + hint)
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "user:password@" + rest[i+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	shown := scheme + "://" + rest
	if values, err := url.ParseQuery(query); err == nil && query != "" {
		for name := range values {
			if name := strings.ToLower(name); strings.Contains(name, "password") || strings.Contains(name, "properties") {
				return fmt.Errorf("mongoindex: the URI cannot be used; see its %s, and whether every value is percent-encoded: %s", name, hint)
			}
		}
		shown += "?" + query
	}
	if err := options.Client().ApplyURI(shown).Validate(); err != nil {
		return fmt.Errorf("mongoindex: the URI cannot be used: %w", err)
	}
	return errors.New("mongoindex: the URI cannot be used: user and password must be percent-encoded: " + hint)
}

// Open connects to the database, and makes what is missing of its collections and indexes; any number of proxies
// may do so at once. It fails when the server does not answer in time. A server that goes away later is
// found again when it is back.
func Open(ctx context.Context, o Options) (*Index, error) {
	o = o.withDefaults()
	settings, err := o.client()
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("mongoindex: %w", err)
	}
	x := &Index{client: client, timeout: o.CallTimeout, patience: o.SelectionTimeout, watcher: o.watcher, log: o.Log}
	x.use(client.Database(o.Database))
	ctx, cancel := context.WithTimeout(ctx, o.OpenTimeout)
	defer cancel()
	if err := client.Ping(ctx, nil); err != nil {
		err = fmt.Errorf("mongoindex: no primary at %s answers; look whether it runs, whether it can be reached from here, "+
			"and the user, the password and replicaSet in the URI: %w", strings.Join(settings.Hosts, ", "), err)
		return nil, errors.Join(err, x.Close())
	}
	if err := x.makeIndexes(ctx); err != nil {
		err = fmt.Errorf("mongoindex: the indexes of the database %q cannot be made; the user needs the role readWrite on it: %w", o.Database, err)
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}
