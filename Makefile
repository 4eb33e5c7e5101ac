# Two commands matter: make demo (see it run) and make test (see it hold). Both set everything up first.
# PYTHON=... picks the interpreter for .venv, ARGS=... goes to the program, the tests or the benchmarks.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
RUN := $(VENV)/bin/python
SETUP := scripts/setup.sh pyproject.toml $(wildcard requirements/*.txt)
# Tests wait a quarter of their time: three workers keep two cores busy.
WORKERS ?= 3
export PYTHONDONTWRITEBYTECODE :=  # or each of the hundreds of processes of demo and tests compiles all it loads anew

.PHONY: help setup demo test check lint bench week plates screenshots torture fuzz lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## ?/  make \1\t/' | expand -t 20

$(VENV)/.ready-demo: $(SETUP)
	@scripts/setup.sh demo

$(VENV)/.ready-test: $(SETUP)
	@scripts/setup.sh test

setup: $(VENV)/.ready-test  ## install everything, run nothing

demo: $(VENV)/.ready-demo  ## run the whole system here: cloud, one lot, simulated devices (Ctrl-C stops it)
	@exec $(RUN) -m lotgate demo $(ARGS)

test: $(VENV)/.ready-test  ## run the tests
	@$(RUN) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: $(VENV)/.ready-test lint  ## what CI runs: ruff, mypy --strict, import contracts, tests
	@$(MAKE) --no-print-directory test

lint: $(VENV)/.ready-test  ## ruff, mypy --strict, import contracts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.ready-test  ## measure against named baselines, interleaved
	@$(RUN) -m benchmarks $(ARGS)

week: $(VENV)/.ready-test  ## a scripted week at eight lanes, every car accounted for; writes week.html
	@$(RUN) -m benchmarks.week $(ARGS)

plates: $(VENV)/.ready-test  ## how well plates are read, on photographs held back; writes docs/plate-reading.md
	@$(RUN) -m benchmarks.plates $(ARGS)

screenshots: $(VENV)/.ready-test  ## photograph and check every page; writes .gallery/index.html
	@$(RUN) -m scripts.gallery $(ARGS)

torture: $(VENV)/.ready-test  ## 10,000 simulator seeds and 1,000 kill cycles: hours
	@LOTGATE_SEEDS=$${LOTGATE_SEEDS:-10000} LOTGATE_KILL_CYCLES=$${LOTGATE_KILL_CYCLES:-1000} \
		$(RUN) -m pytest -n $(WORKERS) --dist loadgroup -m "simulator or kill" $(ARGS)

$(VENV)-fuzz/.ready: requirements/fuzz.txt $(VENV)/.ready-test
	@$(RUN) -m venv --clear $(VENV)-fuzz
	@$(VENV)-fuzz/bin/python -m pip install --quiet --require-hashes -r requirements/fuzz.txt
	@touch $@

fuzz: $(VENV)-fuzz/.ready  ## every call of /api/v1 by schemathesis, 200 cases each and more
	@$(RUN) -m scripts.fuzz $(ARGS)

lock: $(VENV)/.ready-test  ## resolve every dependency again into requirements/
	@scripts/lock.sh

clean:  ## remove what set-up, tests and the demo left here
	rm -rf $(VENV) .venv-emupos .venv-fuzz .schemathesis .gallery .lotgate-demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
