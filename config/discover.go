package config

import (
	"os"
	"path/filepath"
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

// isFile reports whether something other than a directory is at path.
func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && !fi.IsDir()
}
