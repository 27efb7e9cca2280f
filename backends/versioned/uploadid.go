package versioned

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// The UploadId of an upload is a letter, the number of its body, and that of the store. Whoever is on top seals
// it. Those of uploads that began before there were versions are the store's alone, and lead to the plain place.
const (
	numberLength = 8
	uploadKind   = "\x01v"
)

// uploadID puts the two together. Those of a key are in the order in which uploads began.
func uploadID(n int64, below *string) *string {
	return aws.String(string(binary.BigEndian.AppendUint64([]byte(uploadKind), uint64(n))) + aws.ToString(below))
}

// uploadVersion is the version that an upload will be. Its nonce follows from what a listing of the
// store knows of the upload; numbers are not used again, so that nonces are not.
func (b *bucket) uploadVersion(o versions.Object, n int64) versions.VersionID {
	sum := sha256.Sum256([]byte("upload\x00" + o.BucketID + "\x00" + strconv.FormatInt(n, 10) + "\x00" + o.Key))
	return versions.VersionID{N: n, Nonce: binary.BigEndian.Uint64(sum[:]), Null: b.Versioning == router.Suspended}
}

// entered is an upload as its store knows it.
type entered struct {
	place   backends.Backend
	at      backends.MultipartUploader // the place's
	before  bool                       // it began before the bucket had versions
	version versions.VersionID         // it will be, if it did not
}

// enter replaces key and id of an input by those of the upload in its store.
func (u *uploads) enter(key, id **string) (entered, error) {
	s, ok := strings.CutPrefix(aws.ToString(*id), uploadKind)
	switch {
	case !ok && u.plain != nil:
		return entered{place: u.Heads, at: u.plain, before: true}, nil
	case !ok || len(s) <= numberLength:
		return entered{}, s3err.New(s3err.NoSuchUpload).With("UploadId", aws.ToString(*id))
	}
	v := u.uploadVersion(u.object(*key), int64(binary.BigEndian.Uint64([]byte(s[:numberLength]))))
	*key, *id = aws.String(u.body(aws.ToString(*key), v)), aws.String(s[numberLength:])
	return entered{place: u.Bodies, at: u.below, version: v}, nil
}

// beginUpload is begin for an upload.
func (u *uploads) beginUpload(ctx context.Context, key *string) (*write, error) {
	w, err := u.begin(ctx, key, false, nil, nil)
	if err == nil {
		w.version.ID = u.uploadVersion(w.head.Object, w.version.ID.N)
	}
	return w, err
}
