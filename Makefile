# Relief Ledger 救灾一本账. Each target makes what it needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
ROOMS := domain eventstore projections streams intake api web demo cli audit

.PHONY: help venv run county test quick faults looks check audit sbom bench clean lock docs fingerprints

# Tests start the program hundreds of times: its bytecode is kept, whatever the environment says
unexport PYTHONDONTWRITEBYTECODE

# How many test files run side by side, each with servers of its own. Three on two cores: those of the
# cluster and of the browser wait much, and a third computes meanwhile (tests/schedule.py)
JOBS ?= 3
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) scripts/need_python.py
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "安装依赖 · installing"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

venv: $(STAMP) ## Make the virtual environment from the hash-pinned requirements

run: venv ## Load the demo county (once) and serve the boards
	@$(BIN)/relief demo
	@echo "建立自己的账本：make county · a ledger of your own: make county"
	@$(BIN)/relief serve

county: venv ## Begin a ledger of your own in county/, or go on with it: address and code are printed
	@RELIEF_DATA=county $(BIN)/relief serve

test: venv ## All tests, on real servers and in a real browser
	@$(BIN)/python scripts/need_browser.py
	@$(BIN)/python scripts/need_postgres.py
	@$(BIN)/python scripts/need_kafka.py
	@$(PYTEST)

quick: venv ## The tests of everyday work: no cluster, browser, benchmark, mutant or simulated world
	@$(PYTEST) --ignore=tests/cluster --ignore=tests/browser --ignore=tests/bench --ignore=tests/mutants --ignore=tests/simulation -m "not slow"

faults: venv ## Every fault of docs/reliability.md in full counts, and a table (hours)
	@$(BIN)/python scripts/need_postgres.py
	@$(BIN)/python scripts/need_kafka.py
	@$(BIN)/python scripts/faults.py

looks: venv ## Look at every page: widths, languages, light and dark, with axe; images and findings in var/looks
	@$(BIN)/python scripts/need_browser.py
	@$(BIN)/python -m tests.browser.looks $(if $(wildcard var/log.sqlite),--county var)

check: venv ## Format, lint, types, import contracts, tidiness
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --recursive $(ROOMS)
	@$(BIN)/python scripts/unused.py
	@$(BIN)/python -m pytest tests/test_tidy.py tests/test_advisories.py tests/projections/test_fingerprints.py

audit: venv ## Ask the internet whether a pinned package has a known fault; fails on any it could not ask about
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-dev.txt

sbom: venv ## Write sbom.cdx.json: what the pins install to run, as a CycloneDX bill of materials
	@$(BIN)/python scripts/sbom.py

bench: venv ## All benchmarks
	@$(BIN)/python -m bench all

docs: venv ## Write the generated references again
	@$(BIN)/python scripts/rules_reference.py
	@$(BIN)/python scripts/events_reference.py
	@$(BIN)/python scripts/metrics_reference.py
	@$(BIN)/python scripts/asyncapi_document.py
	@$(BIN)/python scripts/connections_table.py

fingerprints: venv ## Write the fingerprints of the views again (SAME=view: code moved, its rows stay as they were)
	@$(BIN)/python scripts/view_fingerprints.py $(SAME)

lock: ## Pin all requirements by hash again (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --extra build --extra trial pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment, caches and the demo store
	@rm -rf .venv var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
