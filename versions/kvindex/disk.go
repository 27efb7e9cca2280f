package kvindex

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// makeDir makes dir and what is missing above it, and syncs the directories
// that name them: what Pebble syncs must not hang on a name that is not on disk.
func makeDir(fs vfs.FS, dir string) error {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for parent := fs.PathDir(dir); parent != dir; dir, parent = parent, fs.PathDir(parent) {
		d, err := fs.OpenDir(parent)
		if err != nil {
			break // One that we may not open is not one that we made.
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}

// logger hands Pebble's reports on.
type logger struct{ log *slog.Logger }

// Infof implements pebble.Logger; what Pebble finds worth telling is detail to us.
func (l logger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("index", slog.String("message", fmt.Sprintf(format, args...)))
	}
}

// Errorf implements pebble.Logger.
func (l logger) Errorf(format string, args ...any) {
	l.log.Error("index", slog.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf implements pebble.Logger. It is called when the log could not be
// written: what is on disk is unknown then, until the next Open reads it. So the
// process ends, in a panic that no handler recovers.
func (l logger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	go panic("kvindex: the index cannot be written: " + fmt.Sprintf(format, args...))
	select {}
}
