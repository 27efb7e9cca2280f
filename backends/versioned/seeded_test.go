package versioned_test

import (
	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/faultbackend"
	"github.com/xronox/xronox-proxy/backends/versioned"
	"github.com/xronox/xronox-proxy/versions"
)

// seededBug is what is wrong on purpose with a run. What is nil is right.
type seededBug struct {
	store   func(*world, faultbackend.Store) faultbackend.Store
	index   func(w *world, x versions.Index, proxy int) versions.Index
	options func(*world, *versioned.Options)
	bucket  func(backends.Backend) backends.Backend
}
