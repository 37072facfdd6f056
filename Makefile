# Thin index of what can be done here; the work is in Go or in .ci.
GO       ?= go
BIN      := bin
GOFLAGS  := -trimpath
DATA     ?= data
FUZZTIME ?= 10s
LINT     := v2.15.0
export CGO_ENABLED ?= 0
SHELL    := bash -o pipefail

.PHONY: help build test test-real race lint fuzz bench eval run clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

build: ## build faultline, hwsim and rcabench into bin/
	$(GO) build $(GOFLAGS) -o $(BIN)/ ./cmd/...

test: ## run the tests; needs Go alone
	$(GO) vet ./... && $(GO) test ./...

test-real: ## run what needs real servers and third-party clients; each is skipped with a sentence when it is not there
	$(GO) test -count=1 -run '^TestReal' -v ./... | grep -v "no test files"

race: ## run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

lint: ## run golangci-lint, installed into bin/ on first use
	@test -x $(BIN)/golangci-lint || GOBIN=$(CURDIR)/$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT)
	$(BIN)/golangci-lint run ./...

fuzz: ## fuzz every parser for FUZZTIME each
	@$(GO) list -f '{{.Dir}}' ./... | while read -r dir; do \
	  { cat "$$dir"/*_test.go 2>/dev/null || true; } | sed -nE 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/p' | while read -r f; do \
	    echo "== $$dir $$f"; (cd "$$dir" && $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x .) || exit 1; \
	  done || exit 1; \
	done

bench: ## run the benchmarks once each
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

eval: build ## measure root-cause accuracy on the demo operator; with FAULTLINE_DATA also causal mining on real alarms
	$(BIN)/rcabench incidents -size small -seed 9001 -n 200
	@if [ -n "$$FAULTLINE_DATA" ]; then for d in gcastle-18v csl2023-sample; do $(BIN)/rcabench causal -data "$$FAULTLINE_DATA/$$d"; done; \
	else echo "causal mining on real alarms: not run, FAULTLINE_DATA names no folder with the data sets"; fi

run: build ## build the demo operator, replay a day of alarms, serve on 127.0.0.1:8080
	$(BIN)/faultline demo --data $(DATA)

clean: ## remove what was built
	rm -rf $(BIN)
