package kvindex

import (
	"bytes"
	"encoding/binary"
)

// Each kind of row begins with a byte of its own.
const (
	kindBucket = 'b'
	kindValue  = 'v'
)

// bucketKey is the key of a bucket record: the tenant behind its length, so that
// no tenant's rows lie among another's, then the name, so that a tenant's are in its order.
func bucketKey(tenantID, name string) []byte {
	key := binary.AppendUvarint([]byte{kindBucket}, uint64(len(tenantID)))
	return append(append(key, tenantID...), name...)
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
