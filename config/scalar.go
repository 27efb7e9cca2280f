package config

import (
	"fmt"
	"io"
	"time"
)

// Secret is text that never prints: every way of formatting, logging or
// encoding it gives "***". Reveal is the only way to the text.
type Secret string

// masked stands for every secret in output.
const masked = "***"

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String is "***", or nothing when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// Format keeps every verb of package fmt from the text, %x and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText keeps encoders, and slog with them, from the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Duration is a time.Duration that reads and prints as "30s".
type Duration struct{ time.Duration }

// UnmarshalText reads Go's notation, such as "1m30s".
func (d *Duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(text))
	return err
}

// MarshalText prints what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
