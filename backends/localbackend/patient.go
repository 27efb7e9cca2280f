package localbackend

import (
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// patientFS is a file system on which writing waits while the disk is full.
// It is for Pebble, which cannot go on after its log or manifest failed.
// Failed syncs are not repeated: what they lost cannot be known.
type patientFS struct {
	vfs.FS
	space *space
}

// patiently repeats op as long as the disk is full.
func (s *space) patiently(op func() error) error {
	err := op()
	for full(err) {
		s.wait()
		err = op()
	}
	return err
}

// open makes the file that open returns patient.
func (p patientFS) open(open func() (vfs.File, error)) (vfs.File, error) {
	var f vfs.File
	err := p.space.patiently(func() (err error) { f, err = open(); return err })
	if err != nil {
		return nil, err
	}
	return patientFile{f, p.space}, nil
}

// Create implements vfs.FS.
func (p patientFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.Create(name, c) })
}

// OpenReadWrite implements vfs.FS.
func (p patientFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.OpenReadWrite(name, c, opts...) })
}

// ReuseForWrite implements vfs.FS.
func (p patientFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.ReuseForWrite(oldname, newname, c) })
}

// Link implements vfs.FS.
func (p patientFS) Link(oldname, newname string) error {
	return p.space.patiently(func() error { return p.FS.Link(oldname, newname) })
}

// Rename implements vfs.FS.
func (p patientFS) Rename(oldname, newname string) error {
	return p.space.patiently(func() error { return p.FS.Rename(oldname, newname) })
}

// MkdirAll implements vfs.FS.
func (p patientFS) MkdirAll(dir string, perm os.FileMode) error {
	return p.space.patiently(func() error { return p.FS.MkdirAll(dir, perm) })
}

// Unwrap implements vfs.FS.
func (p patientFS) Unwrap() vfs.FS { return p.FS }

// patientFile is a file of a patientFS.
type patientFile struct {
	vfs.File
	space *space
}

// Write implements vfs.File. A part that was written is not written again.
func (f patientFile) Write(b []byte) (n int, err error) {
	err = f.space.patiently(func() error {
		m, err := f.File.Write(b[n:])
		n += m
		return err
	})
	return n, err
}

// WriteAt implements vfs.File.
func (f patientFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.space.patiently(func() error {
		m, err := f.File.WriteAt(b[n:], off+int64(n))
		n += m
		return err
	})
	return n, err
}
