package versions

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// errRow is what a row is that nobody wrote.
var errRow = errors.New("versions: an encoded row is damaged")

// DecodeRow is the inverse of [Row.Encode].
func DecodeRow(b []byte) (r Row, err error) {
	if len(b) == 0 || b[0] != rowFormat {
		return Row{}, errRow
	}
	same := false
	err = eachField(b[1:], func(tag byte, v []byte) (err error) {
		switch tag {
		case rowSeq:
			r.Seq, err = toNumber(v)
		case rowTime:
			r.Time, err = toTime(v)
		case rowKind:
			var kind int64
			kind, err = toNumber(v)
			r.Kind = Kind(kind)
		case rowBy:
			r.By, err = decodeBy(v)
		case rowVersion:
			r.Version, err = decodeVersion(v)
		case rowReplaced:
			r.Replaced, err = decodeRef(v)
		case rowCurrent:
			var current Version
			current, err = decodeVersion(v)
			r.State.Current = &current
		case rowCurrentSame:
			same = true
		case rowNull:
			r.State.Null, err = decodeRef(v)
		case rowNullGone:
			r.State.NullGone = true
		case rowNextN:
			r.State.NextN, err = toNumber(v)
		}
		return err
	})
	if err != nil {
		return Row{}, err
	}
	if same {
		current := r.Version
		r.State.Current = &current
	}
	return r, nil
}

// decodeRef is the inverse of encode.
func decodeRef(b []byte) (r Ref, err error) {
	err = eachField(b, func(tag byte, v []byte) (err error) {
		switch tag {
		case refN:
			r.N, err = toNumber(v)
		case refTime:
			r.Time, err = toTime(v)
		}
		return err
	})
	return r, err
}

// decodeBy is the inverse of encode.
func decodeBy(b []byte) (by By, err error) {
	err = eachField(b, func(tag byte, v []byte) error {
		switch tag {
		case byOperation:
			by.Operation = string(v)
		case byAccessKey:
			by.AccessKey = string(v)
		case byUserID:
			by.UserID = string(v)
		case byTenantID:
			by.TenantID = string(v)
		}
		return nil
	})
	return by, err
}

// decodeVersion is the inverse of encode.
func decodeVersion(b []byte) (o Version, err error) {
	err = eachField(b, func(tag byte, v []byte) (err error) {
		var n int64
		switch tag {
		case versionN:
			o.ID.N, err = toNumber(v)
		case versionNonce:
			n, err = toNumber(v)
			o.ID.Nonce = uint64(n)
		case versionNull:
			o.ID.Null = true
		case versionTime:
			o.Time, err = toTime(v)
		case versionBy:
			o.By, err = decodeBy(v)
		case versionMarker:
			o.Marker = true
		case versionSize:
			o.Size, err = toNumber(v)
		case versionParts:
			n, err = toNumber(v)
			o.Parts = int32(n)
		case versionUntil:
			o.Retention.Until, err = toTime(v)
		case versionLegalHold:
			o.LegalHold = true
		default:
			return o.setText(tag, v)
		}
		return err
	})
	return o, err
}

// setText sets a field that is a string.
func (v *Version) setText(tag byte, b []byte) error {
	switch s := string(b); tag {
	case versionETag:
		v.ETag = s
	case versionStorageClass:
		v.StorageClass = types.StorageClass(s)
	case versionAlgorithm:
		v.Checksum.Algorithm = types.ChecksumAlgorithm(s)
	case versionChecksumType:
		v.Checksum.Type = types.ChecksumType(s)
	case versionChecksum:
		v.Checksum.Value = s
	case versionUploadID:
		v.UploadID = s
	case versionTagKey:
		v.Tags = append(v.Tags, Tag{Key: s})
	case versionTagValue:
		if len(v.Tags) == 0 {
			return errRow
		}
		v.Tags[len(v.Tags)-1].Value = s
	case versionRetention:
		v.Retention.Mode = types.ObjectLockRetentionMode(s)
	}
	return nil
}

// eachField calls f with each field of b.
func eachField(b []byte, f func(tag byte, v []byte) error) error {
	for len(b) > 0 {
		length, n := binary.Uvarint(b[1:])
		if n <= 0 || length > math.MaxInt32 || len(b)-1-n < int(length) {
			return errRow
		}
		v := b[1+n:]
		if err := f(b[0], v[:length]); err != nil {
			return err
		}
		b = v[length:]
	}
	return nil
}

// toNumber reads a number.
func toNumber(v []byte) (int64, error) {
	n, length := binary.Varint(v)
	if length <= 0 || length != len(v) {
		return 0, errRow
	}
	return n, nil
}

// toTime reads a time.
func toTime(v []byte) (time.Time, error) {
	ms, err := toNumber(v)
	return time.UnixMilli(ms).UTC(), err
}
