package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// secretWords make a name the name of a secret. v3.1.0 looks for them
// anywhere in a path, and so hides $.monkey; here they are whole words.
var secretWords = []string{
	"password", "secret", "key", "token", "credential", "credentials", "auth",
	"accesskey", "secretkey", "apikey", "passphrase",
}

// word finds the words of a name: accessKey, ACCESS_KEY and access-key are all
// two.
var word = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+`)

// password finds the password of a URL.
var password = regexp.MustCompile(`(://[^/@:\s]*:).*@`)

// harmless are texts that may be shown although their names are those of
// secrets: ids of access keys, and names of variables, as people misspell them,
// too. A secret that is there by mistake looks otherwise: it is longer, or not
// all in capitals.
var harmless = map[string]*regexp.Regexp{
	"accessKey":    regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`),
	"secretKeyEnv": variable,
	"keyEnv":       variable,
}

// variable is the name of an environment variable.
var variable = regexp.MustCompile(`^\$?\{?[A-Z][A-Z0-9_.-]{0,39}\}?$`)

// encryptionOpen are the members of the section of encryption keys that hold none. Every other text there may be a key in
// the wrong place, and it is not shown at all.
var encryptionOpen = []string{"id", "keyEnv", "keyFile"}

// maybeKey reports whether a value at p may be an encryption key, whatever its name.
func maybeKey(p path) bool {
	const section = "xronoxProxy.encryption"
	at := strings.Index("."+string(p)+".", "."+section+".")
	return at >= 0 && !slices.Contains(encryptionOpen, p.name())
}

// maxShown bounds a value in a message, in bytes.
const maxShown = 80

// isSecretName reports whether a member of this name holds a secret.
func isSecretName(name string) bool {
	for _, w := range word.FindAllString(name, -1) {
		if slices.Contains(secretWords, strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// show is the value of n for messages: the token instead of what it stands
// for, secrets masked, nothing for lists and objects.
func show(p path, n *node) string {
	switch {
	case n == nil:
		return ""
	case n.token != "":
		return n.token
	case maybeKey(p) && (n.kind == kindText || n.kind == kindNumber):
		return masked
	case n.kind == kindBool:
		return strconv.FormatBool(n.truth)
	case n.kind == kindNumber && !isSecretName(p.name()):
		return strconv.FormatFloat(n.number, 'g', -1, 64)
	case n.kind == kindText && harmless[p.name()] != nil && harmless[p.name()].MatchString(n.text):
		return n.text
	case n.kind == kindText, n.kind == kindNumber:
		return Mask(p.name(), n.text)
	}
	return ""
}

// Mask is a text as it may be shown when it is the value of a member of the
// given name: secrets as v3.1.0 masks them in logs, URLs without passwords.
func Mask(name, text string) string {
	if isSecretName(name) {
		if utf8.RuneCountInString(text) <= 8 {
			return masked
		}
		r := []rune(text)
		return string(r[:4]) + "..." + string(r[len(r)-4:])
	}
	text = password.ReplaceAllString(text, "${1}"+masked+"@")
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "..."
	}
	return strconv.Quote(text)
}
