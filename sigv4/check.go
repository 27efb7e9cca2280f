package sigv4

import (
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// check compares the signature that c claims with the one that its access
// key's secret gives, and returns the beginning of the chunks' chain.
func (v *Verifier) check(r *Request, c *claim) (chain, error) {
	secret, ok := v.o.Keys.SecretKey(c.accessKey)
	if !ok {
		return chain{}, s3err.New(s3err.InvalidAccessKeyID).With("AWSAccessKeyId", c.accessKey)
	}
	name := scopeName{c.accessKey, secret, c.day, c.region}
	key, known := v.keys.get(name)

	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	ok, err := s.matches(r, c, key, form{host: r.Host})
	if err != nil {
		return chain{}, err
	}
	if !ok && !v.matchesOther(s, r, c, key) { // Slow path
		return chain{}, s.mismatch(r, c)
	}
	if !known {
		v.keys.put(name, key)
	}
	return chain{key: key, accessKey: c.accessKey, stamp: c.stamp, scope: c.scope, previous: c.signature}, nil
}

// matches reports whether c's signature is that of r in the given form.
func (s *scratch) matches(r *Request, c *claim, key *signingKey, f form) (bool, error) {
	if err := s.canonicalize(r, c, f); err != nil {
		return false, err
	}
	s.stringToSign(c)
	s.computed = key.appendSignature(s.computed[:0], s.toSign)
	s.provided = append(s.provided[:0], c.signature...)
	return subtle.ConstantTimeCompare(s.computed, s.provided) == 1, nil
}

// matchesOther tries the other forms in which a client may have signed r: with
// or without the scheme's port, under another name of the same, with %2F in the path as a slash.
func (v *Verifier) matchesOther(s *scratch, r *Request, c *claim, key *signingKey) bool {
	hosts := append([]string{r.Host}, otherPorts(r.Host)...)
	if v.o.Aliases != nil {
		hosts = append(hosts, v.o.Aliases(r.Host)...)
	}
	for i, host := range hosts {
		for _, slash := range []bool{false, true} {
			if i == 0 && !slash || slash && !hasEscapedSlash(r.Path) {
				continue
			}
			if ok, _ := s.matches(r, c, key, form{host, slash}); ok {
				return true
			}
		}
	}
	return false
}

// otherPorts is host without its port, if that is a scheme's own, or with each
// scheme's own port, if it has none.
func otherPorts(host string) []string {
	for _, port := range []string{":443", ":80"} {
		if bare, ok := strings.CutSuffix(host, port); ok {
			return []string{bare}
		}
	}
	if strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') {
		return nil
	}
	return []string{host + ":443", host + ":80"}
}

// hasEscapedSlash reports whether a raw path holds %2F.
func hasEscapedSlash(path string) bool {
	return strings.Contains(path, "%2F") || strings.Contains(path, "%2f")
}

// mismatch is the error for a wrong signature. As S3's does, it shows what we
// signed, so that the author of a client can find the difference.
func (s *scratch) mismatch(r *Request, c *claim) error {
	if err := s.canonicalize(r, c, form{host: r.Host}); err != nil {
		return err
	}
	s.stringToSign(c)
	return s3err.New(s3err.SignatureDoesNotMatch).
		With("AWSAccessKeyId", c.accessKey).
		With("StringToSign", string(s.toSign)).
		With("SignatureProvided", c.signature).
		With("StringToSignBytes", fmt.Sprintf("% x", s.toSign)).
		With("CanonicalRequest", string(s.canonical)).
		With("CanonicalRequestBytes", fmt.Sprintf("% x", s.canonical))
}
