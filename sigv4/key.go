package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
)

// signingKey is a key derived for one day, region and service. It keeps
// prepared hashes, since preparing one costs as much as signing with it.
type signingKey struct{ pool sync.Pool }

// mac is a prepared hash and room for its result.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

// scopeName is what a signing key is derived from. That the secret is part of
// it lets a changed one take effect at once.
type scopeName struct{ accessKey, secret, day, region string }

// derive derives the key.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#signing-key
func (n scopeName) derive() *signingKey {
	key := []byte("AWS4" + n.secret)
	for _, s := range [...]string{n.day, n.region, "s3", "aws4_request"} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	return &signingKey{sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, key)} }}}
}

// appendSignature appends the signature of message, in hex.
func (k *signingKey) appendSignature(b, message []byte) []byte {
	m := k.pool.Get().(*mac)
	defer k.pool.Put(m)
	m.Reset()
	m.Write(message)
	return hex.AppendEncode(b, m.Sum(m.sum[:0]))
}

// keysPerGeneration bounds a keyRing to twice as many keys.
const keysPerGeneration = 1024

// keyRing remembers signing keys. When the young generation is full it becomes
// the old one, and the old one is forgotten.
type keyRing struct {
	mu         sync.RWMutex
	young, old map[scopeName]*signingKey
}

// get returns the key for n, and whether it was remembered.
func (k *keyRing) get(n scopeName) (*signingKey, bool) {
	k.mu.RLock()
	key, young := k.young[n]
	if !young {
		key = k.old[n]
	}
	k.mu.RUnlock()
	if young {
		return key, true // Fast path
	}
	if key == nil {
		return n.derive(), false
	}
	k.put(n, key)
	return key, true
}

// put remembers a key. Callers put only keys that a valid request was signed
// with, or strangers could fill the ring with days and regions.
func (k *keyRing) put(n scopeName, key *signingKey) {
	n = scopeName{strings.Clone(n.accessKey), strings.Clone(n.secret), strings.Clone(n.day), strings.Clone(n.region)}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.young) >= keysPerGeneration {
		k.old, k.young = k.young, nil
	}
	if k.young == nil {
		k.young = make(map[scopeName]*signingKey)
	}
	k.young[n] = key
}
