package versions

import (
	"bytes"
	"encoding/binary"
	"time"
)

// rowFormat is the first byte of an encoded row. A program that meets another refuses it; fields
// that it does not know it passes over, so that they can be added.
const rowFormat = 1

// The tags of fields. A field is its tag, its length and its value; empty ones are left out. Numbers
// are varints, and texts are bytes. What is nested is fields again.
const (
	rowSeq         byte = 1
	rowTime        byte = 2
	rowKind        byte = 3
	rowBy          byte = 4
	rowVersion     byte = 5
	rowReplaced    byte = 6
	rowCurrent     byte = 7 // the state's current version
	rowCurrentSame byte = 8 // it is the row's version
	rowNull        byte = 9
	rowNullGone    byte = 10
	rowNextN       byte = 11

	refN    byte = 1
	refTime byte = 2

	byOperation byte = 1
	byAccessKey byte = 2
	byUserID    byte = 3
	byTenantID  byte = 4

	versionN            byte = 1
	versionNonce        byte = 2
	versionNull         byte = 3
	versionTime         byte = 4
	versionBy           byte = 5
	versionMarker       byte = 6
	versionSize         byte = 7
	versionETag         byte = 8
	versionStorageClass byte = 9
	versionAlgorithm    byte = 10
	versionChecksumType byte = 11
	versionChecksum     byte = 12
	versionParts        byte = 13
	versionUploadID     byte = 14
	versionTagKey       byte = 15 // each followed by its value
	versionTagValue     byte = 16
	versionRetention    byte = 17
	versionUntil        byte = 18
	versionLegalHold    byte = 19
	versionPlain        byte = 20
	versionLegalHoldOff byte = 21
	versionRedirect     byte = 24

	versionEncryption byte = 30
	versionKMSKey     byte = 31
	versionBucketKey  byte = 32
	versionCustomer   byte = 33
)

// fields are what is encoded.
type fields []byte

// bytes appends a field.
func (f *fields) bytes(tag byte, v []byte) {
	*f = append(binary.AppendUvarint(append(*f, tag), uint64(len(v))), v...)
}

// text appends a field unless s is empty.
func (f *fields) text(tag byte, s string) {
	if s != "" {
		*f = append(binary.AppendUvarint(append(*f, tag), uint64(len(s))), s...)
	}
}

// number appends a field unless n is 0.
func (f *fields) number(tag byte, n int64) {
	if n != 0 {
		f.bytes(tag, binary.AppendVarint(make([]byte, 0, binary.MaxVarintLen64), n))
	}
}

// time appends a field unless t is zero.
func (f *fields) time(tag byte, t time.Time) {
	if !t.IsZero() {
		f.bytes(tag, binary.AppendVarint(make([]byte, 0, binary.MaxVarintLen64), t.UnixMilli()))
	}
}

// flag appends an empty field if set.
func (f *fields) flag(tag byte, set bool) {
	if set {
		f.bytes(tag, nil)
	}
}

// Encode returns the row in the form in which indexes keep it. Equal rows have equal forms.
func (r Row) Encode() []byte {
	f, version := append(make(fields, 0, 512), rowFormat), r.Version.encode()
	f.number(rowSeq, r.Seq)
	f.time(rowTime, r.Time)
	f.number(rowKind, int64(r.Kind))
	f.bytes(rowBy, r.By.encode())
	f.bytes(rowVersion, version)
	if !r.Replaced.Time.IsZero() {
		f.bytes(rowReplaced, r.Replaced.encode())
	}
	if r.State.Current != nil {
		if current := r.State.Current.encode(); bytes.Equal(current, version) {
			f.flag(rowCurrentSame, true)
		} else {
			f.bytes(rowCurrent, current)
		}
	}
	if !r.State.Null.Time.IsZero() {
		f.bytes(rowNull, r.State.Null.encode())
	}
	f.flag(rowNullGone, r.State.NullGone)
	f.number(rowNextN, r.State.NextN)
	return f
}

// encode returns the fields.
func (r Ref) encode() []byte {
	var f fields
	f.number(refN, r.N)
	f.time(refTime, r.Time)
	return f
}

// encode returns the fields.
func (b By) encode() []byte {
	f := make(fields, 0, 64)
	f.text(byOperation, b.Operation)
	f.text(byAccessKey, b.AccessKey)
	f.text(byUserID, b.UserID)
	f.text(byTenantID, b.TenantID)
	return f
}

// encode returns the fields.
func (v *Version) encode() []byte {
	f := make(fields, 0, 256)
	f.number(versionN, v.ID.N)
	f.number(versionNonce, int64(v.ID.Nonce))
	f.flag(versionNull, v.ID.Null)
	f.time(versionTime, v.Time)
	f.bytes(versionBy, v.By.encode())
	f.flag(versionMarker, v.Marker)
	f.number(versionSize, v.Size)
	f.text(versionETag, v.ETag)
	f.text(versionStorageClass, string(v.StorageClass))
	f.text(versionAlgorithm, string(v.Checksum.Algorithm))
	f.text(versionChecksumType, string(v.Checksum.Type))
	f.text(versionChecksum, v.Checksum.Value)
	f.number(versionParts, int64(v.Parts))
	f.text(versionUploadID, v.UploadID)
	for _, t := range v.Tags {
		f.bytes(versionTagKey, []byte(t.Key))
		f.bytes(versionTagValue, []byte(t.Value))
	}
	f.text(versionRetention, string(v.Retention.Mode))
	f.time(versionUntil, v.Retention.Until)
	f.flag(versionLegalHold, v.LegalHold)
	f.flag(versionPlain, v.Plain)
	f.flag(versionLegalHoldOff, v.LegalHoldOff)
	f.text(versionEncryption, string(v.Encryption.Algorithm))
	f.text(versionKMSKey, v.Encryption.KMSKeyID)
	f.flag(versionBucketKey, v.Encryption.BucketKey)
	f.flag(versionCustomer, v.Encryption.Customer)
	f.text(versionRedirect, v.Redirect)
	return f
}
