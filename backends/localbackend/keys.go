package localbackend

import (
	"bytes"
	"encoding/binary"
)

// The tables in Pebble: the first byte of a row's key.
const (
	tableFormat    = 'A' // → the version of all this
	tableBuckets   = 'b' // bucket name → bucketRow
	tableObjects   = 'o' // bucket id, key → object
	tableUploads   = 'u' // bucket id, escaped key, upload → upload
	tableParts     = 'p' // upload, part number → part
	tableManifests = 'm' // name → the parts of an object and their bodies
	tableInline    = 'd' // body name → the bytes of a small body
	tableFiles     = 'f' // body name → nothing: the file in bodies/ is in use
)

// A bucketID stands for a bucket in keys. It is not reused while a process runs, so a
// writer that is late cannot write into a younger bucket of the same name.
type bucketID uint64

// formatKey is the key of the one row of tableFormat.
func formatKey() []byte { return []byte{tableFormat} }

// bucketKey is the key of a bucket's row.
func bucketKey(bucket string) []byte { return append([]byte{tableBuckets}, bucket...) }

// objectKey is the key of an object's row. Rows sort as S3 lists: by bytes.
func objectKey(id bucketID, key string) []byte {
	return append(inBucket(tableObjects, id, len(key)), key...)
}

// inBucket begins a key of a table whose rows belong to a bucket.
func inBucket(table byte, id bucketID, more int) []byte {
	k := make([]byte, 0, 9+more)
	return binary.BigEndian.AppendUint64(append(k, table), uint64(id))
}

// bucketPrefixLen is the length of what inBucket returns.
const bucketPrefixLen = 9

// uploadKey is the key of an upload's row. It has the UploadId as clients do,
// because these name places between UploadIds as markers.
func uploadKey(id bucketID, key string, upload name) []byte {
	return append(uploadsOf(id, key), upload.String()...)
}

// uploadsOf is what the keys of all uploads of an object key begin with. The
// object key is escaped and ended such that rows sort by key, then by upload:
// a zero byte becomes 00 FF, the end is 00 01.
func uploadsOf(id bucketID, key string) []byte {
	k := inBucket(tableUploads, id, len(key)+2+2*len(name{}))
	for i := range len(key) {
		k = append(k, key[i])
		if key[i] == 0 {
			k = append(k, 0xff)
		}
	}
	return append(k, 0, 1)
}

// parseUploadKey is the inverse of uploadKey.
func parseUploadKey(k []byte) (key string, upload name) {
	end := len(k) - 2*len(upload)
	upload, _ = parseName(string(k[end:]))
	return string(bytes.ReplaceAll(k[bucketPrefixLen:end-2], []byte{0, 0xff}, []byte{0})), upload
}

// partKey is the key of a part's row.
func partKey(upload name, number int32) []byte {
	return binary.BigEndian.AppendUint32(named(tableParts, upload), uint32(number))
}

// fileKey is the key of a body file's row.
func fileKey(n name) []byte { return named(tableFiles, n) }

// inlineKey is the key of a small body.
func inlineKey(n name) []byte { return named(tableInline, n) }

// manifestKey is the key of a manifest.
func manifestKey(n name) []byte { return named(tableManifests, n) }

// named is the key of a row that is found by a name.
func named(table byte, n name) []byte {
	k := make([]byte, 0, 1+len(n)+4)
	return append(append(k, table), n[:]...)
}

// after is the least key that is greater than all keys with the prefix.
// Tables are letters, so there always is one.
func after(prefix []byte) []byte {
	k := bytes.Clone(prefix)
	for i := len(k) - 1; ; i-- {
		if k[i]++; k[i] != 0 {
			return k[:i+1]
		}
	}
}
