package localbackend

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/sio"
	"github.com/tink-crypto/tink-go/v2/daead/subtle"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// An object that is encrypted has a random key of its own. It is kept sealed (AES-SIV, RFC 5297) by a key of Options.Keys,
// or by the customer's, together with where the object is: in the row of another object it cannot be opened. Each of its
// bodies is encrypted (DARE 2.0, AES-256-GCM in packages of 64 KiB) with a key that is derived from the object's and from
// the body's name, number and size: so packages, bodies and parts cannot take each other's place.

// Keys encrypt objects. The zero value has none: then only what comes with a customer's key is encrypted.
type Keys struct {
	Managed [][]byte // of SSE-S3: the first encrypts, all decrypt
	KMS     []KMSKey // of SSE-KMS: the first is that of who names none

	// Make makes and keeps the key of a store that has no Managed, when it is opened; nil makes none. It is not called
	// for a store that has encrypted objects: Open then fails with [ErrKeyLost], for a new key could not read them.
	Make func() ([]byte, error)
}

// ErrKeyLost is that a store has encrypted objects, and no managed key is there any more.
var ErrKeyLost = errors.New("objects are encrypted, and the key is not there")

// make makes the key of a store that has none.
func (k *Keys) make(encrypted bool) error {
	if len(k.Managed) > 0 || k.Make == nil {
		return nil
	}
	if encrypted {
		return ErrKeyLost
	}
	made, err := k.Make()
	k.Managed = [][]byte{made}
	return err
}

// KMSKey is a key of KMS, under the name that clients have for it.
type KMSKey struct {
	ID  string
	Key []byte
}

// KeySize is how many bytes a key has, at the least.
const KeySize = 32

// String implements fmt.Stringer: keys are not printed.
func (Keys) String() string { return "***" }

// GoString implements fmt.GoStringer.
func (k Keys) GoString() string { return k.String() }

// keyring are keys that seal.
type keyring struct {
	managed []sealingKey
	kms     []sealingKey
	names   []string // of kms
}

// newKeyring prepares keys.
func newKeyring(k Keys) (*keyring, error) {
	r := &keyring{}
	for _, secret := range k.Managed {
		s, err := newSealingKey(secret, "managed")
		if err != nil {
			return nil, err
		}
		r.managed = append(r.managed, s)
	}
	for _, key := range k.KMS {
		s, err := newSealingKey(key.Key, "kms "+key.ID)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key.ID, err)
		}
		r.kms, r.names = append(r.kms, s), append(r.names, key.ID)
	}
	return r, nil
}

// sealingKey seals the keys of objects.
type sealingKey struct {
	id  [8]byte // tells keys apart, and nothing of them
	siv *subtle.AESSIV
}

// newSealingKey derives a key from a secret for a purpose.
func newSealingKey(secret []byte, purpose string) (sealingKey, error) {
	if len(secret) < KeySize {
		return sealingKey{}, fmt.Errorf("a key of %d bytes; it must have %d", len(secret), KeySize)
	}
	b, err := hkdf.Key(sha256.New, secret, nil, "xronox-proxy local disk: "+purpose, subtle.AESSIVKeySize+8)
	if err != nil {
		return sealingKey{}, err
	}
	siv, err := subtle.NewAESSIV(b[:subtle.AESSIVKeySize])
	return sealingKey{id: [8]byte(b[subtle.AESSIVKeySize:]), siv: siv}, err
}

// Why an object cannot be read, for the operator.
var (
	errNoKey  = errors.New("the key that encrypted it is not configured")
	errSealed = errors.New("its key does not open: the row is damaged, or is that of another object")
)

// find returns the key that has sealed something; of the managed ones the one with an id.
func (r *keyring) find(e *backends.Encryption, id []byte) (sealingKey, error) {
	if e.Algorithm == types.ServerSideEncryptionAwsKms {
		for i, name := range r.names {
			if name == e.KMSKeyID {
				return r.kms[i], nil
			}
		}
		return sealingKey{}, fmt.Errorf("%w: %q", errNoKey, e.KMSKeyID)
	}
	for _, k := range r.managed {
		if bytes.Equal(k.id[:], id) {
			return k, nil
		}
	}
	return sealingKey{}, fmt.Errorf("%w: %x", errNoKey, id)
}

// choose returns the key to encrypt with as e asks, and completes e.
func (r *keyring) choose(e *backends.Encryption) (sealingKey, error) {
	switch {
	case e.Algorithm == types.ServerSideEncryptionAes256 && len(r.managed) > 0:
		return r.managed[0], nil
	case e.Algorithm == types.ServerSideEncryptionAwsKms && len(r.kms) > 0:
		if e.KMSKeyID == "" {
			e.KMSKeyID = r.names[0]
		}
		k, err := r.find(e, nil)
		if err != nil {
			return k, s3err.Newf(s3err.KMSNotFound, "Key '%s' does not exist", e.KMSKeyID)
		}
		return k, nil
	}
	return sealingKey{}, s3err.Newf(s3err.NotImplemented, "The storage of this bucket does not encrypt so.").
		With("Header", "x-amz-server-side-encryption")
}

// customerKey is the key of a customer's that seals.
func customerKey(k backends.CustomerKey) (sealingKey, error) {
	return newSealingKey(k.Bytes(), "customer")
}

// bound is what a sealed key goes with: nobody can have it opened for another object, or another kind of encryption.
func bound(p place, e *backends.Encryption) []byte {
	b := binary.BigEndian.AppendUint64([]byte("object"), uint64(p.bkt.id))
	for _, s := range []string{p.key, string(e.Algorithm), e.KMSKeyID, e.Context, e.Customer} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// objectCipher is the key of an object; nil for one that is not encrypted.
type objectCipher []byte

// newCipher makes the key of a new object at p that is to be encrypted as e asks, and seals it.
func (r *keyring) newCipher(p place, e *backends.Encryption, k backends.CustomerKey) (c objectCipher, sealed []byte, err error) {
	if *e == (backends.Encryption{}) {
		return nil, nil, nil
	}
	c = make([]byte, KeySize)
	_, _ = rand.Read(c) // It never fails.
	sealed, err = r.seal(c, p, e, k)
	return c, sealed, err
}

// seal seals the key of an object at p.
func (r *keyring) seal(c objectCipher, p place, e *backends.Encryption, k backends.CustomerKey) ([]byte, error) {
	var s sealingKey
	var err error
	if e.Customer != "" {
		s, err = customerKey(k)
	} else {
		s, err = r.choose(e)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := s.siv.EncryptDeterministically(c, bound(p, e))
	return append(s.id[:], sealed...), err
}

// open opens the key of an object at p.
func (r *keyring) open(p place, o *object, k backends.CustomerKey) (objectCipher, error) {
	e := &o.Encryption
	if *e == (backends.Encryption{}) {
		return nil, nil
	}
	var s sealingKey
	if len(o.sealed) < len(s.id) {
		return nil, fmt.Errorf("localbackend: %w", errSealed)
	}
	var err error
	if e.Customer != "" {
		s, err = customerKey(k)
	} else {
		s, err = r.find(e, o.sealed[:len(s.id)])
	}
	if err != nil {
		return nil, fmt.Errorf("localbackend: %w", err)
	}
	c, err := s.siv.DecryptDeterministically(o.sealed[len(s.id):], bound(p, e))
	if err != nil || len(c) != KeySize {
		return nil, fmt.Errorf("localbackend: %w", errSealed)
	}
	return c, nil
}

// hide has the ETag tell nothing when it is to.
func (c objectCipher) hide(d *backends.Digest, e *backends.Encryption) {
	if c != nil && e.Hides() {
		mac := hmac.New(sha256.New, c)
		mac.Write([]byte("etag"))
		d.Hide(mac.Sum(nil))
	}
}

// config is what a body is encrypted with.
func (c objectCipher) config(seg segment) sio.Config {
	mac := hmac.New(sha256.New, c)
	mac.Write([]byte("body"))
	mac.Write(seg.name[:])
	mac.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, uint32(seg.number)), uint64(seg.size)))
	return sio.Config{
		MinVersion: sio.Version20, MaxVersion: sio.Version20, CipherSuites: []byte{sio.AES_256_GCM}, Key: mac.Sum(nil),
	}
}

// Packages, as they are in plain and as they are stored.
const (
	payloadSize = 64 << 10
	packageSize = payloadSize + 32
)

// storedSize is how many bytes a body takes.
func (c objectCipher) storedSize(size int64) int64 {
	if c == nil {
		return size
	}
	n, err := sio.EncryptedSize(uint64(size))
	if err != nil {
		panic("BUG: localbackend: a body of " + fmt.Sprint(size) + " bytes")
	}
	return int64(n)
}

// writer encrypts a body on its way to dst. It is closed at its end, and not dst.
func (c objectCipher) writer(dst io.Writer, seg segment) (io.WriteCloser, error) {
	if c == nil || seg.size == 0 {
		return nopCloser{dst}, nil
	}
	return sio.EncryptWriter(struct{ io.Writer }{dst}, c.config(seg))
}

// nopCloser is a writer that is not closed.
type nopCloser struct{ io.Writer }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

// reader decrypts a body from an offset on. Only the packages that are read are decrypted, each before any of it is
// given out. What is missing at the end is the reader's to notice: it knows the size.
func (c objectCipher) reader(r io.ReaderAt, seg segment, off int64) (io.Reader, error) {
	if c == nil {
		return io.NewSectionReader(r, off, seg.size-off), nil
	}
	first := off / payloadSize
	config := c.config(seg)
	config.SequenceNumber = uint32(first)
	stored := c.storedSize(seg.size)
	d, err := sio.DecryptReader(io.NewSectionReader(r, first*packageSize, stored-first*packageSize), config)
	if err != nil {
		return nil, err
	}
	_, err = io.CopyN(io.Discard, d, off-first*payloadSize)
	return d, err
}

// TestKeys are keys for tests, which everybody knows.
func TestKeys() Keys {
	return Keys{
		Managed: [][]byte{bytes.Repeat([]byte{1}, KeySize)},
		KMS:     []KMSKey{{ID: "test-key", Key: bytes.Repeat([]byte{2}, KeySize)}},
	}
}
