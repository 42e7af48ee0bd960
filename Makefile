# make run        serve the station (PORT=8000); sets everything up the first time. LAN=1: open to the venue's network
# make test       the fast tests; make test-slow: most others; make test-all: all of them, the lengthy audits too
# make check      lint, types, who imports whom, migrations
# make bench      speed and memory, one JSON object a script

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt
export PYTHONUNBUFFERED := 1
# Tests and checks have a house of their own, and leave nothing behind in yours.
ELSEWHERE = home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && export SALON_HOME="$$home" &&

.PHONY: run test test-slow test-all check bench clean

run: $(VENV)/base
	@$(BIN)/salon demo --once
	@$(BIN)/salon run --port $(PORT) $(if $(LAN),--lan)

test: $(VENV)/test
	@$(ELSEWHERE) $(BIN)/python -m pytest -n 3 --dist loadfile -m "not slow"

test-slow: $(VENV)/test
	@$(ELSEWHERE) $(BIN)/python -m pytest -n 2 --dist loadfile -m "slow and not lengthy"

test-all: $(VENV)/test
	@$(ELSEWHERE) $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/test
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(ELSEWHERE) export DJANGO_SETTINGS_MODULE=salon.web.settings && \
		$(BIN)/python -m django check && $(BIN)/python -m django makemigrations --check --dry-run

bench: $(VENV)/base
	@for script in bench/*.py; do $(BIN)/python $$script --json || exit 1; done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info

# Stamps: pip is asked again only when the requirements change.
$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Latent Salon needs Python 3.11 or newer (try PYTHON=python3.12).") \
		if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/base: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing what the station needs (once, a minute or two) ..."
	@$(INSTALL) --editable .
	@touch $@

# torch first and alone, so that nothing else chooses its build.
$(VENV)/test: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing what the tests need (once) ..."
	@$(INSTALL) torch
	@$(INSTALL) --editable '.[test]'
	@touch $(VENV)/base $@
