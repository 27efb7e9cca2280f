package versions

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"math"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// VersionID names a version of an object: by the number of its body, and by a nonce, so that a number
// alone does not name one. Clients see 26 digits, or "null".
type VersionID struct {
	N     int64 // of a delete marker, which has no body: -Seq of the row that added it
	Nonce uint64
	Null  bool // S3's null version, of which an object has at most one
}

// nullVersion is what clients call the null version.
const nullVersion = "null"

// digits are base32 in an alphabet that keeps the order of numbers, and needs no
// escaping anywhere.
var digits = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewVersionID returns an ID for the body number n.
func NewVersionID(n int64) VersionID {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return VersionID{N: n, Nonce: binary.BigEndian.Uint64(b[:])}
}

// NullVersionID returns the ID of a null version with the body number n.
func NullVersionID(n int64) VersionID { return VersionID{N: n, Null: true} }

// String is the ID as clients see it.
func (id VersionID) String() string {
	if id.Null {
		return nullVersion
	}
	return id.Name()
}

// Name is what bodies are marked with: the ID with its number and nonce, of null versions too.
func (id VersionID) Name() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(id.N))
	binary.BigEndian.PutUint64(b[8:], id.Nonce)
	return digits.EncodeToString(b[:])
}

// ParseVersionID is the inverse of String, but that the number of a null version
// is not in it. InvalidArgument when s is not an ID of ours.
func ParseVersionID(s string) (VersionID, error) {
	if s == nullVersion {
		return VersionID{Null: true}, nil
	}
	b, err := digits.DecodeString(s)
	if err == nil && len(b) == 16 {
		id := VersionID{N: int64(binary.BigEndian.Uint64(b)), Nonce: binary.BigEndian.Uint64(b[8:])}
		if id.String() == s { // One version has one ID: no other bits, no line feeds in between.
			return id, nil
		}
	}
	return VersionID{}, s3err.InvalidArg("versionId", s, "Invalid version id specified")
}

// foreign is the number of no body and no delete marker.
const foreign = math.MinInt64

// RequestedVersionID is the ID of the version that a client asks for. One that is not ours, but that another S3 may
// have given out, is an ID that no version has; what nobody gives out is InvalidArgument.
func RequestedVersionID(s string) (VersionID, error) {
	id, err := ParseVersionID(s)
	if err != nil && backends.WellFormedVersionID(s) {
		return VersionID{N: foreign}, nil
	}
	return id, err
}

// Names reports whether a client that says id means the version.
func (id VersionID) Names(v *Version) bool {
	if id.Null || v.ID.Null {
		return id.Null && v.ID.Null
	}
	return id == v.ID
}
