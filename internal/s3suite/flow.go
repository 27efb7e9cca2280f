package main

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"github.com/versity/versitygw/tests/integration"
)

// testCase is a case of the suite.
type testCase struct {
	name  string
	run   integration.IntTest
	alone bool // with no other beside it: it looks at all buckets
}

// flow lists the cases of `versitygw test full-flow` in their order. The package has no list of them, only a function that
// hands one after the other to a [integration.TestState] to be run; this takes the place of what would run them.
func flow(conf *integration.S3Conf) (all []testCase) {
	queue := make(chan integration.IntTest)
	var ts integration.TestState
	set(&ts, "mainCh", queue)
	set(&ts, "conf", conf)
	set(&ts, "ctx", context.Background())
	set(&ts, "parallel", true)
	go func() {
		integration.TestFullFlow(&ts)
		close(queue)
	}()
	for run := range queue {
		all = append(all, newCase(run, false))
	}
	for _, run := range *field[[]integration.IntTest](&ts, "syncTests") {
		all = append(all, newCase(run, true))
	}
	return all
}

// newCase is a case under the name of its function.
func newCase(run integration.IntTest, alone bool) testCase {
	name := runtime.FuncForPC(reflect.ValueOf(run).Pointer()).Name()
	return testCase{name[strings.LastIndexByte(name, '.')+1:], run, alone}
}

// set sets a field of a TestState that the package keeps to itself.
func set[T any](ts *integration.TestState, name string, value T) { *field[T](ts, name) = value }

// field is a field of a TestState. It panics when the package has another one, or none, in its place.
func field[T any](ts *integration.TestState, name string) *T {
	f := reflect.ValueOf(ts).Elem().FieldByName(name)
	if f.Type() != reflect.TypeFor[T]() {
		panic("BUG: this version of the suite keeps its cases in another way: " + name)
	}
	return (*T)(unsafe.Pointer(f.UnsafeAddr()))
}
