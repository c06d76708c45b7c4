# Everything sets up what it needs in .venv; nothing else is touched, except that root gets
# Debian's Chromium package for the report page's tests, if the machine has none.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BROWSER := $(VENV)/.browser
OPENAPI := $(VENV)/github-openapi.json

.DEFAULT_GOAL := help

help:  ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## Tune a real handler on this machine, without an AWS account
	$(BIN)/tuner demo --out demo-out/mixed.jsonl

# Tests check requests to GitHub against its own description; one file of a large package.
$(OPENAPI): | $(STAMP)
	@if command -v npm >/dev/null; then \
	    cd $(VENV) && npm pack --silent '@octokit/openapi@^23.0.0' >/dev/null && \
	    tar -xzOf octokit-openapi-*.tgz package/generated/api.github.com.json > github-openapi.part && \
	    mv github-openapi.part github-openapi.json; rm -f octokit-openapi-*.tgz; \
	else echo "npm is missing: requests to GitHub are not checked against its description"; fi

# Tried once: without a browser the page's tests are skipped, and the last line says so.
$(BROWSER): | $(STAMP)
	@$(BIN)/python -m tests.browser.chromium || true
	@touch $@

browser: $(STAMP)  ## Get a browser for the report page's tests, if one is available
	@$(BIN)/python -m tests.browser.chromium

openapi: $(OPENAPI)  ## Fetch GitHub's API description, which tests use

test: $(STAMP) $(OPENAPI) $(BROWSER)  ## Run the tests (four to eight minutes on two cores)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test-slow: $(STAMP)  ## Run the tests that `test` leaves out (fault matrix, kills, whole sweeps)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

test-all: test test-slow  ## Run every test

check: $(STAMP)  ## Format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## Measure speed, memory and fidelity, as ratios in one run
	$(BIN)/python -m tests.bench

bench-local: $(STAMP)  ## Measure how accurate the local Lambda is, and its own cost
	$(BIN)/python -m tests.bench local_exec endpoint

bench-decide: $(STAMP)  ## Measure the decisions against the target table, beside the baselines
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench.decide  # as the command does, before numpy

bench-observe: $(STAMP)  ## Measure what is read of production: a million reports, advice, changes, a scan
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench $(sort $(basename $(notdir $(wildcard tests/bench/observe_*.py))))

bench-fleet: $(STAMP)  ## Sweep 500 functions killed ten times, 2,000 through the state machine, plan 5,000 from 10 GB of logs
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench fleet fleet_map fleet_logs

bench-workflow: $(STAMP)  ## Size generated workflows: against exhaustive search, a simulator and the truth
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench workflow workflow_local

bench-load: $(STAMP)  ## Which service gives way first over 20 architectures, and the time to drain a backlog, simulated
	$(BIN)/python -m tests.bench load_drain load_downstream

bench-architectures: $(STAMP)  ## Decide between x86_64 and arm64 on generated pairs of known truth
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench architectures

bench-rollout: $(STAMP)  ## Simulate rollouts: errors that rise are returned in time, and nothing goes back in vain
	$(BIN)/python -m tests.bench rollout

bench-watch: $(STAMP)  ## Runaways in generated traffic: found within 5 minutes or before $$1, and false alarms
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench watch
bench-cold: $(STAMP)  ## Compare predicted cold starts with public ones, and their share with a replay
	$(BIN)/python -m tests.bench cold_init cold_share

live: $(STAMP)  ## Check the tool against an AWS account, for less than a cent; asks first (ROLE=arn:…, or FUNCTION=name)
	$(BIN)/tuner live-check --create lambda-tuner-live-check --out live-check.json $(if $(ROLE),--role $(ROLE)) $(if $(FUNCTION),--function $(FUNCTION)) $(if $(REGION),--region $(REGION))

bench-verify: $(STAMP)  ## Measure realized savings against known truths: intervals that hold, false savings
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench verify

readme: $(STAMP)  ## Run the commands that the README shows and insert their output
	$(BIN)/python -m tests.end_to_end.renew_readme

pictures: $(STAMP)  ## Redraw the README's pictures (needs Chromium)
	$(BIN)/python -m tests.pictures.renew

prices: $(STAMP)  ## Renew the package's prices that are over 90 days old (a network and AWS credentials)
	$(BIN)/python -m tests.pricing.renew

findings: $(STAMP)  ## Write docs/findings.md from the table of findings
	$(BIN)/python -m tests.messages.renew

docs: $(STAMP)  ## Build the documentation as a site in build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "build/docs/index.html"

notebooks: $(STAMP)  ## Run the notebooks' twins and write the notebooks with their outputs
	$(BIN)/python -m tests.notebooks.renew

clean:  ## Remove what the targets made
	rm -rf $(VENV) demo-out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help demo browser openapi test test-slow test-all check bench bench-local bench-decide bench-observe bench-fleet bench-load bench-rollout bench-verify bench-watch live readme pictures prices findings docs notebooks clean bench-cold bench-workflow bench-architectures
