package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// isStoreURL reports whether a proxy can reach a store there: http or https,
// a host, a port that exists, and nothing behind the path.
func isStoreURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && port > 0
}

// urlScheme splits a URL as the WHATWG does.
var urlScheme = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.\-]*):(.*)$`)

// urlNoise is what the WHATWG's parser removes before it looks.
var urlNoise = strings.NewReplacer("\t", "", "\n", "", "\r", "")

// isWHATWGURL reports whether JavaScript's URL constructor takes s, which is
// what v3.1.0 asks of an endpoint: "localhost:9000" passes (the scheme is
// localhost), "s3.amazonaws.com" does not.
//
// https://url.spec.whatwg.org/#url-parsing
func isWHATWGURL(s string) bool {
	s = urlNoise.Replace(strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }))
	m := urlScheme.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	rest := m[2]
	switch strings.ToLower(m[1]) {
	case "http", "https", "ws", "wss", "ftp":
		// Any number of slashes, either way round.
		return validAuthority(strings.TrimLeft(rest, `/\`), true)
	case "file":
		return true
	}
	if after, found := strings.CutPrefix(rest, "//"); found {
		return validAuthority(after, false)
	}
	return true // an opaque path
}

// validAuthority judges what follows the slashes up to the path.
func validAuthority(s string, special bool) bool {
	end := "/?#"
	if special {
		end = `/\?#`
	}
	if i := strings.IndexAny(s, end); i >= 0 {
		s = s[:i]
	}
	at := strings.LastIndexByte(s, '@')
	host, port := s[at+1:], ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil || strings.HasPrefix(port, "+") {
			return false
		}
	}
	if host == "" {
		return !special && at < 0 && s == ""
	}
	if v6, found := strings.CutPrefix(host, "["); found {
		addr, err := netip.ParseAddr(strings.TrimSuffix(v6, "]"))
		return err == nil && addr.Is6() && addr.Zone() == "" && strings.HasSuffix(v6, "]")
	}
	if !special {
		return !strings.ContainsAny(host, "\x00\t\n\r #/:<>?@[\\]^|")
	}
	return validDomain(host)
}

// validDomain judges the host of a special URL.
func validDomain(host string) bool {
	if decoded, err := url.PathUnescape(host); err == nil {
		host = decoded
	}
	for _, r := range host {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("#/:<>?@[\\]^|%", r) {
			return false
		}
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := labels[len(labels)-1]
	if last == "" {
		return false
	}
	if _, numeric := ipv4Part(last); !numeric && strings.Trim(last, "0123456789") != "" {
		return true
	}
	return validIPv4(labels)
}

// ipv4Part reads one number of an address: decimal, octal or hexadecimal.
func ipv4Part(s string) (uint64, bool) {
	base, digits := 10, s
	switch {
	case strings.HasPrefix(strings.ToLower(s), "0x"):
		base, digits = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, digits = 8, s[1:]
	}
	if digits == "" {
		return 0, s != ""
	}
	v, err := strconv.ParseUint(digits, base, 64)
	return v, err == nil
}

// validIPv4 judges a host that ends in a number: it must be an address, whose
// last part fills the bytes that are left.
func validIPv4(parts []string) bool {
	if len(parts) > 4 {
		return false
	}
	for i, p := range parts {
		v, fine := ipv4Part(p)
		most := uint64(255)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if !fine || v > most {
			return false
		}
	}
	return true
}
