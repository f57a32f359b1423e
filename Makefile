# The commands of this project. All of them work on a fresh machine with Python 3.11 or later and make.
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed

.PHONY: help install test test-slow lint format demo sample notebooks docs clean

help:
	@echo "make install    the package with everything that its developers need, in $(VENV)"
	@echo "make demo       pack, train, evaluate and colorize sample photographs; minutes"
	@echo "make test       lint and the whole test suite"
	@echo "make test-slow  the longer checks"
	@echo "make format     put the code into its format"
	@echo "make sample     make h5data/photographs again"
	@echo "make notebooks  run docs/notebooks again and keep what they show; minutes"
	@echo "make docs       the guides and the reference as pages, in build/site"
	@echo "make clean      remove the demo"

install: $(STAMP)

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("densecolor needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations 40

test-slow: install
	$(BIN)/python -m pytest -m slow

sample: install
	rm -rf build/photographs h5data/photographs
	$(BIN)/python tools/sample_photographs.py build/photographs
	$(BIN)/densecolor-pack build/photographs/colour h5data/photographs --image-size 128 --compression gzip

notebooks: install
	$(BIN)/python tools/run_notebooks.py docs/notebooks/*.ipynb

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

demo: install
	PATH="$(BIN):$$PATH" sh tools/demo.sh

clean:
	rm -rf demo build
