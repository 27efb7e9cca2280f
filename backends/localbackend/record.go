package localbackend

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/xronox/xronox-proxy/backends"
)

// object is the row of an object or, without a body, of an upload.
type object struct {
	backends.ObjectMeta // Parts are in the manifest
	body                []segment
	manifest            name   // of an object of parts: where Parts and body are; else zero
	sealed              []byte // the key, of one that is encrypted
}

// The tags of an object's fields.
const (
	tagSize byte = iota + 1
	tagETag
	tagModified
	tagStorageClass
	tagAlgorithm
	tagChecksumType
	tagChecksum
	tagUploadID
	tagCacheControl
	tagContentDisposition
	tagContentEncoding
	tagContentLanguage
	tagContentType
	tagExpires
	tagRedirect
	tagMetadata // a pair, as often as there are some
	tagSegment
	tagManifest
	tagObjectTag // a pair, as often as there are some, in their order
	tagEncryption
	tagKMSKey
	tagKMSContext
	tagBucketKey
	tagCustomer
	tagSealed
	tagRenamed
	tagDefaultChecksum // of an upload whose client named no algorithm
)

// text returns the field of a tag that is a string; nil when it is none.
func (o *object) text(tag byte) *string {
	switch tag {
	case tagETag:
		return &o.ETag
	case tagStorageClass:
		return (*string)(&o.StorageClass)
	case tagAlgorithm:
		return (*string)(&o.Checksum.Algorithm)
	case tagChecksumType:
		return (*string)(&o.Checksum.Type)
	case tagChecksum:
		return &o.Checksum.Value
	case tagUploadID:
		return &o.UploadID
	case tagCacheControl:
		return &o.CacheControl
	case tagContentDisposition:
		return &o.ContentDisposition
	case tagContentEncoding:
		return &o.ContentEncoding
	case tagContentLanguage:
		return &o.ContentLanguage
	case tagContentType:
		return &o.ContentType
	case tagExpires:
		return &o.Expires
	case tagRedirect:
		return &o.WebsiteRedirectLocation
	case tagRenamed:
		return &o.Renamed
	case tagEncryption:
		return (*string)(&o.Encryption.Algorithm)
	case tagKMSKey:
		return &o.Encryption.KMSKeyID
	case tagKMSContext:
		return &o.Encryption.Context
	case tagCustomer:
		return &o.Encryption.Customer
	}
	return nil
}

// encode returns the row.
func (o *object) encode() []byte {
	var r row = make([]byte, 0, 256)
	r.number(tagSize, o.Size)
	r.number(tagModified, o.LastModified.UnixMilli())
	for tag := tagSize; tag <= tagRenamed; tag++ {
		if s := o.text(tag); s != nil {
			r.text(tag, *s)
		}
	}
	for k, v := range o.Metadata {
		r.pair(tagMetadata, k, v)
	}
	for _, t := range o.Tags {
		r.pair(tagObjectTag, t.Key, t.Value)
	}
	if o.Encryption.BucketKey {
		r.number(tagBucketKey, 1)
	}
	if o.Checksum.Default {
		r.number(tagDefaultChecksum, 1)
	}
	if o.sealed != nil {
		r.bytes(tagSealed, o.sealed)
	}
	if o.manifest != (name{}) {
		r.bytes(tagManifest, o.manifest[:])
		return r
	}
	for _, seg := range o.body {
		r.bytes(tagSegment, seg.encode())
	}
	return r
}

// decode reads a row.
func (o *object) decode(b []byte) error {
	*o = object{}
	return eachField(b, func(tag byte, v []byte) error {
		if s := o.text(tag); s != nil {
			*s = string(v)
			return nil
		}
		switch tag {
		case tagSize:
			n, err := toNumber(v)
			o.Size = n
			return err
		case tagModified:
			n, err := toNumber(v)
			o.LastModified = time.UnixMilli(n)
			return err
		case tagMetadata:
			k, w, err := toPair(v)
			if o.Metadata == nil {
				o.Metadata = make(map[string]string)
			}
			o.Metadata[k] = w
			return err
		case tagObjectTag:
			k, w, err := toPair(v)
			o.Tags = append(o.Tags, backends.Tag{Key: k, Value: w})
			return err
		case tagSegment:
			seg, err := decodeSegment(v)
			o.body = append(o.body, seg)
			return err
		case tagManifest:
			if len(v) != len(o.manifest) {
				return errRow
			}
			o.manifest = name(v)
		case tagBucketKey:
			o.Encryption.BucketKey = true
		case tagDefaultChecksum:
			o.Checksum.Default = true
		case tagSealed:
			o.sealed = bytes.Clone(v)
		}
		return nil
	})
}

// encode returns the value of a segment's field.
func (s segment) encode() []byte {
	inline := byte(0)
	if s.inline {
		inline = 1
	}
	return binary.AppendUvarint(append(s.name[:], inline), uint64(s.size))
}

// decodeSegment is the inverse of encode.
func decodeSegment(v []byte) (s segment, err error) {
	if len(v) < len(s.name)+2 {
		return s, errRow
	}
	size, n := binary.Uvarint(v[len(s.name)+1:])
	if n <= 0 || size > math.MaxInt64 {
		return s, errRow
	}
	return segment{name: name(v[:len(s.name)]), inline: v[len(s.name)] == 1, size: int64(size)}, nil
}

// part is the row of an upload's part, and an entry of a manifest.
type part struct {
	backends.PartInfo
	body segment
}

// The tags of a part's fields, and of a manifest's.
const (
	tagPartNumber byte = iota + 1
	tagPartETag
	tagPartChecksum
	tagPartModified
	tagPartSegment

	tagPart byte = 1
)

// encode returns the row.
func (p *part) encode() []byte {
	var r row = make([]byte, 0, 128)
	r.number(tagPartNumber, int64(p.Number))
	r.text(tagPartETag, p.ETag)
	r.text(tagPartChecksum, p.Checksum)
	if !p.LastModified.IsZero() {
		r.number(tagPartModified, p.LastModified.UnixMilli())
	}
	r.bytes(tagPartSegment, p.body.encode())
	return r
}

// decode reads a row. The size of a part is that of its body.
func (p *part) decode(b []byte) error {
	*p = part{}
	return eachField(b, func(tag byte, v []byte) (err error) {
		var n int64
		switch tag {
		case tagPartNumber:
			n, err = toNumber(v)
			p.Number = int32(n)
		case tagPartETag:
			p.ETag = string(v)
		case tagPartChecksum:
			p.Checksum = string(v)
		case tagPartModified:
			n, err = toNumber(v)
			p.LastModified = time.UnixMilli(n)
		case tagPartSegment:
			p.body, err = decodeSegment(v)
			p.Size = p.body.size
		}
		return err
	})
}

// encodeManifest returns the row that has the parts and the body of an object.
func encodeManifest(parts []part) []byte {
	var r row
	for i := range parts {
		r.bytes(tagPart, parts[i].encode())
	}
	return r
}

// decodeManifest reads a manifest into o.
func (o *object) decodeManifest(b []byte) error {
	return eachField(b, func(tag byte, v []byte) error {
		if tag != tagPart {
			return nil
		}
		var p part
		if err := p.decode(v); err != nil {
			return err
		}
		o.Parts = append(o.Parts, p.PartInfo)
		p.body.number = p.Number
		o.body = append(o.body, p.body)
		return nil
	})
}
