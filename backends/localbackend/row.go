package localbackend

import (
	"encoding/binary"
	"errors"
	"math"
)

// A row is a list of fields: a tag, a length and a value. Fields that are
// empty are left out, and those with a tag that a reader does not know are
// skipped, so that a program may be replaced by the one before it. Tags are
// never reused; record.go has them.

// row builds a row.
type row []byte

// bytes adds a field, also when it is empty.
func (r *row) bytes(tag byte, v []byte) {
	*r = append(binary.AppendUvarint(append(*r, tag), uint64(len(v))), v...)
}

// text adds a field unless it is empty.
func (r *row) text(tag byte, s string) {
	if s != "" {
		*r = append(binary.AppendUvarint(append(*r, tag), uint64(len(s))), s...)
	}
}

// number adds a field unless it is zero.
func (r *row) number(tag byte, n int64) {
	if n != 0 {
		var v [binary.MaxVarintLen64]byte
		r.bytes(tag, v[:binary.PutVarint(v[:], n)])
	}
}

// pair adds a field of two strings.
func (r *row) pair(tag byte, k, v string) {
	var p row
	p = binary.AppendUvarint(p, uint64(len(k)))
	r.bytes(tag, append(append(p, k...), v...))
}

// errRow says that a row is not what was written.
var errRow = errors.New("localbackend: damaged row")

// eachField calls f with the fields of a row.
func eachField(b []byte, f func(tag byte, v []byte) error) error {
	for len(b) > 0 {
		v, rest, ok := cutBytes(b[1:])
		if !ok {
			return errRow
		}
		if err := f(b[0], v); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// cutBytes takes a length and as many bytes off b.
func cutBytes(b []byte) (v, rest []byte, ok bool) {
	n, m := binary.Uvarint(b)
	if m <= 0 || n > math.MaxInt32 || int(n) > len(b)-m {
		return nil, nil, false
	}
	return b[m : m+int(n)], b[m+int(n):], true
}

// toNumber reads what number wrote.
func toNumber(v []byte) (int64, error) {
	n, m := binary.Varint(v)
	if m != len(v) {
		return 0, errRow
	}
	return n, nil
}

// toPair reads what pair wrote.
func toPair(v []byte) (k, w string, err error) {
	b, rest, ok := cutBytes(v)
	if !ok {
		return "", "", errRow
	}
	return string(b), string(rest), nil
}
