# CI and people call the same targets. `make help` lists them.
BIN      := .tools/bin
PREFIX   ?= /usr/local
FUZZTIME ?= 30s
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)

.PHONY: help run build install check format tools test race fuzz bench clients linearizable

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: ## a complete S3 endpoint on 127.0.0.1:9000 (ARGS are passed on)
	go run ./cmd/xronox-proxy $(ARGS)

build: ## the static binary, bin/xronox-proxy
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/xronox-proxy ./cmd/xronox-proxy

install: build ## the binary into PREFIX/bin
	install -D -m 0755 bin/xronox-proxy $(DESTDIR)$(PREFIX)/bin/xronox-proxy

tools: ## the pinned developer tools into .tools/bin
	scripts/install-tools

format: tools ## gofumpt over everything
	$(BIN)/gofumpt -w .

check: tools ## formatting, vet, linters, go.mod, imports, known vulnerabilities
	@out=$$($(BIN)/gofumpt -l .); test -z "$$out" || { echo "make format would change:"; echo "$$out"; exit 1; }
	go vet ./...
	go mod tidy -diff
	go test ./internal/archtest/...
	$(BIN)/golangci-lint run ./...
	scripts/vulncheck

# In CI every client and server must be there; elsewhere those that are missing are skipped by name.
test: $(if $(filter true,$(CI)),clients-install servers-install) ## every test, with the race detector, in random order
	go test -race -shuffle=on -timeout 20m ./...

race: ## the quick tests again and again, to find races (COUNT times)
	go test -race -shuffle=on -short -count $(or $(COUNT),5) ./...

fuzz: ## every fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) scripts/fuzz

linearizable: servers-install ## proxies killed at random under 100,000 operations, their history checked
	XRONOX_LONG=1 go test -count 1 -v -timeout 3h -run 'TestShared|TestEmbedded' ./test/linearizable/

bench: ## every benchmark
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: clients-install
clients-install:
	scripts/install-clients

.PHONY: servers-install
servers-install:
	scripts/install-servers

.PHONY: conformance
conformance: servers-install ## another maker's conformance client on every shape; UPDATE=1 takes what it finds into the manifest
	XRONOX_CONFORMANCE=$(if $(UPDATE),update,run) go test -count 1 -v -timeout 1h -run TestConformance ./test/conformance/

clients: clients-install ## real S3 clients against the built binary
	go test -count 1 -v ./test/clients/
