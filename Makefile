# `make run` and `make test` set everything up by themselves: Python 3.11 or newer and a package index are all they need.
PYTHON ?= python3
FILE   ?= circle_packing.db
STEPS  ?= 23000
SEED   ?= 1
ARGS   ?=
BIN    := .venv/bin
STAMP  := .venv/.installed

.PHONY: run test test-slow check setup lock clean

run: setup
	$(BIN)/elites run circle_packing --file $(FILE) --steps $(STEPS) --seed $(SEED) $(ARGS)

test: setup
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-slow: setup
	$(BIN)/python -m pytest -m slow $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "elites needs Python 3.11 or newer; '$(PYTHON)' is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv --clear .venv || { echo "could not make .venv: on Debian and Ubuntu, install python3-venv first (apt-get install python3-venv)"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

# Needs `uv`; run it only to change what is pinned.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q --all-extras -o requirements.lock pyproject.toml

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
