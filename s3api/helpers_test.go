package s3api

import (
	"bufio"
	"strings"

	"github.com/xronox/xronox-proxy/sigv4"
)

// header is one header line.
func header(name, value string) sigv4.Header { return sigv4.Header{Name: name, Value: value} }

// newReader is a reader as the server library wants it.
func newReader(s string) *bufio.Reader { return bufio.NewReaderSize(strings.NewReader(s), 1<<17) }
