package wiretest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// formBoundary is between the parts of forms.
const formBoundary = "boundary"

// field is a field of a form. A file has a name of its own.
type field struct{ name, filename, value string }

// form makes a form of the lines of a request's body, and signs it with the
// policy of the directive. A line of a field is "name: value"; that of a file is
// "file=filename: value". A field of the signature is added unless there is
// one; the value "-" leaves it out.
func (p *player) form(r *request) {
	fields, after := formFields(string(r.body))
	given := map[string]string{}
	for _, f := range fields {
		given[f.name] = f.value
	}
	if policy := r.directives["form"]; policy != "" {
		for _, f := range p.signForm(r, policy) {
			if _, ok := given[f.name]; !ok {
				fields = append(fields, f)
			}
		}
	}
	r.body = encodeForm(append(fields, after...))
	if !strings.Contains(strings.ToLower(strings.Join(r.headers, "\n")), "content-type:") {
		r.headers = append(r.headers, "Content-Type: multipart/form-data; boundary="+formBoundary)
	}
	r.directives["anonymous"] = ""
}

// formFields reads fields; the file and what follows it are apart.
func formFields(lines string) (fields, after []field) {
	for line := range strings.SplitSeq(lines, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		name, filename, _ := strings.Cut(name, "=")
		f := field{name, filename, value}
		switch {
		case line == "":
		case strings.EqualFold(name, "file") || after != nil:
			after = append(after, f)
		default:
			fields = append(fields, f)
		}
	}
	return fields, after
}

// signForm is the fields that sign a policy; their conditions are added to it.
func (p *player) signForm(r *request, policy string) []field {
	creds := p.target.Identities[r.directives["as"]]
	region, ok := r.directives["region"]
	if !ok {
		region = p.target.Region
	}
	stamp := p.target.Now().UTC().Format("20060102T150405Z")
	fields := []field{
		{name: "x-amz-algorithm", value: "AWS4-HMAC-SHA256"},
		{name: "x-amz-credential", value: creds.AccessKeyID + "/" + stamp[:8] + "/" + region + "/s3/aws4_request"},
		{name: "x-amz-date", value: stamp},
	}
	before, conditions, found := strings.Cut(policy, `"conditions": [`)
	for _, f := range fields {
		if found {
			conditions = fmt.Sprintf(`{"%s": "%s"}, `, f.name, f.value) + conditions
		}
	}
	if found {
		policy = before + `"conditions": [` + strings.Replace(conditions, ", ]", "]", 1)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(policy))
	key := []byte("AWS4" + creds.SecretAccessKey)
	for _, s := range []string{stamp[:8], region, "s3", "aws4_request", encoded} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	return append(fields, field{name: "policy", value: encoded}, field{name: "x-amz-signature", value: hex.EncodeToString(key)})
}

// encodeForm writes a form as browsers do.
func encodeForm(fields []field) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		if f.value == "-" {
			continue
		}
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", formBoundary, f.name)
		if f.filename != "" {
			fmt.Fprintf(&b, "; filename=\"%s\"\r\nContent-Type: application/octet-stream", f.filename)
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", f.value)
	}
	fmt.Fprintf(&b, "--%s--\r\n", formBoundary)
	return b.Bytes()
}
