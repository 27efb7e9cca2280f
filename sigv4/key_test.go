package sigv4

import (
	"fmt"
	"sync"
	"testing"

	"github.com/xronox/xronox-proxy/s3err"
)

// TestKeyRing holds that keys are remembered, in bounds, by what they are
// derived from.
func TestKeyRing(t *testing.T) {
	t.Parallel()
	var ring keyRing
	name := func(i int) scopeName { return scopeName{exampleKey, exampleSecret, "20130524", fmt.Sprint(i)} }
	for i := range 5 * keysPerGeneration {
		key, known := ring.get(name(i))
		if known {
			t.Fatalf("key %d was remembered", i)
		}
		ring.put(name(i), key)
		if i%100 == 0 { // what is in use stays
			key, _ := ring.get(name(0))
			ring.put(name(0), key)
		}
	}
	if n := len(ring.young) + len(ring.old); n > 2*keysPerGeneration {
		t.Errorf("%d keys remembered", n)
	}
	if _, known := ring.get(name(0)); !known {
		t.Error("a key in use was forgotten")
	}
	if _, known := ring.get(name(1)); known {
		t.Error("an old key was remembered")
	}
	one, _ := ring.get(name(0))
	if string(one.appendSignature(nil, []byte("m"))) != hmacHex(exampleSecret, "20130524", "0", "m") {
		t.Error("wrong key")
	}
}

// TestKeysAreEarned holds that a wrong signature leaves nothing behind:
// strangers must not fill the ring with regions.
func TestKeysAreEarned(t *testing.T) {
	t.Parallel()
	v := exampleVerifier()
	v.o.Region = ""
	for i := range 10 {
		r := parse("GET / HTTP/1.1\nHost: localhost")
		s := Signer{AccessKey: exampleKey, SecretKey: "wrong", Region: fmt.Sprint(i)}
		if err := s.Sign(r, Unsigned, exampleTime); err != nil {
			t.Fatal(err)
		}
		_, err := v.Verify(r)
		wantCode(t, err, s3err.SignatureDoesNotMatch)
	}
	if len(v.keys.young)+len(v.keys.old) != 0 {
		t.Error("keys were remembered")
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	v := exampleVerifier()
	s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, Region: "us-east-1"}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				r := parse(fmt.Sprintf("GET /b/%d-%d HTTP/1.1\nHost: localhost", i, j))
				if err := s.Sign(r, Unsigned, exampleTime); err != nil {
					t.Error(err)
				}
				if _, err := v.Verify(r); err != nil {
					t.Error(err)
				}
				r.Path = "/b/other"
				if _, err := v.Verify(r); !s3err.Is(err, s3err.SignatureDoesNotMatch) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSignRefuses refuses to sign a path that is not one.
func TestSignRefuses(t *testing.T) {
	t.Parallel()
	s := Signer{AccessKey: exampleKey, SecretKey: exampleSecret, Region: "us-east-1"}
	wantCode(t, s.Sign(&Request{Method: "GET", Path: "/%", Host: "localhost"}, Unsigned, exampleTime), s3err.InvalidURI)
}
