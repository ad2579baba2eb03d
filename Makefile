# make live   sets up what is missing and runs the live loop on the bundled demo clip
# make demo   the same for the page in the browser
# make test   sets up what is missing and runs every test
# make check  the linter and the quick tests, for the inner loop
# make gpu    on a machine with a GPU and the CUDA toolkit: proves and measures what only a GPU can, in one report
# make release   wheel and sdist in dist/, each tried in an empty environment; licences, SBOM and known holes of all that comes with them
# make gpu-bundle   packs it for a machine without a network; BUNDLE='--python 3.11 --with onnxruntime-gpu' as mer-bench takes it

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: live demo test check lint lint-page gpu gpu-bundle driver release clean

live: .venv/.live
	$(BIN)/mer-live --demo

demo: .venv/.demo
	$(BIN)/mer-demo

# what needs the cores for itself, then all else side by side (tests/conftest.py); compiled once, not by each of the hundreds of programs that they start
test: export PYTHONDONTWRITEBYTECODE :=
test: lint
	$(BIN)/python -m pytest -m live tests/dashboard tests/train/bench_soak
	$(BIN)/python -m pytest -m "not live" --numprocesses auto --dist loadfile

lint: .venv/.test lint-page
	$(BIN)/ruff check engines realtime train tests
	$(BIN)/ruff format --check --quiet engines realtime train tests
	$(BIN)/python -m mypy

# the scripts of the page: eslint, types (JSDoc), what they reckon
PAGE := tests/page/node_modules
ifeq ($(shell command -v npm),)
lint-page:
	@echo "the scripts of the page are not looked at: npm is not installed (apt install nodejs npm)" >&2; test -z "$$MER_REQUIRE_BROWSER"
else
lint-page: $(PAGE)/.done
	$(PAGE)/.bin/eslint --config tests/page/eslint.config.js realtime/dashboard/page tests/page
	$(PAGE)/.bin/tsc --project tests/page/jsconfig.json
	node --test --test-reporter=dot tests/page/*.test.js
endif

$(PAGE)/.done: tests/page/package.json
	cd tests/page && npm install --silent --no-audit --no-fund
	@touch $@

# neither a browser nor training, nor whole clips
QUICK = tests/test_house.py tests/engines/test_batcher.py tests/engines/test_home.py tests/engines/test_runtime.py tests/realtime/test_episode.py \
	tests/realtime/test_geometry.py tests/realtime/test_judged.py tests/realtime/test_lbp.py tests/realtime/test_moments.py tests/realtime/test_names.py \
	tests/realtime/test_settings.py tests/realtime/test_sinks.py tests/realtime/test_verify.py tests/realtime/test_waking.py tests/realtime/test_exports.py \
	tests/realtime/test_review.py tests/train/test_protocols.py tests/train/data tests/train/bench_spotting/test_score.py
check: lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -q $(QUICK)

gpu: driver .venv/.gpu
	$(BIN)/mer-bench gpu

gpu-bundle: .venv/.live
	$(BIN)/mer-bench gpu-bundle $(BUNDLE)

driver:
	@command -v nvidia-smi >/dev/null || { echo "no GPU: there is no NVIDIA driver (nvidia-smi) on this machine" >&2; exit 2; }

.venv/.live: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is older: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -m realtime.cli.system
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.demo: .venv/.live
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

.venv/.test: .venv/.live
	$(BIN)/python -m pip install --quiet --editable '.[train,build,demo,cluster,parquet,lsl,mqtt,coders,test]'
	@touch $@

# onnxruntime-gpu takes the place of onnxruntime: both unpack into one folder
.venv/.gpu: .venv/.live
	$(BIN)/python -m pip install --quiet --editable '.[train,test,cuda]' 'pycuda>=2025.1'
	$(BIN)/python -m pip uninstall --quiet --yes onnxruntime onnxruntime-gpu
	$(BIN)/python -m pip install --quiet --no-deps 'onnxruntime-gpu<2'
	@touch $@

# what an index takes is 100 MB; ours stays under 60, for those who install it over a slow line
RELEASE := build/release
EXTRAS := demo,train,build,cluster,parquet,pandas,lsl,mqtt,coders
release:
	rm -rf dist $(RELEASE)
	$(PYTHON) -m venv $(RELEASE)/tools && $(RELEASE)/tools/bin/python -m pip install --quiet build pip-licenses cyclonedx-bom pip-audit
	$(RELEASE)/tools/bin/pyproject-build --outdir dist
	@ls -l dist; for file in dist/*; do test $$(wc -c < $$file) -lt 60000000 || { echo "$$file is larger than 60 MB" >&2; exit 1; }; done
	$(PYTHON) -m venv $(RELEASE)/empty
	for file in dist/*.whl dist/*.tar.gz; do $(RELEASE)/empty/bin/python -m pip install --quiet --force-reinstall --no-deps $$file && \
		$(RELEASE)/empty/bin/python -m pip install --quiet "$$file[$(EXTRAS)]" && (cd $(RELEASE) && empty/bin/mer-live --demo --no-log) || exit 1; done
	$(RELEASE)/tools/bin/pip-licenses --python $(RELEASE)/empty/bin/python --with-urls --format=markdown --output-file dist/licences.md
	$(RELEASE)/tools/bin/cyclonedx-py environment $(RELEASE)/empty/bin/python --pyproject pyproject.toml --output-file dist/sbom.json
	$(RELEASE)/tools/bin/pip-audit --path $$($(RELEASE)/empty/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

clean:
	rm -rf .venv build dist *.egg-info $(PAGE)
