// Package token seals what clients carry for us (continuation tokens,
// UploadIds) so that they can neither read it, nor change it, nor use it
// anywhere but where it was given out. Equal contents give equal tokens:
// an UploadId must not change between two listings.
package token

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/daead/subtle"
)

// keySize is that of AES-SIV with two AES-256 keys, the only one Tink takes.
const keySize = 64

// maxLength bounds a token before any work is spent on it. The longest we
// seal is an upstream UploadId or a key of 1,024 bytes with some context.
const maxLength = 8 << 10

// encoding is strict, so that a sealed text has exactly one spelling.
var encoding = base64.RawURLEncoding.Strict()

// ErrInvalid is the answer to every token that was not sealed here, for this
// kind and binding, with one of our keys.
var ErrInvalid = errors.New("token: not one of ours")

// Sealer seals and opens tokens with AES-SIV (RFC 5297). It is safe for
// concurrent use.
type Sealer struct {
	keys []*subtle.AESSIV // the first seals, all open
}

// New returns a Sealer that seals with the first key and opens with any, so
// that keys can be rotated while tokens are out.
func New(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("token: no key")
	}
	s := &Sealer{}
	for i, key := range keys {
		k, err := subtle.NewAESSIV(key)
		if err != nil {
			return nil, fmt.Errorf("token: key %d: %w", i+1, err)
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// NewKey returns a random key for [New].
func NewKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key)
	return key
}

// Seal returns plaintext as a token of URL-safe characters. Only [Sealer.Open]
// with the same kind and the same bind values gives it back.
func (s *Sealer) Seal(kind byte, plaintext []byte, bind ...string) string {
	sealed, err := s.keys[0].EncryptDeterministically(plaintext, associated(kind, bind))
	if err != nil {
		panic("BUG: token: seal: " + err.Error()) // only for texts of some 2 GiB
	}
	return encoding.EncodeToString(sealed)
}

// Open returns what was sealed, or [ErrInvalid].
func (s *Sealer) Open(kind byte, token string, bind ...string) ([]byte, error) {
	// The decoder skips line breaks even when it is strict.
	if len(token) > maxLength || strings.ContainsAny(token, "\r\n") {
		return nil, ErrInvalid
	}
	sealed, err := encoding.DecodeString(token)
	if err != nil {
		return nil, ErrInvalid
	}
	ad := associated(kind, bind)
	for _, key := range s.keys {
		if plaintext, err := key.DecryptDeterministically(sealed, ad); err == nil {
			return plaintext, nil
		}
	}
	return nil, ErrInvalid
}

// associated encodes kind and bind without ambiguity: each value behind its length.
func associated(kind byte, bind []string) []byte {
	ad := []byte{kind}
	for _, b := range bind {
		ad = binary.AppendUvarint(ad, uint64(len(b)))
		ad = append(ad, b...)
	}
	return ad
}
