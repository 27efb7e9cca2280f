package s3api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/xronox/xronox-proxy/backends/membackend"
	"github.com/xronox/xronox-proxy/internal/wiretest"
	"github.com/xronox/xronox-proxy/router"
	"github.com/xronox/xronox-proxy/token"
)

func TestWire(t *testing.T) {
	wiretest.Run(t, "testdata/wire", func(t *testing.T) wiretest.Target { return startWire(t, false) })
}

func startWire(t *testing.T, hosted bool) wiretest.Target {
	now := func() time.Time { return time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC) }
	creds := []router.Credential{
		{Identity: router.Identity{AccessKey: "ROOT", UserID: "root"}, SecretKey: "root-secret"},
		{Identity: router.Identity{AccessKey: "COLLEAGUE"}, SecretKey: "s"},
		{Identity: router.Identity{AccessKey: "READER", Grants: []router.Grant{{Buckets: []string{"*"}, Actions: []router.Action{router.Read, router.List}}}}, SecretKey: "s"},
		{Identity: router.Identity{AccessKey: "WRITER", Grants: []router.Grant{{Buckets: []string{"*"}, Actions: []router.Action{router.Write}}}}, SecretKey: "s"},
		{Identity: router.Identity{AccessKey: "STRANGER", TenantID: "b"}, SecretKey: "s"},
	}
	ids, err := router.NewIdentities(creds)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := token.New(make([]byte, 64))
	if err != nil {
		t.Fatal(err)
	}
	mb := membackend.New()
	mb.Now = now
	st := &stub{b: mb, routes: map[string]*router.Route{}, now: now}
	root, _ := ids.Identity("ROOT")
	if _, err := st.CreateBucket(context.Background(), *root, "bucket"); err != nil {
		t.Fatal(err)
	}
	s := New(Options{Resolver: st, Buckets: st, Identities: ids, Domains: router.Domains{"s3.example.com"}, Sealer: sealer, Region: "us-east-1", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: now})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	target := wiretest.Target{Addr: ln.Addr().String(), Region: "us-east-1", Now: now, Host: "s3.example.com", Hosted: hosted, Identities: map[string]aws.Credentials{
		"": {AccessKeyID: "ROOT", SecretAccessKey: "root-secret"}, "nobody": {AccessKeyID: "NOBODY", SecretAccessKey: "s"}, "wrong": {AccessKeyID: "ROOT", SecretAccessKey: "other"},
	}}
	for _, c := range creds[1:] {
		name := map[string]string{"COLLEAGUE": "colleague", "READER": "reader", "WRITER": "writer", "STRANGER": "stranger"}[c.AccessKey]
		target.Identities[name] = aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey}
	}
	return target
}
