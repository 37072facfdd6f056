# Thin index of what can be done here; the work is in Go or in .ci.
GO      ?= go
BIN     := bin
GOFLAGS := -trimpath
FUZZTIME ?= 10s
export CGO_ENABLED ?= 0

.PHONY: help build test test-real race lint fuzz bench eval run clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

build: ## build every program into bin/
	$(GO) build $(GOFLAGS) -o $(BIN)/ ./cmd/...

test: ## run the tests; needs Go alone
	$(GO) vet ./... && $(GO) test ./...

race: ## run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

clean: ## remove what was built
	rm -rf $(BIN)
