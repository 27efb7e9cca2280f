package backends

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/xronox/xronox-proxy/s3err"
)

// Span is a run of an object's bytes.
type Span struct{ Start, Length int64 }

// ContentRange is the header for a span of an object of size bytes.
func (s Span) ContentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.Start, s.Start+s.Length-1, size)
}

// ParseRange reads a Range header for an object of size bytes. One that is
// malformed or has several ranges selects nothing (ok is false) and the whole
// object is meant, as S3 and RFC 9110 have it; so do the last bytes of an empty
// object, which are all of it. One that selects no byte is InvalidRange.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
func ParseRange(header string, size int64) (s Span, ok bool, err error) {
	first, last, ok := cutRange(header)
	if !ok {
		return Span{}, false, nil
	}
	s = Span{Start: first, Length: min(last, size-1) - first + 1}
	if first < 0 { // the last bytes
		if size == 0 && last > 0 {
			return Span{}, false, nil
		}
		s = Span{Start: max(0, size-last), Length: min(last, size)}
	}
	if s.Length <= 0 {
		return Span{}, false, s3err.New(s3err.InvalidRange).
			With("RangeRequested", header).
			With("ActualObjectSize", strconv.FormatInt(size, 10))
	}
	return s, true, nil
}

// ParseCopyRange reads x-amz-copy-source-range: exactly "bytes=first-last",
// inside a source of size bytes.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html#API_UploadPartCopy_RequestSyntax
func ParseCopyRange(header string, size int64) (Span, error) {
	first, last, ok := cutRange(header)
	if !ok || first < 0 || strings.HasSuffix(header, "-") {
		return Span{}, s3err.InvalidArg("x-amz-copy-source-range", header,
			"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	if last >= size {
		return Span{}, s3err.InvalidArg("x-amz-copy-source-range", header,
			fmt.Sprintf("Range specified is not valid for source object of size: %d", size))
	}
	return Span{Start: first, Length: last - first + 1}, nil
}

// CanonicalRange is a Range header in the one spelling that every server reads
// alike; empty when it selects nothing because it is malformed or has several ranges.
func CanonicalRange(header string) string {
	first, last, ok := cutRange(header)
	switch {
	case !ok:
		return ""
	case first < 0:
		return fmt.Sprintf("bytes=-%d", last)
	case last == math.MaxInt64-1:
		return fmt.Sprintf("bytes=%d-", first)
	}
	return fmt.Sprintf("bytes=%d-%d", first, last)
}

// cutRange takes a header with one range apart: "bytes=N-M", "bytes=N-" with
// the greatest last, and "bytes=-N" with first -1 and last N. Numbers beyond
// an int64 are the greatest one.
func cutRange(header string) (first, last int64, ok bool) {
	unit, set, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return 0, 0, false
	}
	from, to, ok := strings.Cut(set, "-")
	if !ok || from == "" && to == "" {
		return 0, 0, false
	}
	first, last = -1, math.MaxInt64-1
	if from != "" {
		if first, ok = parseOffset(from); !ok {
			return 0, 0, false
		}
	}
	if to != "" {
		if last, ok = parseOffset(to); !ok {
			return 0, 0, false
		}
	}
	return first, last, first <= last
}

// parseOffset reads decimal digits, and nothing else.
func parseOffset(s string) (int64, bool) {
	if strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return min(n, math.MaxInt64-1), true
}

// SelectPart returns the bytes of part n. An object that was not uploaded in
// parts is its own part 1. InvalidPartNumber beyond the last one; part numbers
// may have gaps, and count here as S3 counts them, from 1 in their order.
func SelectPart(m *ObjectMeta, n int32) (Span, error) {
	count := max(1, len(m.Parts))
	if n < 1 || int(n) > count {
		return Span{}, s3err.New(s3err.InvalidPartNumber).
			With("PartNumberRequested", strconv.Itoa(int(n))).
			With("ActualPartCount", strconv.Itoa(count))
	}
	if len(m.Parts) == 0 {
		return Span{Length: m.Size}, nil
	}
	var start int64
	for _, p := range m.Parts[:n-1] {
		start += p.Size
	}
	return Span{Start: start, Length: m.Parts[n-1].Size}, nil
}
