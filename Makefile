# make help tells what there is. Everything is installed into .venv; nothing else on the machine is touched.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
UV_VERSION := 0.13.9
WORKERS ?= 2
TESTS ?=
UI ?=
ZH ?=
LOCK ?=

# Newest first; 3.11 is the oldest that works.
SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach python,python3.13 python3.12 python3.11 python3,\
	$(shell $(python) -c '$(SUITABLE)' >/dev/null 2>&1 && echo $(python))))

# Without byte code every command imports Airflow twice as slowly.
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export UV_HTTP_TIMEOUT ?= 300

# uv does not read pip's settings: hand on the package index that pip uses on this machine, if it is a special one.
UV = index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(VENV)/bin/python -m pip config get global.index-url 2>/dev/null || true)}}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(VENV)/bin/uv

COMPILE = $(UV) pip compile -q pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header $(LOCK)

.PHONY: help demo test check format lock clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1|/' | column -t -s '|' 2>/dev/null \
		|| grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## run the demonstration firm through a whole night; UI=1 opens it in Airflow, ZH=1 tells of it in Chinese
	@$(VENV)/bin/care demo $(if $(UI),--ui) $(if $(ZH),--language zh-CN)

test: $(VENV)/.dev ## run every test, database included (WORKERS=2, TESTS="tests/spec -k name")
	@$(VENV)/bin/python -m pytest -q -n $(WORKERS) $(TESTS)

check: $(VENV)/.dev ## lint, format, types, import contracts, configuration
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(if $(wildcard plugins/carewatch/cli.py plugins/carewatch/cli/__init__.py),$(VENV)/bin/care check)

format: $(VENV)/.dev ## put the code into the project's format
	@$(VENV)/bin/ruff check -q --fix --select I
	@$(VENV)/bin/ruff format

lock: $(VENV)/.uv ## pin the requirements again after a change of pyproject.toml; LOCK=--upgrade takes newer ones
	@$(COMPILE) --extra embedded -o requirements/runtime.txt
	@$(COMPILE) --extra embedded --extra dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(COMPILE) --extra production -c requirements/runtime.txt -o requirements/production.txt

clean: ## stop and delete the demonstration's warehouse and all caches; .venv stays
	@if [ -d .care ]; then PYTHONPATH=plugins $(or $(wildcard $(VENV)/bin/python),$(PYTHON)) -c \
		'from pathlib import Path; from carewatch.store.embedded import destroy; destroy(Path(".care"))'; fi
	@rm -rf .care build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find plugins dags tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/.uv: Makefile
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer with its venv module is needed and was not found." >&2; \
		echo "Install it (Debian, Ubuntu: python3 and python3-venv) or name it: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; fi
	@$(PYTHON) -c '$(SUITABLE)' || { echo "PYTHON=$(PYTHON) is not Python 3.11 or newer with venv." >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.runtime $(VENV)/.dev: $(VENV)/.%: requirements/%.txt pyproject.toml $(VENV)/.uv
	@echo "Installing requirements/$*.txt ..."
	@$(UV) pip install -q --require-hashes -r requirements/$*.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -e .
	@$(VENV)/bin/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@
