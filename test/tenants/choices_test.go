package tenants

import "fmt"

// choices are bytes that decisions are made from: random ones in the tests, and
// the fuzzer's own in FuzzTenants. When there are none left, each decision is for the first.
type choices struct{ data []byte }

// n is a number below limit.
func (c *choices) n(limit int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := int(c.data[0])
	c.data = c.data[1:]
	return b % limit
}

// oneIn is true every limit-th time.
func (c *choices) oneIn(limit int) bool { return c.n(limit) == limit-1 }

// done reports whether there is nothing left to decide from.
func (c *choices) done() bool { return len(c.data) == 0 }

// pick is one of the list.
func pick[T any](c *choices, list ...T) T { return list[c.n(len(list))] }

// escapeAll escapes every byte.
func escapeAll(s string) string {
	var b []byte
	for i := range len(s) {
		b = fmt.Appendf(b, "%%%02x", s[i])
	}
	return string(b)
}

// escaped is s as it belongs into a path: slashes stay.
func escaped(s string) string {
	var b []byte
	for i := range len(s) {
		switch ch := s[i]; {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', ch == '-', ch == '.', ch == '/', ch == '_':
			b = append(b, ch)
		default:
			b = fmt.Appendf(b, "%%%02X", ch)
		}
	}
	return string(b)
}
