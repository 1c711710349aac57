# EdgeSync Leaf. `make` alone says what there is.
#
# Wants Rust by rustup (Debian's own cargo is too old); whatever else is missing `make setup` installs by apt, as root.
.DEFAULT_GOAL := help
.PHONY: help setup build page demo demo-mesh demo-peers test fmt lint doc unit wasm-test browser-test interop fuzz bench bench-iroh bench-nats

SHELL := /bin/bash
LEAF := target/release/leaf
# What the browser gets: the module with its package, and the page that `leaf serve` has built in.
WASM := npm/dist/leaf.wasm
PAGE := web/dist/index.html

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## install what is missing (Debian, root): fossil, nats-server, nftables, clang, node, the wasm32 target
	@tests/setup.sh

build: page ## build the page and the program leaf that has it built in (release)
	@cargo build --release --quiet -p leaf-native

page: setup ## build the package @edgesync/leaf and the page
	@$(MAKE) --no-print-directory $(PAGE)

%/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

$(WASM): npm/node_modules/.package-lock.json npm/package.json npm/tsconfig.json Cargo.lock Cargo.toml .cargo/config.toml \
		$(shell find leaf-wasm leaf-core/src leaf-core/lanes leaf-core/iroh npm/src npm/scripts -type f)
	@echo "building @edgesync/leaf"
	@cd npm && node scripts/build.mjs

$(PAGE): $(WASM) web/node_modules/.package-lock.json $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*')
	@echo "building the page"
	@cd web && npm run --silent build

demo: build ## a real repository, served: in a browser, by leaf and by stock Fossil
	@tests/demo.sh $(LEAF)

demo-mesh: build tests/browser/node_modules/.package-lock.json ## three leaves with brokers and two tabs: all commit, all have it, measured
	@tests/demo-mesh.sh $(LEAF)

demo-peers: build ## two homes behind routers, without a route between them: paired by two commands, converged (root)
	@tests/demo-peers.sh $(LEAF)

test: setup fmt lint doc page unit wasm-test browser-test ## everything that must hold: style, all tests, wasm32, stock Fossil, browsers
	@echo "make test: all passed"

fmt:
	cargo fmt --all --check
	cargo fmt --manifest-path tests/fuzz/Cargo.toml --check

lint: ## clippy, warnings are errors
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo clippy -p leaf-wasm -p leaf-iroh-wasm --target wasm32-unknown-unknown --all-targets --quiet -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Builds the program first: tests of the crate `tests` run it.
unit: setup
	cargo build --workspace --bins
	cargo test --workspace --no-fail-fast

interop: setup ## only the tests against stock Fossil
	cargo build -p leaf-native
	cargo test -p leaf-tests --test interop

browser-test: page ## the package and the page in browsers, with kills and several tabs, and in fresh projects
	@tests/browser.sh

wasm-test: setup ## the tests of leaf-core on wasm32 under Node, and with those of leaf-wasm in a worker of Chromium
	@tests/wasm.sh
	@tests/browser-suite.sh

fuzz: ## arbitrary bytes against formats and messages, 60 s for each target (nightly, cargo-fuzz); FUZZ="600 cards"
	@tests/fuzz.sh $(FUZZ)

bench: build tests/browser/node_modules/.package-lock.json ## paired benchmarks against stock Fossil, of a tab too; BENCH="--json --runs 9 --only clone"
	@tests/bench/bench.sh $(LEAF) $(BENCH)

bench-iroh: build tests/browser/node_modules/.package-lock.json ## calls by key against HTTP and TCP, in a tab too, and beside peers that hang; BENCH="--runs 5 --mb 200"
	@LEAF=$(abspath $(LEAF)) node tests/bench/iroh.mjs $(LEAF) $(BENCH)

bench-nats: build ## the NATS broker against real nats-servers: messages, CPU, requests, memory; BENCH="--rounds 9"
	@tests/bench/nats.sh $(LEAF) $(BENCH)

