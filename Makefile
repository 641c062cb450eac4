# Everything runs in .venv, which is made from the hash-pinned requirements.lock with the first Python that really runs.
SHELL := /bin/bash
VENV := .venv
LOCK := requirements.lock
BIN := $(VENV)/bin
LIBRARIES := $(VENV)/.libraries
STAMP := $(VENV)/.made
CASE ?= kursk
SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))

.PHONY: run test test-full test-min unlinted docs tables browser lint style audit lock package reference clean help

help:
	@echo "make run    make the environment and run truetoll on CASE=$(CASE)"
	@echo "make test   make the environment, lint, type-check and test (the pages too)"
	@echo "make test-full  the tests, with every random try, seed and draw, and the slow ones"
	@echo "make test-min   the tests with the oldest libraries that are allowed"
	@echo "make docs   build the pages into build/docs; a warning is an error"
	@echo "make tables  make docs/commands.md and docs/priors.md anew from the program"
	@echo "make browser  try the HTML memo in headless Chromium"
	@echo "make audit  scan the code with bandit, and the pinned dependencies with pip-audit"
	@echo "make fuzz   try RUNS=$(RUNS) broken inputs, led by what code they reach"
	@echo "make lock   pin the dependencies again (needs uv)"
	@echo "make package  build wheel and sdist, and try the wheel in an environment of its own"
	@echo "make reference  make the kept run of Kursk again"
	@echo "make draft-score  how well truetoll draft reads, beside careful readers"
	@echo "make mutants  plant known faults one at a time, and say which test notices each"
	@echo "make engines  run Kursk by each sampler, and put the table into docs/validation.md"
	@echo "make sbc, power, reductions, stress, priors, backtest, ablation, faults, bench, bench-large, bench-folds   the slow suites (see docs/validation.md)"

run: $(STAMP)
	$(BIN)/truetoll run $(CASE)

# Two processes share the tests, a file at a time, in the order of tests/conftest.py.
SHARED := --numprocesses 2 --dist loadfile --no-loadscope-reorder

# mypy takes one processor alone: it runs beside the tests, and tells what it found after them.
test: $(STAMP) style
	@mkdir -p build
	$(BIN)/mypy >build/mypy.txt 2>&1 & types=$$!; $(BIN)/python -m pytest $(SHARED); tests=$$?; \
	  wait $$types; types=$$?; cat build/mypy.txt; exit $$((tests || types))

# Every random try, seed and draw of the tests, of which `make test` makes some: more than an hour.
test-full: $(STAMP)
	$(BIN)/python -m pytest $(SHARED) --full -m "not browser"

docs: $(STAMP)
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --doctree-dir build/doctrees docs build/docs

tables: $(STAMP)
	$(BIN)/python tests/suites/tables.py

# The HTML memo in headless Chromium, and what axe finds in it; skipped with a word where there is none.
browser: $(STAMP)
	@if command -v npm >/dev/null; then npm install --silent --no-save --prefix build/axe axe-core; fi
	$(BIN)/python -m pytest -m browser

# The tests with the oldest libraries that are allowed; requirements.lock has the newest of its day. What an old library
# and a new one that it uses warn of each other is no fault of ours.
test-min:
	$(MAKE) unlinted VENV=.venv-min LOCK=requirements-min.lock

unlinted: $(STAMP)
	$(BIN)/python -m pytest $(SHARED) -W default --disable-warnings

lint: style
	$(BIN)/mypy

style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Both scanners live in an environment of their own: they bring thirty packages that nothing else here needs, and are
# wanted as new as may be. Without its data pip-audit finds nothing and says so of each package, with a status of 0.
AUDIT := build/audit

audit:
	@set -e; [ -x $(AUDIT)/bin/pip-audit ] || { for python in $(BIN)/python python3.13 python3.12 python3.14 python3; do \
	  if $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then $$python -m venv $(AUDIT); break; fi; done; \
	  timeout 300 $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check bandit pip-audit; }
	$(AUDIT)/bin/bandit --quiet --recursive --configfile pyproject.toml sim
	@status=0; all=$$(grep -c '^[[:alnum:]].*==' requirements.lock); timeout 180 $(AUDIT)/bin/pip-audit --requirement requirements.lock --disable-pip --require-hashes \
	  --timeout 15 --progress-spinner off >$(AUDIT)/report.txt 2>&1 || status=$$?; \
	unseen=$$(grep -c 'could not be audited' $(AUDIT)/report.txt); \
	if grep -q '^Found .* known vulnerabilit' $(AUDIT)/report.txt; then cat $(AUDIT)/report.txt; exit 1; \
	elif [ $$status != 0 ]; then echo "pip-audit: its data could not be reached (status $$status); nothing was audited"; \
	elif [ $$unseen != 0 ]; then echo "pip-audit: its data could not be reached for $$unseen of $$all packages"; \
	else echo "pip-audit: no known vulnerability"; fi

# A candidate is tried by running it: a shim of pyenv's is there for versions that are not, and fails.
$(LIBRARIES): $(LOCK)
	@set -e; rm -rf $(VENV); \
	for python in python3.13 python3.12 python3.14 python3 python; do \
	  if $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$python ($$($$python -V))"; $$python -m venv $(VENV); break; fi; \
	done; \
	if [ ! -x $(BIN)/python ] && uv --version >/dev/null 2>&1; then \
	  echo "making $(VENV) with uv"; uv venv --quiet --python '>=3.12,<3.15' $(VENV); $(BIN)/python -m ensurepip >/dev/null; fi; \
	if [ ! -x $(BIN)/python ]; then \
	  echo "truetoll needs Python 3.12 to 3.14 (with venv), or uv; none was found." >&2; \
	  echo "Install one, for example python3.13 and its venv package, or uv, and try again." >&2; exit 1; fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK); \
	touch $(LIBRARIES)

$(STAMP): $(LIBRARIES) pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

LOCKED := uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-emit-index-url --no-header \
  --group dev pyproject.toml

lock:
	$(LOCKED) --upgrade --output-file requirements.lock
	$(LOCKED) --upgrade --resolution lowest-direct --output-file requirements-min.lock

# What a user installs: the wheel, in an environment of its own with nothing of a developer's beside it. What pip makes of
# the sdist is that wheel, byte for byte, so that it need not be installed a second time.
package: $(STAMP)
	rm -rf build/package && $(BIN)/python -m build --no-isolation --outdir build/package .
	set -e; cd build/package; $(CURDIR)/$(BIN)/python -m venv alone; \
	  alone/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir again *.tar.gz; \
	  cmp *.whl again/*.whl; \
	  alone/bin/python -m pip install --quiet --disable-pip-version-check --no-compile *.whl; \
	  alone/bin/truetoll run kursk --results results

clean:
	rm -rf .venv .venv-min build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The run of Kursk that others are held against; without its draws, which are large and can be made again.
REFERENCE := results/kursk/reference

reference: $(STAMP)
	rm -rf build/reference && $(BIN)/truetoll run kursk --results build/reference
	rm -rf $(REFERENCE) && mkdir -p $(REFERENCE) && mv build/reference/kursk/*/* $(REFERENCE)
	rm $(REFERENCE)/posterior.nc $(REFERENCE)/unknowns.npy $(REFERENCE)/draws.*

# --- Broken inputs: atheris leads them to new code; it has wheels for Linux alone, and so is not among the pinned ---
.PHONY: fuzz
RUNS ?= 100000

fuzz: $(STAMP)
	@mkdir -p build/fuzz
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --upgrade \
	  --target build/fuzz/atheris atheris || echo "atheris has no wheel for this system"
	[ -d build/fuzz/kursk ] || $(BIN)/truetoll run kursk --quiet --results build/fuzz
	PYTHONPATH=build/fuzz/atheris:tests/helpers $(BIN)/python tests/suites/fuzz.py build/fuzz/kursk/*-seed1 $(RUNS) build/fuzz/found
	@[ ! -f build/fuzz/found/outcomes.txt ] || cat build/fuzz/found/outcomes.txt

# --- Slow suites, whose reports stand in docs/ ---
# How well articles are read; the table of docs/draft.md. SEEDS: the articles of the shipped cases, which are not ours to give.
SEEDS ?= ../shared/seeds

.PHONY: draft-score
draft-score: $(STAMP)
	SEEDS=$(SEEDS) $(BIN)/python tests/suites/draft_score.py

.PHONY: engines mutants sbc power reductions stress priors backtest ablation faults bench bench-large bench-folds

SBC_CASES := kursk ./tests/cases/unbounded ./tests/cases/one-day ./tests/cases/shares ./tests/cases/small-counts
N ?= 300

sbc: $(STAMP)
	@mkdir -p build/sbc
	for case in $(SBC_CASES); do \
	  $(BIN)/truetoll sbc $$case --n $(N) --seed 1 --jobs 2 --results build/sbc --resume --json > build/sbc/$$(basename $$case).json || [ $$? -eq 4 ] || exit 1; \
	done
	$(BIN)/python tests/suites/reports.py sbc

# DRAWS=50 tries whether all of them run; the table is then of no use.
engines: $(STAMP)
	@mkdir -p build/engines
	for sampler in kernel nutpie pymc; do \
	  $(BIN)/truetoll run kursk --sampler $$sampler $(DRAWS:%=--draws %) --quiet --json --results build/engines > build/engines/$$sampler.json || [ $$? -eq 4 ] || exit 1; \
	done
	$(BIN)/python tests/suites/reports.py engines

mutants: $(STAMP)
	$(BIN)/python tests/suites/planted.py

power: $(STAMP)
	$(BIN)/python -m pytest -m slow tests/calibration/test_sbc.py

reductions: $(STAMP)
	$(BIN)/python -m pytest -m slow tests/model/test_reductions.py

stress: $(STAMP)
	$(BIN)/python tests/suites/reports.py stress prior

RECORD := priors/record/claims.csv priors/record/truth.csv

# Learns the default prior set again from the track record.
priors: $(STAMP)
	$(BIN)/truetoll priors fit $(RECORD) --out priors/default.toml --seed 1 --sites priors/record/sites.json

backtest: $(STAMP)
	mkdir -p build/backtest/record-left-out-seed1
	cp -n priors/record/sites.json build/backtest/record-left-out-seed1/ || true
	$(BIN)/truetoll backtest $(RECORD) --jobs 2 --refit 0 --results build --resume
	$(BIN)/python tests/suites/reports.py backtest

ablation: $(STAMP)
	$(BIN)/python tests/suites/reports.py ablation

# Signals and full disks at MOMENTS random moments; small disks are mounted by root alone, and skipped elsewhere. After
# each moment it says how many are done and what is wrong; a run that was cut goes on after the first SKIP of them.
MOMENTS ?= 200
SKIP ?= 0

faults: $(STAMP)
	PYTHONPATH=tests/helpers $(BIN)/python tests/suites/faults.py --n $(MOMENTS) --seed 1 --skip $(SKIP)

# On a quiet machine; every figure of docs/performance.md. RADFORD: the published table, which users fetch.
RADFORD ?= ../shared/data/radford/replication-data-pnas.csv

bench: $(STAMP)
	@mkdir -p build/bench
	for name in answer refits growth tasks; do \
	  $(BIN)/python tests/benchmarks/bench_$$name.py > build/bench/$$name.json || [ $$? -eq 1 ] || exit 1; done
	$(BIN)/python tests/benchmarks/bench_war.py $(RADFORD) > build/bench/war.json
	@cat build/bench/*.json

# A war of 100,000 claims: some 20 minutes.
bench-large: $(STAMP)
	@mkdir -p build/bench
	$(BIN)/python tests/benchmarks/bench_large.py > build/bench/large.json || [ $$? -eq 1 ]
	@cat build/bench/large.json

# Claims of the published table left out and forecast, by truetoll and by the published model with its authors' 150 knots.
KNOTS ?= 150

bench-folds: $(STAMP)
	@mkdir -p build/bench
	$(BIN)/python tests/benchmarks/bench_crossval.py $(RADFORD) > build/bench/folds.json
	$(BIN)/python tests/benchmarks/bench_published.py $(RADFORD) $(KNOTS) > build/bench/published.jsonl
	@cat build/bench/folds.json build/bench/published.jsonl
