package backends

import (
	"context"
	"testing"
	"time"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	if r := RequestOf(t.Context()); *r != (Request{}) {
		t.Errorf("without a request: %+v", r)
	}
	want := &Request{Operation: "GetObject", AccessKey: "k", AsOf: time.Unix(1, 0)}
	ctx, cancel := context.WithCancel(WithRequest(t.Context(), want))
	defer cancel()
	if r := RequestOf(ctx); r != want {
		t.Errorf("got %+v", r)
	}
}
