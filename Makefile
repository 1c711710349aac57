# EdgeSync Leaf. `make` alone says what there is.
#
# Wants Rust by rustup (Debian's own cargo is too old); whatever else is missing `make setup` installs by apt, as root.
.DEFAULT_GOAL := help
.PHONY: help setup build demo test fmt lint doc unit wasm-test interop fuzz bench

SHELL := /bin/bash
LEAF := target/release/leaf

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## install what is missing (Debian, root): fossil, clang, node, the wasm32 target
	@tests/setup.sh

build: setup ## build the program leaf (release)
	@cargo build --release --quiet -p leaf-native

demo: build ## a real repository served by leaf, cloned by leaf and by stock Fossil, edited, converged
	@tests/demo.sh $(LEAF)

test: setup fmt lint doc unit wasm-test ## everything that must hold: style, all tests, wasm32, interop with stock Fossil
	@echo "make test: all passed"

fmt:
	cargo fmt --all --check
	cargo fmt --manifest-path tests/fuzz/Cargo.toml --check

lint: ## clippy, warnings are errors
	cargo clippy --workspace --all-targets --quiet -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Builds the program first: tests of the crate `tests` run it.
unit: setup
	cargo build --workspace --bins
	cargo test --workspace

interop: setup ## only the tests against stock Fossil
	cargo build -p leaf-native
	cargo test -p leaf-tests --test interop

wasm-test: setup ## the tests of leaf-core on wasm32 under Node
	@tests/wasm.sh

fuzz: ## arbitrary bytes against formats and messages, 60 s for each target (nightly, cargo-fuzz); FUZZ="600 cards"
	@tests/fuzz.sh $(FUZZ)

bench: build ## paired benchmarks against stock Fossil; BENCH="--json --runs 9 --only clone"
	@tests/bench/bench.sh $(LEAF) $(BENCH)

