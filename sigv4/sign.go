package sigv4

import (
	"slices"
	"strings"
	"time"
)

// Signer signs requests that go out to an S3 service. It is safe for
// concurrent use.
type Signer struct {
	AccessKey, SecretKey string
	SessionToken         string // of temporary credentials
	Region               string

	keys keyRing
}

// Sign adds to r's headers what authenticates it: X-Amz-Date,
// X-Amz-Content-Sha256, X-Amz-Security-Token if there is one, and
// Authorization. It covers the host, Content-Type, Content-Md5 and all x-amz-*
// headers, and no others: proxies, and some stores, change the rest.
//
// r.Path must be escaped as S3 keys are on the wire, and InvalidURI is the only
// error. None of the added headers may be there already.
func (s *Signer) Sign(r *Request, payload Payload, now time.Time) error {
	stamp := now.UTC().Format(stampLayout)
	r.Headers = append(r.Headers, Header{"X-Amz-Date", stamp}, Header{"X-Amz-Content-Sha256", string(payload)})
	if s.SessionToken != "" {
		r.Headers = append(r.Headers, Header{"X-Amz-Security-Token", s.SessionToken})
	}
	c := claim{
		accessKey: s.AccessKey, day: stamp[:8], region: s.Region, scope: stamp[:8] + "/" + s.Region + "/s3/aws4_request",
		signedHeaders: namesToSign(r.Headers), payload: payload, stamp: stamp,
	}

	buf := scratches.Get().(*scratch)
	defer scratches.Put(buf)
	if err := buf.canonicalize(r, &c, form{host: r.Host}); err != nil {
		return err
	}
	buf.stringToSign(&c)
	name := scopeName{c.accessKey, s.SecretKey, c.day, c.region}
	key, known := s.keys.get(name)
	if !known {
		s.keys.put(name, key)
	}
	buf.computed = key.appendSignature(buf.computed[:0], buf.toSign)
	r.Headers = append(r.Headers, Header{"Authorization", algorithm + " Credential=" + c.accessKey + "/" + c.scope +
		", SignedHeaders=" + c.signedHeaders + ", Signature=" + string(buf.computed)})
	return nil
}

// namesToSign is the value of SignedHeaders for a request with these headers.
func namesToSign(headers []Header) string {
	names := append(make([]string, 0, 16), "host")
	for _, h := range headers {
		name := strings.ToLower(h.Name)
		if isAmz(name) || name == "content-type" || name == "content-md5" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ";")
}
