package versions

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
)

// Kind is what a row did.
type Kind byte

// The kinds of rows. The numbers are stored.
const (
	KindPut    Kind = 1 // a version was added; Replaced is the null version that it took the place of
	KindMarker Kind = 2 // a delete marker was added, likewise
	KindRemove Kind = 3 // a version or a marker was removed for good
	KindAmend  Kind = 4 // tags, retention or legal hold of a version were changed
)

// String names a kind for the operator.
func (k Kind) String() string {
	switch k {
	case KindPut:
		return "put"
	case KindMarker:
		return "marker"
	case KindRemove:
		return "remove"
	case KindAmend:
		return "amend"
	}
	return "none"
}

// Row is an entry of the log of an object. Rows are values: what they point to is
// not changed. All times are in UTC and have whole milliseconds.
type Row struct {
	Seq      int64 // from 1; the zero Row comes before the first
	Time     time.Time
	Kind     Kind
	By       By
	Version  Version // that the row is about, as it is after it, or was before it was removed
	Replaced Ref     // the null version whose place Version takes; without Time none
	State    State   // of the object after the row
}

// State is what an object is after a row.
type State struct {
	// Current is the newest version that is alive, which may be a delete marker; nil when none is.
	Current *Version
	// Null is the latest version that was called null; its Time is zero if none ever was.
	Null Ref
	// NullGone says that Null was removed. Where it stood is still of use to who lists from there.
	NullGone bool
	// NextN is greater than the number of every version so far: where to look for a free slot.
	NextN int64
}

// Ref points to a version.
type Ref struct {
	N    int64
	Time time.Time
}

// By is who did something, and by which operation of S3.
type By struct {
	Operation string
	AccessKey string
	UserID    string
	TenantID  string
}

// Version is what is known of a version without reading it. Headers and metadata
// live with the body.
type Version struct {
	ID     VersionID
	Time   time.Time // of the row that added it; unique and in order in the object's log
	By     By        // who added it
	Marker bool      // a delete marker, which has nothing of what follows

	Size         int64
	ETag         string // with its quotes
	StorageClass types.StorageClass
	Checksum     backends.Checksum
	Encryption   Encryption
	Parts        int32  // of a multipart object; 0 for others
	Redirect     string // x-amz-website-redirect-location, which no copy takes along
	UploadID     string // names the upload from before that made it, so that Complete can be repeated; else empty
	// Plain says that the object was there before there were versions: as long as nobody has written over
	// it, its body may be at its plain place only.
	Plain bool

	Tags      []Tag
	Retention Retention
	LegalHold bool
	// LegalHoldOff says that somebody has said that there is no hold, which clients are told.
	LegalHoldOff bool
}

// Encryption is how the body of a version is encrypted because its writer has asked for it; the zero value is: as the store does
// it by itself.
type Encryption struct {
	Algorithm types.ServerSideEncryption
	KMSKeyID  string
	BucketKey bool
	Customer  bool // with a key of the customer's (SSE-C): nobody else reads it, or its metadata, so that it has no head
}

// Tag is one of an object's tags.
type Tag = backends.Tag

// Retention is until when a version cannot be removed; without Mode there is none.
type Retention struct {
	Mode  types.ObjectLockRetentionMode
	Until time.Time
}

// Meta is what conditions and listings ask of a version; nil when v is nil or a delete marker, as
// then there is no object.
func (v *Version) Meta() *backends.ObjectMeta {
	if v == nil || v.Marker {
		return nil
	}
	return &backends.ObjectMeta{
		Size:         v.Size,
		ETag:         v.ETag,
		LastModified: v.Time,
		StorageClass: v.StorageClass,
		Checksum:     v.Checksum,
		UploadID:     v.UploadID,
	}
}

// Is reports whether v and w are the same version of an object, in whatever condition.
func (v *Version) Is(w *Version) bool { return v != nil && w != nil && v.Time.Equal(w.Time) }

// Owner is who a listing says owns the version.
func (b By) Owner() types.Owner {
	id := b.UserID
	if id == "" {
		id = b.AccessKey
	}
	return types.Owner{ID: &id, DisplayName: &id}
}
