# make demo   installs and denoises the sample stack (napari with a screen, pictures without one)
# make test   installs and runs all tests
# make check  formatting, lint, types, import contracts, spelling, metadata
# make docs   builds the pages, warnings are errors
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = $(VENV)/bin
PACKAGES = xvfb xauth libgl1 libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 \
           libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0

.PHONY: demo test check docs fuzz bench clean system install

demo: install
	$(BIN)/python -m napari_lotadenoise._qt.demo

# One process a core, each with one torch thread; a test that shares its run with others stays in their process.
test: install
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/typos
	$(BIN)/validate-pyproject pyproject.toml

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W docs docs/_build

# Thousands of random images; FUZZ tells how many of each kind.
fuzz: install
	FUZZ=$${FUZZ:-2500} $(BIN)/python -m pytest -q tests/test_fuzz.py

bench: install
	$(BIN)/python benchmarks/quality.py

# Qt and OpenGL need a few system libraries; Debian and Ubuntu get those that are missing, other systems have them.
system:
	@sh .ci/system-packages $(PACKAGES)

install: system $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all,test]"
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) demo-output docs/_build
