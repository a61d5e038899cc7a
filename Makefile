# Two commands do all the set-up on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
#   PYTHON=python3.12   the interpreter that makes .venv
#   STORE=folder        where the demo's store is
#   WORKERS=4           how many processes run the tests (3); one has all tests that start actors
# pip takes its own settings from the environment, as always (PIP_INDEX_URL, PIP_FIND_LINKS, ...).

PYTHON ?= python3
VENV ?= .venv
STORE ?= demo-store
# Tests that start actors, and many of those with real processes, mostly wait: on two cores of an AMD EPYC with AVX-512
# three workers ran `make test` in 5 min 16 s, two in 6 min 10 s. A worker may take 1 GB, and a model's actor 1.5 GB more.
WORKERS ?= 3

BIN := $(VENV)/bin
BIONER := $(BIN)/bioner
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SAMPLES := bioner_core/samples/pubmed26n0001.xml bioner_core/samples/cnki_sample.txt

define OLD_PYTHON
error: bioner needs Python 3.11 or newer, and `$(PYTHON)` is not one.
Name one that is: make $(MAKECMDGOALS) PYTHON=python3.12
endef
define NO_VENV
error: `$(PYTHON) -m venv` failed; its own words are above.
On Debian and Ubuntu the package python3-venv is needed.
endef
define NO_PACKAGES
error: pip could not install what bioner needs; its own words are above. If they speak of connections, timeouts or
versions that are not found, check the network, the proxy (HTTPS_PROXY) and the package index that pip is set to
(PIP_INDEX_URL), and run the same command again. If they speak of space: 2 GB are needed, and several more with CUDA.
endef
define NO_MODEL
error: the base model could not be fetched; the line above says why. The rest is installed: run the same command again.
endef
export OLD_PYTHON NO_VENV NO_PACKAGES NO_MODEL

.PHONY: help install install-dev demo test test-all lint docs truth model clean
help:
	@echo 'make demo      install into $(VENV), fetch the model, annotate the bundled samples, show mentions'
	@echo 'make test      lint, types and the fast tests'
	@echo 'make truth     passages against the leaf elements of samples, and of dumps where BIONER_SHARED names some'
	@echo 'make test-all  all tests: real model, Ray, Beam, and dumps where they are'
	@echo 'make docs      the docs site, in build/site; needs no network once everything is installed'
	@echo 'make install   install into $(VENV), nothing else'
	@echo 'make clean     remove $(VENV) and $(STORE)'

install: $(VENV)/installed

install-dev: $(VENV)/installed-dev

demo: model
	@$(BIONER) annotate $(SAMPLES) --store $(STORE)
	@echo
	@$(BIONER) mentions --store $(STORE) --nested --accepted --limit 6
	@echo 'The Parquet files: $(STORE)/mentions and $(STORE)/documents (docs/store.md says what is in them)'
	@echo 'More of it:        $(BIONER) mentions --store $(STORE) --limit 20'

test: lint
	@$(PYTEST) -m 'not slow'

test-all: $(VENV)/installed-dev model
	@$(PYTEST) --durations 40 --durations-min 10

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive bioner bioner_core pipelines jobs devtools

docs: $(VENV)/installed-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo 'The site: build/site/index.html'

truth: $(VENV)/installed-dev
	@$(BIN)/python -m devtools.check_truth

model: $(VENV)/installed
	@$(BIONER) models pull || { echo "$$NO_MODEL" >&2; exit 1; }

clean:
	rm -rf $(VENV) $(STORE)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$OLD_PYTHON" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$$NO_VENV" >&2; exit 1; }

# torch first, at its pinned version: nothing later may bring another one, with gigabytes of CUDA packages of its own.
$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'installing into $(VENV); the first time this takes some minutes ...'
	@$(PIP) torch && $(PIP) --editable . || { echo "$$NO_PACKAGES" >&2; exit 1; }
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(PIP) --editable '.[browser,buckets,dev,publish,serve,train]' || { echo "$$NO_PACKAGES" >&2; exit 1; }
	@touch $@
