package kvindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/xronox/xronox-proxy/versions"
)

// Each kind of row begins with a byte of its own.
const (
	kindBucket    = 'b'
	kindTombstone = 't'
	kindValue     = 'v'
	kindSettings  = 'c' // (bucket, Seq descending): what was set on it

	kindRow    = 'r' // (object, Seq descending): a row of the log
	kindTop    = 'k' // (object): the row with the greatest Seq
	kindLatest = 'l' // (object, time of version descending): the latest row about it, without state
	kindNumber = 'n' // (object, n): the time of the version
	kindSlot   = 's' // (object, n): when it was taken
	kindMark   = 'm' // (object, n): when it was marked
	kindSign   = 'e' // one row: when slots were taken early
)

// bucketKey is the key of a bucket record: a tenant's are in the order of their names.
func bucketKey(tenantID, name string) []byte { return within(kindBucket, tenantID, name) }

// tombstoneKey is the key of a tombstone: a bucket's are in the order of their keys.
func tombstoneKey(bucketID, key string) []byte { return within(kindTombstone, bucketID, key) }

// within is the key of a row that somebody owns: the owner behind its length, so that
// no owner's rows lie among another's, then the name, so that an owner's are in its order.
func within(kind byte, owner, name string) []byte {
	key := binary.AppendUvarint(append(make([]byte, 0, 64), kind), uint64(len(owner)))
	return append(append(key, owner...), name...)
}

// valueKey is the key of a named value.
func valueKey(name string) []byte { return append([]byte{kindValue}, name...) }

// successor is the first key behind all that begin with prefix. Kinds are
// letters, so there is one.
func successor(prefix []byte) []byte {
	s := bytes.TrimRight(prefix, "\xff")
	s = bytes.Clone(s)
	s[len(s)-1]++
	return s
}

// The end of a name that something follows, and what stands for a byte of the name that could be taken
// for it. So names are in their own order, whatever follows.
const (
	nameEnd   = "\x00\x01"
	nameNul   = "\x00\xff"
	endLength = len(nameEnd)
)

// prefixKey is what the keys begin with of rows of objects whose keys begin with prefix.
func prefixKey(kind byte, bucketID, prefix string) []byte {
	key := within(kind, bucketID, "")
	for i := range len(prefix) {
		if prefix[i] == 0 {
			key = append(key, nameNul...)
		} else {
			key = append(key, prefix[i])
		}
	}
	return key
}

// objectKey is the key of the one row of an object, or what the keys of several begin with.
func objectKey(kind byte, o versions.Object) []byte {
	return append(prefixKey(kind, o.BucketID, o.Key), nameEnd...)
}

// rowKey is the key of a row: those with greater Seq come first.
func rowKey(o versions.Object, seq int64) []byte { return descending(objectKey(kindRow, o), seq) }

// latestKey is the key of the latest row about a version: newer versions come first.
func latestKey(o versions.Object, t time.Time) []byte {
	return descending(objectKey(kindLatest, o), t.UnixMilli())
}

// numberKey is the key of a row of an object and a number.
func numberKey(kind byte, o versions.Object, n int64) []byte {
	return binary.BigEndian.AppendUint64(objectKey(kind, o), uint64(n))
}

// descending appends a number so that greater ones come first.
func descending(key []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(key, ^(uint64(n) ^ 1<<63))
}

// errKey is what a key is that nobody wrote.
var errKey = errors.New("kvindex: the key of a row is damaged")

// parseObject returns the object that a row of its bucket belongs to, and what follows in the key.
func parseObject(key []byte, bucketID string) (o versions.Object, rest []byte, err error) {
	key = key[len(within(kindRow, bucketID, "")):]
	end := bytes.Index(key, []byte(nameEnd))
	if end < 0 {
		return o, nil, errKey
	}
	name := key[:end]
	if bytes.IndexByte(name, 0) >= 0 {
		name = bytes.ReplaceAll(name, []byte(nameNul), []byte{0})
	}
	return versions.Object{BucketID: bucketID, Key: string(name)}, key[end+endLength:], nil
}

// parseNumber reads what follows in a numberKey.
func parseNumber(rest []byte) (int64, error) {
	if len(rest) != 8 {
		return 0, errKey
	}
	return int64(binary.BigEndian.Uint64(rest)), nil
}

// encodeTime is the value of a row that has nothing but a time.
func encodeTime(t time.Time) []byte { return binary.AppendVarint(nil, t.UnixMilli()) }

// decodeTime is the inverse of encodeTime.
func decodeTime(row []byte) (time.Time, error) {
	ms, n := binary.Varint(row)
	if n <= 0 {
		return time.Time{}, errKey
	}
	return time.UnixMilli(ms).UTC(), nil
}
