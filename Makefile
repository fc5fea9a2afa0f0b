# Sophia AI. `make up` deploys the dev stack into the sandbox on this machine; `make test` passes the tests.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin

.PHONY: up down test lint setup engine lock bench clean

up: setup engine  ## everything from nothing: tools, engine, sandbox, stack dev
	@$(BIN)/sophia sandbox start
	@$(BIN)/sophia up dev --sandbox --yes

down: setup engine  ## destroys stack dev in the sandbox and stops the sandbox
	@$(BIN)/sophia destroy dev --sandbox --yes
	@$(BIN)/sophia sandbox stop

test: setup engine  ## all tests, in parallel
	@$(BIN)/pytest -n auto --dist worksteal

lint: setup  ## style, types, and which layer may import which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup engine  ## the figures of benchmarks/README.md
	@$(BIN)/python -m benchmarks

engine: setup
	@$(BIN)/python -m engine

setup: .venv/.complete

.venv/.complete: requirements.lock pyproject.toml
	@command -v $(UV) >/dev/null 2>&1 || { $(PYTHON) -m venv .uv && .uv/bin/pip --quiet --disable-pip-version-check install uv; }
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock:  ## new versions into requirements.lock, with their hashes
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --no-header \
		--upgrade --output-file requirements.lock pyproject.toml

clean:  ## what make made here; the engine stays cached
	@rm -rf .venv .uv .sandbox .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
