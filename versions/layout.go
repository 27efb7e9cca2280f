package versions

import (
	"strconv"
	"strings"
)

// DefaultLeaf is what the current copy of a record is called.
const DefaultLeaf = "head.json"

// recordsType is the data type whose heads have versions by their side.
const recordsType = "records"

// Layout says where the bodies of versions are: keys within the versions mount, without its prefix.
//
// A key of records that ends in the leaf is a head, <collection>/<itemId>/head.json, and its bodies are
// <collection>/<itemId>/v<n>.json. Those of any other key are .<type>/<whole key>/v<n><ext>, where ext is
// the key's own, so that content types can be guessed. Those of a key that ends in a slash are .<type>.d/<whole
// key>v<n>: many stores have no keys with two slashes side by side. The forms never meet: a head
// whose key begins with a dot has the second, and the name of a type has no dot. No two objects share a body.
type Layout struct {
	Leaf string // of heads, with an extension of .json; DefaultLeaf when empty
}

// headExt is what bodies of heads end in.
const headExt = ".json"

// leaf is what heads end in.
func (l Layout) leaf() string {
	if l.Leaf == "" {
		return "/" + DefaultLeaf
	}
	return "/" + l.Leaf
}

// Body returns the key of the body number n of an object, whose key within its data type is key; dataType is
// a segment of a path. Of a delete marker, whose n is negative, it is d<-n> in place of v<n>: an empty
// object, for who has nothing but the storage.
func (l Layout) Body(dataType, key string, n int64) string {
	v := "/v" + strconv.FormatInt(n, 10)
	if n < 0 {
		v = "/d" + strconv.FormatUint(-uint64(n), 10)
	}
	if stem, ok := strings.CutSuffix(key, l.leaf()); ok && dataType == recordsType && plain(stem) {
		return stem + v + headExt
	}
	if strings.HasSuffix(key, "/") {
		return "." + dataType + directories + key + v[1:]
	}
	return "." + dataType + "/" + key + v + extension(key)
}

// directories is behind the type in bodies of keys that end in a slash.
const directories = ".d/"

// Prefixes are what the keys begin with of bodies of objects whose keys begin with prefix. Other
// objects' bodies may begin with them too.
func (l Layout) Prefixes(dataType, prefix string) []string {
	all := []string{"." + dataType + "/" + prefix, "." + dataType + directories + prefix}
	if dataType != recordsType || prefix != "" && !plain(prefix) {
		return all
	}
	head := prefix
	if dir, name, ok := cutLast(prefix, '/'); ok && strings.HasPrefix(l.leaf(), "/"+name) {
		head = dir + "/" // The name may be that of the head, which is not the body's.
	}
	return append(all, head)
}

// Parse is the inverse of Body; false for a key that is not a body's.
func (l Layout) Parse(body string) (dataType, key string, n int64, ok bool) {
	dir, name, ok := cutLast(body, '/')
	if !ok {
		return "", "", 0, false
	}
	number, ext := name, ""
	if i := strings.IndexByte(name, '.'); i >= 0 {
		number, ext = name[:i], name[i:]
	}
	if n, ok = parseNumber(number); !ok {
		return "", "", 0, false
	}
	if plain(dir) {
		return recordsType, dir + l.leaf(), n, ext == headExt
	}
	dataType, key, ok = strings.Cut(strings.TrimPrefix(dir, "."), "/")
	if t, isDirectory := strings.CutSuffix(dataType, directories[:len(directories)-1]); isDirectory {
		dataType, key = t, key+"/"
	}
	// What Body would not have written is not a body: somebody else's object, or the first form's.
	return dataType, key, n, ok && l.Body(dataType, key, n) == body
}

// plain reports whether a directory is one of the first form.
func plain(dir string) bool {
	return dir != "" && dir[0] != '.' && dir[0] != '/'
}

// parseNumber reads v<n>, or the d<-n> of a delete marker.
func parseNumber(s string) (int64, bool) {
	digits, version := strings.CutPrefix(s, "v")
	marker := false
	if !version {
		digits, marker = strings.CutPrefix(s, "d")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	ok := (version || marker) && err == nil && n >= 0 && strconv.FormatInt(n, 10) == digits
	if marker {
		return -n, ok && n > 0
	}
	return n, ok
}

// maxExtension is how long an extension is that says what a file is, with its dot.
const maxExtension = 12

// extension is the last extension of a key, with its dot: letters and digits. Empty when it has none.
func extension(key string) string {
	_, name, ok := cutLast(key, '/')
	if !ok {
		name = key
	}
	stem, ext, ok := cutLast(name, '.')
	if !ok || stem == "" || ext == "" || len(ext) >= maxExtension {
		return ""
	}
	for _, c := range []byte(ext) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return ""
		}
	}
	return "." + ext
}

// cutLast cuts s around the last separator.
func cutLast(s string, separator byte) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, separator); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
