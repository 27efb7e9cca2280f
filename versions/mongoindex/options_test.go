package mongoindex

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestOpenUnreachable: Open says in time where nobody answers, and what to look at.
func TestOpenUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	x, err := Open(t.Context(), Options{URI: "mongodb://root:secret@" + address + "/", SelectionTimeout: 200 * time.Millisecond})
	if err == nil || x != nil {
		t.Fatal("an index where nobody listens")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, want := range []string{address, "look whether it runs"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q; want %q in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error has the password: %q", err)
	}
}

// TestOptions: what cannot be used is an error that says so, without what is secret.
func TestOptions(t *testing.T) {
	t.Parallel()
	f := func(o Options, want string) {
		t.Helper()
		x, err := Open(t.Context(), o)
		if err == nil {
			t.Fatal(x.Close(), "it can be used")
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("the error is %q; want %q in it, and no secret", err, want)
		}
	}
	f(Options{}, "no scheme")
	f(Options{URI: "root:secret@host"}, "no scheme")
	f(Options{URI: "http://root:secret@host"}, "scheme")
	f(Options{URI: "mongodb://root:secret%zz@host/"}, "percent-encoded")
	f(Options{URI: "mongodb://root:se/cret@host/"}, "percent-encoded")
	f(Options{URI: "mongodb://root:secret@host:70000000/"}, "port")
	f(Options{URI: "mongodb://root:secret@/"}, "host")
	f(Options{URI: "mongodb://root:secret@host/?maxPoolSize=x"}, "maxPoolSize")
	f(Options{URI: "mongodb://host/?tlsCertificateKeyFile=/none&tlsCertificateKeyFilePassword=secret&w=%zz"}, "URI cannot be used")
	f(Options{URI: "mongodb://host/?readPreference=secondary"}, "readPreference")
	f(Options{URI: "mongodb://host/?w=0"}, "write concern 0")
	f(Options{URI: "mongodb://host/", WriteConcern: "0"}, "write concern 0")
}

// TestConcerns: majority unless somebody says otherwise, the options before the URI.
func TestConcerns(t *testing.T) {
	t.Parallel()
	f := func(o Options, read string, write any) {
		t.Helper()
		c, err := o.withDefaults().client()
		if err != nil {
			t.Fatal(err)
		}
		if c.ReadConcern.Level != read || c.WriteConcern.W != write {
			t.Errorf("%+v: %q and %v, want %q and %v", o, c.ReadConcern.Level, c.WriteConcern.W, read, write)
		}
	}
	f(Options{URI: "mongodb://host/"}, "majority", "majority")
	f(Options{URI: "mongodb://host/?w=2&readConcernLevel=local"}, "local", 2)
	f(Options{URI: "mongodb://host/?w=2&readConcernLevel=local", ReadConcern: "linearizable", WriteConcern: "3"}, "linearizable", 3)
	f(Options{URI: "mongodb://host/", WriteConcern: "twoRooms"}, "majority", "twoRooms")
}
