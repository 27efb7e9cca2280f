// Package s3err holds the one error type that reaches a client, and the table
// of S3's error codes. It is a leaf: backends and the S3 API share it.
package s3err

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Error is an S3 error response: what the client is told, and what only the
// operator may know.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type Error struct {
	Code     Code     // as AWS spells it
	Status   int      // HTTP status
	Message  string   // for the client; virtual names only
	Resource string   // path of the bucket or object; the request's own when empty
	Details  []Detail // further elements of the error document, in order
	Headers  []Detail // further headers of the response
	Cause    error    // for the operator's log only; never sent
}

// Detail is one additional element of an error document, such as
// <ArgumentName>; S3 documents them per code.
type Detail struct{ Name, Value string }

// New returns the error for code with its message from the table.
func New(code Code) *Error {
	row, ok := table[code]
	if !ok {
		panic("BUG: s3err: code without a row: " + string(code))
	}
	return &Error{Code: code, Status: row.status, Message: row.message}
}

// Newf is New with a message of its own, for codes whose message S3 words by case.
func Newf(code Code, format string, args ...any) *Error {
	e := New(code)
	e.Message = fmt.Sprintf(format, args...)
	return e
}

// InvalidArg is the InvalidArgument error that names the argument at fault.
func InvalidArg(name, value, message string) *Error {
	return Newf(InvalidArgument, "%s", message).With("ArgumentName", name).With("ArgumentValue", value)
}

// With returns a copy of e with one more detail.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Details = append(slices.Clip(c.Details), Detail{name, value})
	return &c
}

// WithHeader returns a copy of e with one more header.
func (e *Error) WithHeader(name, value string) *Error {
	c := *e
	c.Headers = append(slices.Clip(c.Headers), Detail{name, value})
	return &c
}

// Because returns a copy of e that carries cause for the operator.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// Error is the operator's text.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether err is, or wraps, an *Error with the code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// From turns any error into the one a client may see. An *Error is itself; an
// error of an S3 client library is recognised by its methods, and keeps a code
// that the table knows; everything else is InternalError. The original stays
// as the Cause.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if error(e) == err { //nolint:errorlint // whether it is wrapped is the question
			return e
		}
		return e.Because(err)
	}
	var api interface {
		ErrorCode() string
		ErrorMessage() string
	}
	if errors.As(err, &api) {
		if _, ok := table[Code(api.ErrorCode())]; ok {
			return New(Code(api.ErrorCode())).Because(err)
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return New(SlowDown).Because(err)
	case errors.Is(err, context.Canceled):
		return New(RequestTimeout).Because(err)
	}
	return New(InternalError).Because(err)
}
