# Every target makes the environment it needs; Python 3.11 or later, pip and make are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= auto
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without bytecode every process that a test starts would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run matrix test lint bench mutation serve clean

help:
	@echo "make setup     make the environment, which every other target does too"
	@echo "make run       play every bundled scenario to every bundled adapter"
	@echo "make matrix    play the most important scenarios to the SDKs that people use"
	@echo "make serve     start the mock backend, which answers any request"
	@echo "make test      run the tests and hold what those of critical rooms cover"
	@echo "make lint      check the code, the specs and the cassettes"
	@echo "make bench     run the benchmarks"
	@echo "make mutation  break adapters and mockserver's rooms place by place (hours)"
	@echo "make clean     remove the environment and everything else that was made"

setup: $(STAMP)

run: $(STAMP)
	$(BIN)/tapecheck run $(ARGS)

matrix: $(STAMP)
	$(BIN)/tapecheck matrix $(ARGS)

serve: $(STAMP)
	$(BIN)/tapecheck serve $(ARGS)

# With arguments, such as a folder or -k, nothing is measured.
test: $(STAMP)
	$(BIN)/python -m $(if $(ARGS),pytest -n $(JOBS) $(ARGS),tests.floors -n $(JOBS))

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/tapecheck lint

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks.serve
	$(BIN)/python -m tests.benchmarks.streams
	$(BIN)/python -m tests.benchmarks.overhead
	$(BIN)/python -m tests.benchmarks.chunk_way
	$(BIN)/python -m tests.benchmarks.inner_loop

mutation: $(STAMP)
	$(BIN)/python -m pip install --quiet --group mutation
	$(BIN)/python -m tests.mutation $(ARGS)

clean:
	rm -rf $(VENV) .tapecheck .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

# An old pip knows no dependency groups, so it is renewed first.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("tapecheck needs Python 3.11 or later, this is %d.%d: make PYTHON=python3.x" % sys.version_info[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group test --group lint --group bench
	@touch $@
