// Package conformance holds the built binary against the conformance client of another maker: every case of
// `versitygw test full-flow` with versioning, in front of each shape in which a bucket can be kept. The manifest says what
// is expected of every case on every shape, and why where that is not success; a run fails on whatever differs from it, for
// the worse or for the better. AWS's documentation is the judge: a case that asserts something else is recorded so.
//
// `make conformance` runs all of it, and `make conformance UPDATE=1` writes what it found into the manifest and into
// docs/conformance.md. A selection is part of `make test`.
package conformance
