package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// scratch is the memory in which requests are put in canonical form.
type scratch struct {
	canonical []byte
	toSign    []byte
	escaped   []byte  // the query's names and values
	params    []param // what is where in it
	computed  []byte  // our signature
	provided  []byte  // the client's
}

// param is a query parameter: escaped[start:mid] is its name, [mid:end] its value.
type param struct{ start, mid, end int }

// scratches keeps them between requests.
var scratches = sync.Pool{New: func() any { return new(scratch) }}

// form is how a request is put in canonical form, where S3 leaves a choice or
// a middle box made one.
type form struct {
	host  string
	slash bool // an escaped slash in the path is a slash
}

// canonicalize writes the canonical request of r:
//
//	method, path, query, headers, their names, payload
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#canonical-request
func (s *scratch) canonicalize(r *Request, c *claim, f form) error {
	b := append(s.canonical[:0], r.Method...)
	b = append(b, '\n')
	b, err := appendPath(b, r.Path, f.slash)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if b, err = s.appendQuery(b, r.Query, c.presigned); err != nil {
		return err
	}
	b = append(b, '\n')
	for name := range strings.SplitSeq(c.signedHeaders, ";") {
		b = append(b, name...)
		b = append(b, ':')
		if name == "host" {
			b = append(b, f.host...)
		} else {
			b = appendValues(b, r.Headers, name)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, c.signedHeaders...)
	b = append(b, '\n')
	s.canonical = append(b, c.payload...)
	return nil
}

// stringToSign writes the string to sign for the canonical request in s.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#create-string-to-sign
func (s *scratch) stringToSign(c *claim) {
	b := append(s.toSign[:0], algorithm+"\n"...)
	b = append(b, c.stamp...)
	b = append(b, '\n')
	b = append(b, c.scope...)
	b = append(b, '\n')
	sum := sha256.Sum256(s.canonical)
	s.toSign = hex.AppendEncode(b, sum[:])
}

// appendPath appends the path, each byte decoded and escaped once. S3 does not
// normalise: "//", "." and ".." are parts of keys.
func appendPath(b []byte, path string, slash bool) ([]byte, error) {
	if path == "" {
		return append(b, '/'), nil
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch c {
		case '/':
			b = append(b, '/')
			continue
		case '%':
			var ok bool
			if c, ok = unhex(path[i:]); !ok {
				return b, invalidURI()
			}
			i += 2
			if c == '/' && slash {
				b = append(b, '/')
				continue
			}
		}
		b = appendEscaped(b, c)
	}
	return b, nil
}

// appendQuery appends the parameters, decoded and escaped once, in the order
// of the escaped names and then values. A presigned URL's signature is not one
// of them.
func (s *scratch) appendQuery(b []byte, query string, presigned bool) ([]byte, error) {
	s.escaped, s.params = s.escaped[:0], s.params[:0]
	var err error
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		p := param{start: len(s.escaped)}
		if s.escaped, err = appendDecoded(s.escaped, name); err != nil {
			return b, err
		}
		p.mid = len(s.escaped)
		if s.escaped, err = appendDecoded(s.escaped, value); err != nil {
			return b, err
		}
		p.end = len(s.escaped)
		if presigned && string(s.escaped[p.start:p.mid]) == "X-Amz-Signature" {
			continue
		}
		s.params = append(s.params, p)
	}
	slices.SortFunc(s.params, func(x, y param) int {
		if c := bytes.Compare(s.escaped[x.start:x.mid], s.escaped[y.start:y.mid]); c != 0 {
			return c
		}
		return bytes.Compare(s.escaped[x.mid:x.end], s.escaped[y.mid:y.end])
	})
	for i, p := range s.params {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, s.escaped[p.start:p.mid]...)
		b = append(b, '=')
		b = append(b, s.escaped[p.mid:p.end]...)
	}
	return b, nil
}

// appendDecoded appends part of a query, decoded and escaped once.
func appendDecoded(b []byte, s string) ([]byte, error) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			var ok bool
			if c, ok = unhex(s[i:]); !ok {
				return b, invalidURI()
			}
			i += 2
		}
		b = appendEscaped(b, c)
	}
	return b, nil
}

// appendValues appends the values of all headers with that name, joined by
// commas, their inner runs of spaces made one. A header that was signed and did not
// arrive counts as empty, since some stacks drop empty headers.
func appendValues(b []byte, headers []Header, name string) []byte {
	first := true
	for _, h := range headers {
		if !sameName(h.Name, name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendCollapsed(b, h.Value)
	}
	return b
}

// appendCollapsed appends s without outer white space and with single spaces.
func appendCollapsed(b []byte, s string) []byte {
	s = strings.Trim(s, " \t")
	if !strings.Contains(s, "  ") {
		return append(b, s...) // Fast path
	}
	for i := range len(s) {
		if s[i] != ' ' || s[i-1] != ' ' {
			b = append(b, s[i])
		}
	}
	return b
}
