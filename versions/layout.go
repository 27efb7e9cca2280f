package versions

import (
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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
// key>v<n>: many stores have no keys with two slashes side by side.
//
// A key of more than 512 bytes, of whatever form, has bodies at .<type>.h/<first>/<hash>/v<n><ext>: first is
// what it begins with, up to 512 bytes, and hash the SHA-256 of all of it, in base 32. So bodies have keys of
// little more than 600 bytes, and an object may have the longest that there is. What is behind first is
// not in the body's key but in its metadata. Where that begins does not depend on the prefixes of
// places, so that these can be moved.
//
// The forms never meet: a head whose key begins with a dot has the second, and the name of a type has no
// dot. No two objects share a body.
type Layout struct {
	Leaf string // of heads, with an extension of .json; DefaultLeaf when empty
}

// maxWhole is how long a key is at the most that is in those of its bodies.
const maxWhole = 512

// Long reports whether the bodies of a key have only the beginning of it in theirs.
func Long(key string) bool { return len(key) > maxWhole }

// Rest is what the keys of bodies do not have of a key; empty when they have the whole.
func Rest(key string) string {
	if !Long(key) {
		return ""
	}
	return key[len(first(key)):]
}

// first is what the keys of bodies have of a long key: whole characters, and no slashes and dots at the end, since
// another slash follows, and many stores have no keys with segments that are empty or all dots.
func first(key string) string {
	return beginning(key, maxWhole)
}

// beginning is first of up to n bytes.
func beginning(key string, n int) string {
	if n >= len(key) {
		return strings.TrimRight(key, cutOff)
	}
	for n > 0 && !utf8.RuneStart(key[n]) {
		n--
	}
	return strings.TrimRight(key[:n], cutOff)
}

// cutOff is what the first part of a long key does not end in.
const cutOff = "/."

// hashes are in lower-case letters and digits.
var hashes = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// hash stands for a long key.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hashes.EncodeToString(sum[:])
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
	if Long(key) {
		return "." + dataType + hashed + first(key) + "/" + hash(key) + v + extension(key)
	}
	if stem, ok := strings.CutSuffix(key, l.leaf()); ok && dataType == recordsType && plain(stem) {
		return stem + v + headExt
	}
	if strings.HasSuffix(key, "/") {
		return "." + dataType + directories + key + v[1:]
	}
	return "." + dataType + "/" + key + v + extension(key)
}

// What is behind the type in bodies of keys that end in a slash, and of long keys.
const (
	directories = ".d/"
	hashed      = ".h/"
)

// Prefixes are what the keys begin with of bodies of objects whose keys begin with prefix. Other
// objects' bodies may begin with them too. None of them begins with another.
func (l Layout) Prefixes(dataType, prefix string) []string {
	// Whatever follows the prefix in a key, the first part of that has this much of it, the last character may be broken.
	all := []string{"." + dataType + hashed + beginning(prefix, maxWhole-utf8.UTFMax+1)}
	if Long(prefix) {
		return all
	}
	all = append(all, "."+dataType+"/"+prefix, "."+dataType+directories+prefix)
	if dataType != recordsType || prefix != "" && !plain(prefix) {
		return all
	}
	head := prefix
	if dir, name, ok := cutLast(prefix, '/'); ok && strings.HasPrefix(l.leaf(), "/"+name) {
		head = dir + "/" // The name may be that of the head, which is not the body's.
	}
	all = slices.DeleteFunc(all, func(p string) bool { return strings.HasPrefix(p, head) })
	return append(all, head)
}

// Parse is the inverse of Body; false for a key that is not a body's, and for those of long keys.
func (l Layout) Parse(body string) (dataType, key string, n int64, ok bool) {
	dir, ext, n, ok := cutNumber(body)
	if !ok {
		return "", "", 0, false
	}
	if plain(dir) {
		key = dir + l.leaf()
		return recordsType, key, n, ext == headExt && !Long(key)
	}
	dataType, key, ok = strings.Cut(strings.TrimPrefix(dir, "."), "/")
	if t, isDirectory := strings.CutSuffix(dataType, directories[:len(directories)-1]); isDirectory {
		dataType, key = t, key+"/"
	}
	// What Body would not have written is not a body: somebody else's object, or the first form's.
	ok = ok && !strings.Contains(dataType, ".") && l.Body(dataType, key, n) == body
	return dataType, key, n, ok
}

// ParseLong returns what the key of a body has of a long key; false for a key that is not that of such a body. Whether
// it is one of an object, Number says.
func (l Layout) ParseLong(body string) (dataType, first string, ok bool) {
	dir, _, _, ok := cutNumber(body)
	if !ok {
		return "", "", false
	}
	dir, sum, _ := cutLast(dir, '/')
	dataType, first, ok = strings.Cut(strings.TrimPrefix(dir, "."), hashed)
	ok = ok && "."+dataType+hashed+first == dir && !strings.ContainsAny(dataType, "./")
	raw, err := hashes.DecodeString(sum)
	return dataType, first, ok && err == nil && len(raw) == sha256.Size
}

// Number returns the number of a body that is one of an object.
func (l Layout) Number(dataType, key, body string) (n int64, ok bool) {
	_, _, n, ok = cutNumber(body)
	return n, ok && l.Body(dataType, key, n) == body
}

// cutNumber cuts the key of a body into the directory, the number and the extension.
func cutNumber(body string) (dir, ext string, n int64, ok bool) {
	dir, name, ok := cutLast(body, '/')
	if !ok {
		return "", "", 0, false
	}
	if i := strings.IndexByte(name, '.'); i >= 0 {
		name, ext = name[:i], name[i:]
	}
	n, ok = parseNumber(name)
	return dir, ext, n, ok
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
