package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/mapping"
	"github.com/xronox/xronox-proxy/versions"
)

// An embedded index, and local disk, have one user at a time. So that what looks after versions can be done while a
// server runs, the server does it then: the command asks it at the admin address. Who may ask is who can read a
// file in the data directory, as the admin listener knows nobody.

// upkeepPath is where the server is asked, and tokenFile what it is asked with.
const (
	upkeepPath = "/upkeep"
	tokenFile  = "admin.token"
)

// serveUpkeep looks after versions as long as the app runs, and does what commands ask for.
func (a *app) serveUpkeep(ctx context.Context, cfg *config.Config, m *mapping.Map) error {
	secret := rand.Text()
	file := filepath.Join(cfg.Proxy.DataDir, tokenFile)
	if _, err := os.Stat(cfg.Proxy.DataDir); errors.Is(err, fs.ErrNotExist) {
		a.background(ctx, newKeeper(a, cfg, m).loop) // Nothing is kept on this machine that commands could not open.
		return nil
	}
	if err := writePrivate(file, []byte(secret+"\n")); err != nil {
		return fmt.Errorf("admin token: %w", err)
	}
	k := newKeeper(a, cfg, m)
	u := &upkeeper{keeper: k, secret: secret}
	a.admin.Handle("POST "+upkeepPath, u)
	a.background(ctx, k.loop)
	var cancel context.CancelFunc
	u.life, cancel = context.WithCancel(ctx)
	a.closers = append(a.closers, closerFunc(func() error {
		cancel()
		u.jobs.Wait()
		return nil
	}))
	return nil
}

// writePrivate writes a file that only its owner can read.
func writePrivate(file string, data []byte) error {
	_ = os.Remove(file) // one that is there may have other permissions
	return os.WriteFile(file, data, 0o600)
}

// background runs something until the app is closed.
func (a *app) background(ctx context.Context, run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	a.closers = append(a.closers, closerFunc(func() error {
		cancel()
		<-done
		return nil
	}))
}

// upkeeper does jobs for commands.
type upkeeper struct {
	keeper *keeper
	secret string
	life   context.Context // no job outlives it: nothing is open any more
	jobs   sync.WaitGroup
}

// ServeHTTP implements http.Handler. The answer is a line of JSON for each event; one with an error is the last.
func (u *upkeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(given), []byte(u.secret)) != 1 {
		http.Error(w, "show what is in "+tokenFile+" of the data directory", http.StatusForbidden)
		return
	}
	var j job
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&j); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	u.jobs.Add(1)
	defer u.jobs.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(u.life, cancel)()
	u.keeper.log.Info("upkeep", slog.String("job", j.Do), slog.String("bucket", j.Bucket))
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	emit := func(e event) {
		_ = enc.Encode(e) // Who is gone has ended the context.
		_ = http.NewResponseController(w).Flush()
	}
	end := event{Ended: true}
	if err := u.keeper.do(ctx, j, emit); err != nil {
		end.Error = err.Error()
	}
	emit(end)
}

// perform does a job: here, or by the server that has the data open.
func perform(ctx context.Context, cfg *config.Config, j job, stderr io.Writer, emit func(event)) error {
	m := mapped(cfg)
	if err := m.Report.Err(); err != nil {
		return err
	}
	if _, err := os.Stat(cfg.Proxy.DataDir); err != nil && cfg.Proxy.Index.Driver == config.DriverEmbedded {
		return fmt.Errorf("data directory: %w; say which with --data-dir or --config", err) // a mistake must not make one
	}
	a, err := open(ctx, cfg, m, quietLog(cfg, stderr))
	if err != nil {
		if asked := ask(ctx, cfg, j, emit); errors.Is(err, versions.ErrInUse) || !errors.Is(asked, errNoServer) {
			return asked
		}
		return err
	}
	defer a.close()
	return newKeeper(a, cfg, m).do(ctx, j, emit)
}

// quietLog is the log of a command: what it does it says itself.
func quietLog(cfg *config.Config, stderr io.Writer) *slog.Logger {
	return newLog(config.Log{Format: cfg.Proxy.Log.Format, Level: "warn"}, stderr)
}

// ask has the server do a job.
func ask(ctx context.Context, cfg *config.Config, j job, emit func(event)) error {
	secret, err := os.ReadFile(filepath.Join(cfg.Proxy.DataDir, tokenFile))
	if err != nil {
		return fmt.Errorf("%w that can be asked, and the data is in use: %w", errNoServer, err)
	}
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+dialable(cfg.Proxy.Admin)+upkeepPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(secret)))
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // no proxy from the environment
	if err != nil {
		return fmt.Errorf("%w answers at the admin address (see --admin), and the data is in use: %w", errNoServer, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("the server at %s: %s: %s", cfg.Proxy.Admin, resp.Status, strings.TrimSpace(string(text)))
	}
	for dec := json.NewDecoder(resp.Body); ; {
		var e event
		switch err := dec.Decode(&e); {
		case err != nil:
			return fmt.Errorf("the server broke off; what it did is done, and the command can be repeated: %w", err)
		case e.Error != "":
			return errors.New(e.Error)
		case e.Ended:
			return nil
		}
		emit(e)
	}
}
