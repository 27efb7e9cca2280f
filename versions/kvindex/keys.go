package kvindex

import (
	"bytes"
	"encoding/binary"
)

// Each kind of row begins with a byte of its own.
const (
	kindBucket    = 'b'
	kindTombstone = 't'
	kindValue     = 'v'
)

// bucketKey is the key of a bucket record: a tenant's are in the order of their names.
func bucketKey(tenantID, name string) []byte { return within(kindBucket, tenantID, name) }

// tombstoneKey is the key of a tombstone: a bucket's are in the order of their keys.
func tombstoneKey(bucketID, key string) []byte { return within(kindTombstone, bucketID, key) }

// within is the key of a row that somebody owns: the owner behind its length, so that
// no owner's rows lie among another's, then the name, so that an owner's are in its order.
func within(kind byte, owner, name string) []byte {
	key := binary.AppendUvarint([]byte{kind}, uint64(len(owner)))
	return append(append(key, owner...), name...)
}

// valueKey is the key of a named value.
func valueKey(name string) []byte { return append([]byte{kindValue}, name...) }

// successor is the first key behind all that begin with prefix. Names are UTF-8
// and kinds are letters, so no prefix ends in 0xff.
func successor(prefix []byte) []byte {
	s := bytes.Clone(prefix)
	s[len(s)-1]++
	return s
}
