package s3api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xronox/xronox-proxy/s3err"
)

// postPolicy is what the signer of a form allows its user to send.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
type postPolicy struct {
	expiration time.Time
	conditions []postCondition
}

// postCondition is what must be true of one field, or of the size of the file.
type postCondition struct {
	op           string // postEq, postStartsWith or postRange
	field, value string // as the policy spells them; field with its dollar sign
	min, max     int64  // of a range that can be read
	unread       bool   // of a range that cannot
}

// The operations of conditions. The policy may write them in any case.
const (
	postEq         = "eq"
	postStartsWith = "starts-with"
	postRange      = "content-length-range"
)

// badPolicy is the error for a policy that is none.
func badPolicy(format string, args ...any) error {
	return s3err.Newf(s3err.InvalidPolicyDocument, "Invalid Policy: "+format, args...)
}

// badJSON is that for a policy that is not written in JSON, or has other types than it should.
func badJSON(cause error) error {
	return s3err.Newf(s3err.InvalidPolicyDocument, "Invalid Policy: Invalid JSON.").Because(cause)
}

// parsePolicy reads a policy from the field of a form.
func parsePolicy(field string) (*postPolicy, error) {
	text, err := base64.StdEncoding.DecodeString(field)
	switch {
	case err != nil:
		return nil, badPolicy("invalid Base64 encoding.")
	case len(text) == 0:
		return nil, badPolicy("Expecting '{' but found End-of-Input")
	case !utf8.Valid(text):
		return nil, badJSON(nil)
	}
	var members map[string]json.RawMessage // Names are case-sensitive here, unlike in a struct.
	if err := json.Unmarshal(plainJSON(text), &members); err != nil || members == nil {
		return nil, badJSON(err)
	}
	for name := range members {
		if name != "expiration" && name != "conditions" {
			return nil, badPolicy("Unexpected: '%s'", strings.ToLower(name))
		}
	}
	p := &postPolicy{}
	if p.expiration, err = parseExpiration(members["expiration"]); err != nil {
		return nil, err
	}
	if p.conditions, err = parseConditions(members["conditions"]); err != nil {
		return nil, err
	}
	return p, nil
}

// plainJSON replaces the two escapes that policies have and JSON does not.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html#sigv4-HTTPPOSTEscaping
func plainJSON(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\`)) {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		i++
		switch text[i] {
		case '$':
			out = append(out, '$')
		case 'v':
			out = append(out, `\u000b`...)
		default:
			out = append(out, '\\', text[i])
		}
	}
	return out
}

// parseExpiration reads when the policy ends: a time of GMT, which says so.
func parseExpiration(raw json.RawMessage) (time.Time, error) {
	if raw == nil {
		return time.Time{}, badPolicy("Policy missing expiration.")
	}
	s, err := jsonString(raw)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strings.HasSuffix(s, "Z") {
		return time.Time{}, badPolicy("Invalid 'expiration' value: '%s'", s)
	}
	return t, nil
}

// parseConditions reads the list of conditions.
func parseConditions(raw json.RawMessage) ([]postCondition, error) {
	if raw == nil {
		return nil, badPolicy("Policy missing conditions.")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return nil, badPolicy("Invalid 'conditions' value: must be a List.")
	}
	conditions := make([]postCondition, 0, len(list))
	for _, raw := range list {
		c, err := parseCondition(raw)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

// parseCondition reads one condition, in whichever of the two ways it is written.
func parseCondition(raw json.RawMessage) (postCondition, error) {
	switch raw[0] {
	case '{':
		return parseSimpleCondition(raw)
	case '[':
	default:
		return postCondition{}, badPolicy("Invalid condition test: must be a List or Object.")
	}
	var args []json.RawMessage
	if err := json.Unmarshal(raw, &args); err != nil {
		return postCondition{}, badJSON(err)
	}
	if len(args) == 0 {
		return postCondition{}, badPolicy("Invalid Condition: missing operation identifier.")
	}
	written, err := jsonString(args[0])
	if err != nil {
		return postCondition{}, err
	}
	op := strings.ToLower(written)
	switch {
	case op != postEq && op != postStartsWith && op != postRange:
		return postCondition{}, badPolicy("Invalid Condition: unknown operation '%s'.", written)
	case len(args) != 3: // operation and two operands
		return postCondition{}, badPolicy("Invalid %s: wrong number of arguments.", written)
	case op == postRange:
		return parseRange(args[1], args[2])
	}
	c := postCondition{op: op}
	if c.field, err = jsonString(args[1]); err == nil {
		c.value, err = jsonString(args[2])
	}
	return c, err
}

// parseSimpleCondition reads {"field": "value"}, another way to write eq.
func parseSimpleCondition(raw json.RawMessage) (postCondition, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return postCondition{}, badJSON(err)
	}
	if len(members) != 1 {
		return postCondition{}, badPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
	}
	c := postCondition{op: postEq}
	for name, value := range members {
		c.field = "$" + name
		switch value[0] {
		case '"':
		case 'n': // null
			return c, badJSON(nil)
		default:
			return c, badPolicy("Invalid Simple-Condition: value must be a string.")
		}
		var err error
		if c.value, err = jsonString(value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// parseRange reads the limits of the file's size: whole numbers, or texts. A text
// that is no number is a condition that nothing meets.
func parseRange(low, high json.RawMessage) (postCondition, error) {
	c := postCondition{op: postRange}
	var texts [2]string
	for i, raw := range [...]json.RawMessage{low, high} {
		texts[i] = string(raw)
		if raw[0] == '"' {
			var err error
			if texts[i], err = jsonString(raw); err != nil {
				return c, err
			}
		}
		n, err := strconv.ParseUint(texts[i], 10, 63)
		switch {
		case err == nil:
		case raw[0] == '"':
			c.unread = true
		default:
			return c, badJSON(err)
		}
		if i == 0 {
			c.min = int64(n)
		} else {
			c.max = int64(n)
		}
	}
	c.field, c.value = texts[0], texts[1]
	return c, nil
}

// jsonString is raw, which must be a string.
func jsonString(raw json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", badJSON(err)
	}
	return *s, nil
}

// allows judges a form: that the policy has not expired, that each condition is
// met, and that each field has one.
func (p *postPolicy) allows(f *form, bucket string, now time.Time) error {
	if now.After(p.expiration) {
		return s3err.Newf(s3err.AccessDenied, "Invalid according to Policy: Policy expired.")
	}
	for i := range p.conditions {
		if !p.conditions[i].met(f, bucket) {
			return s3err.Newf(s3err.AccessDenied, "Invalid according to Policy: Policy Condition failed: %s", p.conditions[i])
		}
	}
	if !p.covers("bucket") {
		return extraField("bucket")
	}
	for _, field := range f.fields {
		if needsCondition(field.name) && !p.covers(field.name) {
			return extraField(field.name)
		}
	}
	return nil
}

// extraField is the error for what no condition mentions.
func extraField(name string) error {
	return s3err.Newf(s3err.AccessDenied, "Invalid according to Policy: Extra input fields: %s", name)
}

// needsCondition reports whether a field may only be there if a condition mentions it.
func needsCondition(name string) bool {
	return !isNamed(name, "policy") && !isNamed(name, "x-amz-signature") && !ignored(name)
}

// covers reports whether a condition mentions the field.
func (p *postPolicy) covers(name string) bool {
	return slices.ContainsFunc(p.conditions, func(c postCondition) bool {
		return c.op != postRange && c.field[:min(1, len(c.field))] == "$" && isNamed(c.field[1:], name)
	})
}

// met reports whether the condition is true of the form. The bucket is that of the
// URL, whatever a field of that name says. A field that is not there meets nothing, not even the
// empty prefix.
func (c postCondition) met(f *form, bucket string) bool {
	if c.op == postRange {
		return !c.unread // the size is not known yet
	}
	name, ok := strings.CutPrefix(c.field, "$")
	if !ok {
		return false
	}
	value := bucket
	if !isNamed(name, "bucket") {
		if value, ok = f.lookup(name); !ok {
			return false
		}
	}
	switch {
	case c.op == postEq:
		return value == c.value
	case isNamed(name, "Content-Type"):
		return eachHasPrefix(value, c.value)
	}
	return strings.HasPrefix(value, c.value)
}

// eachHasPrefix reports whether each type of a list begins with prefix.
func eachHasPrefix(list, prefix string) bool {
	for value := range strings.SplitSeq(list, ",") {
		if !strings.HasPrefix(strings.TrimLeft(value, " "), prefix) {
			return false
		}
	}
	return true
}

// String is the condition as S3 shows it, however it was written.
func (c postCondition) String() string {
	b := append([]byte(`["`), c.op...)
	b = append(b, '"')
	for _, s := range [...]string{c.field, c.value} {
		b = append(b, ", "...)
		b = append(b, quoteJSON(s)...)
	}
	return string(append(b, ']'))
}

// quoteJSON writes a string as JSON does, and leaves the characters of HTML alone.
func quoteJSON(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be written, and so can a buffer
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// size is between what sizes the policy allows the file. Without a policy's word it is what S3 takes.
func (p *postPolicy) size() sizeRange {
	r := sizeRange{max: maxObjectBytes}
	for i := range p.conditions {
		if c := &p.conditions[i]; c.op == postRange {
			r.min, r.max = max(r.min, c.min), min(r.max, c.max)
		}
	}
	return r
}

// sizeRange is how small and how large a file may be.
type sizeRange struct{ min, max int64 }

// check refuses a file of n bytes when that is too few or too many.
func (r sizeRange) check(n int64) error {
	switch {
	case n > r.max:
		return s3err.New(s3err.EntityTooLarge).With("ProposedSize", itoa(n)).With("MaxSizeAllowed", itoa(r.max))
	case n < r.min:
		return s3err.New(s3err.EntityTooSmall).With("ProposedSize", itoa(n)).With("MinSizeAllowed", itoa(r.min))
	}
	return nil
}
