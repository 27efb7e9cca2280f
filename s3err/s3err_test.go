package s3err

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// api is an error as S3 client libraries have them.
type api struct{ code string }

func (e api) Error() string        { return e.code }
func (e api) ErrorCode() string    { return e.code }
func (e api) ErrorMessage() string { return "of the store behind, physical names and all" }

// TestFrom: a client sees S3's code and our message; the cause is the operator's.
func TestFrom(t *testing.T) {
	f := func(err error, want Code) {
		t.Helper()
		e := From(err)
		if e.Code != want || e.Message != table[want].message || e.Status != table[want].status {
			t.Errorf("%v: %+v", err, e)
		}
		if !errors.Is(e, err) {
			t.Errorf("%v: the cause is lost", err)
		}
	}
	known := New(NoSuchKey)
	if From(known) != known || From(nil) != nil {
		t.Error("an *Error is not itself")
	}
	f(fmt.Errorf("reading: %w", known), NoSuchKey)
	f(api{"NoSuchBucket"}, NoSuchBucket)
	f(fmt.Errorf("store: %w", api{"SlowDown"}), SlowDown)
	f(api{"NewInThisYear"}, InternalError)
	f(errors.New("disk on fire"), InternalError)
	f(context.DeadlineExceeded, SlowDown)
	f(context.Canceled, RequestTimeout)
}

// TestCopies: With and Because leave the error they are called on alone.
func TestCopies(t *testing.T) {
	e := New(InvalidArgument)
	a, b := e.With("A", "1"), e.With("B", "2").Because(errors.New("cause"))
	if len(e.Details) != 0 || e.Cause != nil || len(a.Details) != 1 || len(b.Details) != 1 || b.Cause == nil {
		t.Errorf("%+v %+v %+v", e, a, b)
	}
}

// TestTable: each code has a status of a refusal and something to say.
func TestTable(t *testing.T) {
	for code, row := range table {
		if row.status < 300 || row.status > 599 || row.message == "" {
			t.Errorf("%s: %+v", code, row)
		}
	}
}
