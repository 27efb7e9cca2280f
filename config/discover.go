package config

import (
	"os"
	"path/filepath"
	"strings"
)

// fileNames are looked for in this order. The first two are v3.1.0's; the
// third is what later documents of the ecosystem call the file.
var fileNames = []string{"xronox.config.json", ".xronox.json", "xronox-config.json"}

// Discover finds the configuration file as Xronox does: in dir, then in the
// nearest directory from there upwards that holds a package.json (the root of
// the file system is not looked at). It returns the paths it looked at.
func Discover(dir string) (path string, searched []string, ok bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, false
	}
	dirs := []string{dir}
	for d := dir; filepath.Dir(d) != d; d = filepath.Dir(d) {
		if isFile(filepath.Join(d, "package.json")) {
			if d != dir {
				dirs = append(dirs, d)
			}
			break
		}
	}
	for _, d := range dirs {
		for _, name := range fileNames {
			p := filepath.Join(d, name)
			searched = append(searched, p)
			if isFile(p) {
				return p, searched, true
			}
		}
	}
	return "", searched, false
}

// NotFound is the error for a search without a find, in v3.1.0's words.
func NotFound(searched []string) error {
	return &InvalidError{Problems: Report{{
		Code: "XRONOX_CONFIG_NOT_FOUND", Severity: SeverityError,
		Message: "No Xronox configuration found. Searched paths: " + strings.Join(searched, ", ") +
			". Either provide config to initXronox(config) or create one of: " + strings.Join(fileNames[:2], ", "),
		Hint: "name the file with --config",
	}}}
}

// isFile reports whether something other than a directory is at path.
func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && !fi.IsDir()
}
