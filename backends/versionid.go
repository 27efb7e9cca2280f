package backends

import "regexp"

// wellFormedVersionID is what the version IDs of AWS and of other servers look like.
var wellFormedVersionID = regexp.MustCompile(`^[0-9A-Za-z._-]{24,64}$`)

// WellFormedVersionID reports whether some S3 may have given out a version ID: one that is not there is NoSuchVersion then, and
// InvalidArgument otherwise.
func WellFormedVersionID(s string) bool { return wellFormedVersionID.MatchString(s) }
