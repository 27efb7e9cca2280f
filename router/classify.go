package router

import "strings"

// Class is the kind of data that the shape of a key tells of.
type Class string

// The classes: CR-001's data types, and what is none of them. ClassRecords has no shape
// of its own: Xronox v3.1.0 wrote every state of a record as a version.
const (
	ClassRecords  Class = "records"
	ClassVersions Class = "versions"
	ClassContent  Class = "content"
	ClassBackups  Class = "backups"
	ClassOther    Class = "other"
)

// Classes returns all classes.
func Classes() []Class {
	return []Class{ClassRecords, ClassVersions, ClassContent, ClassBackups, ClassOther}
}

// Classify tells the class of a key that Xronox v3.1.0, or any earlier one, wrote:
//
//	<collection>/<id>/v<n>/item.json                           versions
//	<collection>/<property>/<id>/v<n>/blob.bin, …/text.txt     content
//	__manifests__/<collection>/<year>/<month>/snapshot-<n>.json.gz  backups
//
// A collection may have slashes in it, an id is 24 hexadecimal digits. A key always
// has the same class: where an object is must not depend on what else there is.
func Classify(key string) Class {
	dir, leaf := cutLast(key)
	switch leaf {
	case "item.json":
		if collection, ok := cutVersion(dir); ok && isCollection(collection) {
			return ClassVersions
		}
	case "blob.bin", "text.txt":
		property, ok := cutVersion(dir)
		if collection, name := cutLast(property); ok && name != "" && isCollection(collection) {
			return ClassContent
		}
	default:
		if isManifest(dir, leaf) {
			return ClassBackups
		}
	}
	return ClassOther
}

// cutLast splits at the last slash; without one, dir is empty.
func cutLast(s string) (dir, leaf string) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+1:]
}

// cutVersion takes "/<id>/v<n>" from the end of dir.
func cutVersion(dir string) (before string, ok bool) {
	dir, version := cutLast(dir)
	before, id := cutLast(dir)
	return before, len(version) > 1 && version[0] == 'v' && isDigits(version[1:]) && isID(id)
}

// isManifest reports whether dir and leaf are a roll-up's.
func isManifest(dir, leaf string) bool {
	n, ok := strings.CutPrefix(leaf, "snapshot-")
	if !ok {
		return false
	}
	if n, ok = strings.CutSuffix(n, ".json.gz"); !ok || !isDigits(n) {
		return false
	}
	dir, month := cutLast(dir)
	dir, year := cutLast(dir)
	collection, ok := strings.CutPrefix(dir, "__manifests__/")
	return ok && len(month) == 2 && isDigits(month) && len(year) == 4 && isDigits(year) && isCollection(collection)
}

// isCollection reports whether s can be the name of a collection: it has at least one
// character and all in one line.
func isCollection(s string) bool { return s != "" && !strings.Contains(s, "\n") }

// isDigits reports whether s is one or more decimal digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isID reports whether s is an ObjectId as Xronox writes it.
func isID(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return len(s) == 24
}

// joinClasses lists classes in words.
func joinClasses(classes []Class) string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}
