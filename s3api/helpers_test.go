package s3api

import (
	"bufio"
	"encoding/base64"
	"strings"

	"github.com/xronox/xronox-proxy/sigv4"
)

// header is one header line.
func header(name, value string) sigv4.Header { return sigv4.Header{Name: name, Value: value} }

// newReader is a reader as the server library wants it.
func newReader(s string) *bufio.Reader { return bufio.NewReaderSize(strings.NewReader(s), 1<<17) }

// encodePolicy is a policy as a form has it.
func encodePolicy(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
