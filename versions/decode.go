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

// DecodeRow is the inverse of [Row.Encode]. The texts of the row share one copy of b.
func DecodeRow(b []byte) (r Row, err error) {
	if len(b) == 0 || b[0] != rowFormat {
		return Row{}, errRow
	}
	same := false
	err = eachField(string(b[1:]), func(tag byte, v string) (err error) {
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
func decodeRef(b string) (r Ref, err error) {
	err = eachField(b, func(tag byte, v string) (err error) {
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
func decodeBy(b string) (by By, err error) {
	err = eachField(b, func(tag byte, v string) error {
		switch tag {
		case byOperation:
			by.Operation = v
		case byAccessKey:
			by.AccessKey = v
		case byUserID:
			by.UserID = v
		case byTenantID:
			by.TenantID = v
		}
		return nil
	})
	return by, err
}

// decodeVersion is the inverse of encode.
func decodeVersion(b string) (o Version, err error) {
	err = eachField(b, func(tag byte, v string) (err error) {
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
		case versionPlain:
			o.Plain = true
		case versionLegalHoldOff:
			o.LegalHoldOff = true
		case versionBucketKey:
			o.Encryption.BucketKey = true
		case versionCustomer:
			o.Encryption.Customer = true
		default:
			return o.setText(tag, v)
		}
		return err
	})
	return o, err
}

// setText sets a field that is a string.
func (v *Version) setText(tag byte, s string) error {
	switch tag {
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
	case versionRedirect:
		v.Redirect = s
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
	case versionEncryption:
		v.Encryption.Algorithm = types.ServerSideEncryption(s)
	case versionKMSKey:
		v.Encryption.KMSKeyID = s
	}
	return nil
}

// eachField calls f with each field of s.
func eachField(s string, f func(tag byte, v string) error) error {
	for len(s) > 0 {
		length, n := uvarint(s[1:])
		if n == 0 || length > math.MaxInt32 || len(s)-1-n < int(length) {
			return errRow
		}
		v := s[1+n:]
		if err := f(s[0], v[:length]); err != nil {
			return err
		}
		s = v[length:]
	}
	return nil
}

// uvarint is [binary.Uvarint] for a string; n is 0 when there is none.
func uvarint(s string) (u uint64, n int) {
	for i := range min(len(s), binary.MaxVarintLen64) {
		u |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return u, i + 1
		}
	}
	return 0, 0
}

// toNumber reads a number.
func toNumber(v string) (int64, error) {
	u, n := uvarint(v)
	if n == 0 || n != len(v) {
		return 0, errRow
	}
	return int64(u>>1) ^ -int64(u&1), nil
}

// toTime reads a time.
func toTime(v string) (time.Time, error) {
	ms, err := toNumber(v)
	return time.UnixMilli(ms).UTC(), err
}
