package config

// generation recognises configurations from before 2.0, and from the
// successor, which keep their object stores under other names, and reports
// whether this is one.
func (v *validator) generation(root *node) bool {
	spaces := root.get("spacesConns")
	switch {
	case root.get("mongoConns") != nil:
		v.problem("mongoConns", root.get("mongoConns"), "This is a configuration of Xronox 1.5 (mongoConns, spacesConns)", newer)
	case root.get("mongoUris") != nil:
		v.problem("mongoUris", root.get("mongoUris"), "This is a configuration of Xronox 1.0 to 1.5 (mongoUris, spacesConns)", newer)
	case spaces != nil:
		v.problem("spacesConns", spaces, "This is a configuration of Xronox 1.x (spacesConns)", newer)
	case root.get("storage").get("endpoint") != nil:
		v.problem("storage", root.get("storage"), "This is a configuration of the successor of Xronox (database, storage)", newer)
	default:
		return false
	}
	return true
}

// newer says what to do with another generation's configuration.
const newer = "name the stores in spacesConnections and the databases in databases, as Xronox 2.5 to 3.1 has them"
