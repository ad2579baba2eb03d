# make live   sets up what is missing and runs the live loop on the bundled demo clip
# make demo   the same for the page in the browser
# make test   sets up what is missing and runs every test

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: live demo test clean

live: .venv/.live
	$(BIN)/mer-live --demo

demo: .venv/.demo
	$(BIN)/mer-demo

test: .venv/.test
	$(BIN)/python -m pytest

.venv/.live: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is older: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -m realtime.system
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.demo: .venv/.live
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

.venv/.test: .venv/.live
	$(BIN)/python -m pip install --quiet --editable '.[train,build,demo,cluster,parquet,test]'
	@touch $@

clean:
	rm -rf .venv build *.egg-info
