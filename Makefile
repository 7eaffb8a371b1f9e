# Every target works as the first command on a clean clone: each makes .venv ready for itself (see .ci/bootstrap.py).
# ARGS is handed on: make test ARGS="-k bus -x", or ARGS="-n 0" for one process, as a debugger wants it.
# PYTHON=/path/to/python3.12 names the interpreter to set up with.

.DEFAULT_GOAL := help
SETUP := @sh .ci/python .ci/bootstrap.py
RUN := .venv/bin/python

# Tests never open windows on a desktop; tests that need a real display start their own.
test stress bench test-matrix: export QT_QPA_PLATFORM := offscreen

.PHONY: help demo test lint types bench test-matrix stress clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run the demo app; without a display, its headless tour
	$(SETUP) demo
	$(RUN) -m demo_app $(ARGS)

test: ## Run the tests
	$(SETUP) test
	$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: ## Check style and format
	$(SETUP) dev
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check

types: ## Check types with mypy --strict and basedpyright
	$(SETUP) dev
	$(RUN) -m mypy --strict
	$(RUN) -m basedpyright

bench: ## Measure qtorch beside its peers, in ten minutes; ARGS=--quick in one
	$(SETUP) bench
	$(RUN) -m benchmarks $(ARGS)

test-matrix: ## Run the tests on the oldest and newest Python and PySide6 that are here
	@sh .ci/python .ci/matrix.py $(ARGS)

# EXAMPLES=50000 JOBS=20000 RUNS=300 SEED=1 set how long they are and where they begin.
stress: ## Run the long proofs of threads, interleavings and shutdown
	$(SETUP) test
	$(RUN) -m pytest -m stress -o faulthandler_timeout=0 $(ARGS)

clean: ## Delete all that these targets made
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
