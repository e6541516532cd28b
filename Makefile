# Thin: `python -m guidelib` does the work. See `make help`.
PYTHON ?= python3
PROFILE ?= fast
NOTEBOOKS ?=
RECOMPUTE ?=
ARGS ?=
BIN = .venv/bin
RUN = $(BIN)/python -m guidelib

.PHONY: help figures lint test test-slow book lab my lock clean

help:
	@echo "make figures [PROFILE=smoke|fast|full] [NOTEBOOKS=02] [RECOMPUTE=1]   run the tutorials, leave everything in figures/,"
	@echo "                   or in figures/PROFILE at another profile than fast"
	@echo "make test          the quick tests          make test-slow   the slow ones"
	@echo "make lint          style and order of imports, by ruff"
	@echo "make book          the course as HTML in book/_build/html, of what make figures left, else made at smoke"
	@echo "make lab [ARGS=..] JupyterLab on the course; ARGS='--port 9999 --no-browser', say; --allow-root for root"
	@echo "make my            copies of the notebooks in my/, to work in: git never looks there"
	@echo "make lock          the versions that are installed here, in requirements.lock"
	@echo "make clean         remove what these commands made, the environment included"

figures: .venv/runtime
	$(RUN) figures $(NOTEBOOKS) --profile $(PROFILE) $(if $(RECOMPUTE),--recompute)

lint: .venv/dev
	$(BIN)/ruff check .

test: .venv/dev
	$(RUN) test

test-slow: .venv/dev
	$(RUN) test --slow

book: .venv/dev
	$(RUN) book

# From the checkout, so that results and README can be opened too.
lab: .venv/dev
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/$(or $(wildcard my/student/00_start_here.ipynb),notebooks/00_start_here.ipynb) $(ARGS)

# Never over work that is there.
my: .venv/runtime
	@test ! -e my || { echo "my/ is there already, perhaps with your work: move it away first, then make my again"; exit 1; }
	$(RUN) course export my

# What +cpu and the like say of a build is left out: any build of that version will do.
lock: .venv/dev
	$(BIN)/python -m pip list --format freeze --exclude-editable --exclude pip --exclude setuptools | sed 's/+.*//' > requirements.lock

clean:
	rm -rf .venv figures book/_build guidelib.egg-info

# The stamps remember what is installed, so that only a change of pyproject.toml installs again.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "guidelib needs Python 3.11 or later, and '$(PYTHON)' is `$(PYTHON) --version 2>&1`: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: .venv/python pyproject.toml
	@echo "installing what the tutorials need: some minutes; on Linux torch's default build is gigabytes, README says how to have a small one"
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev: .venv/runtime
	@echo "installing what tests, book and JupyterLab need: some minutes"
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
