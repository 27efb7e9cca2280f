package tenants

import (
	"strings"

	"github.com/xronox/xronox-proxy/sigv4"
)

// disguise changes who an attempt seems to come from.
func (w *world) disguise(c *choices, a *attempt) {
	switch c.n(24) {
	case 0, 1:
		a.presigned = true
	case 2, 3:
		w.tamper(c, a)
	case 4:
		a.who, a.signer = nil, nil // nobody signs
	case 5: // with the right access key and another secret
		impostor := *a.signer
		impostor.SecretKey += "x"
		a.who, a.signer, a.presigned = nil, &impostor, c.oneIn(2)
	case 6: // signed by the one, said to be by the other
		other := w.people[c.n(len(w.people))]
		if from := a.signer.AccessKey; other.AccessKey != from {
			a.who, a.presigned = nil, c.oneIn(2)
			a.tamper = func(a *attempt) {
				a.query = strings.Replace(a.query, "X-Amz-Credential="+from, "X-Amz-Credential="+other.AccessKey, 1)
				for i := range a.headers {
					a.headers[i].Value = strings.Replace(a.headers[i].Value, "Credential="+from, "Credential="+other.AccessKey, 1)
				}
			}
		}
	case 7: // a header that is not signed
		at := w.object(c)
		a.late = append(a.late, sigv4.Header{Name: pick(c, "X-Amz-Copy-Source", "x-amz-copy-source", "X-AMZ-Meta-M"), Value: w.copySource(c, at)})
		a.refuse, a.presigned = "a header is not signed", c.oneIn(2)
	}
}

// tamper presigns the attempt and then changes something about it. Whoever had signed it,
// the result is nobody's.
func (w *world) tamper(c *choices, a *attempt) {
	a.presigned, a.who = true, nil
	other := w.object(c)
	kind := c.n(7)
	a.tamper = func(a *attempt) {
		path, query, method, host := a.path, a.query, a.method, a.host
		switch kind {
		case 0:
			a.path = "/" + other.bucket + "/" + escaped(other.key)
		case 1:
			a.path = strings.Replace(a.path, "vault", other.bucket, 1)
		case 2:
			a.method = map[string]string{"GET": "DELETE", "HEAD": "GET", "PUT": "DELETE", "DELETE": "GET", "POST": "PUT"}[a.method]
		case 3:
			a.query = strings.Replace(a.query, "X-Amz-Expires=60", "X-Amz-Expires=604800", 1)
		case 4:
			a.query += "&response-content-type=text/html"
		case 5:
			a.host = other.bucket + "." + a.host
		case 6:
			a.query = strings.Replace(a.query, "&X-Amz-Signature=", "&uploads&X-Amz-Signature=", 1)
		}
		if unescaped(path) == unescaped(a.path) && query == a.query && method == a.method && host == a.host {
			a.query += "&changed"
		}
	}
}
