# One environment, made from requirements.lock; everything else is a call into it.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.PHONY: help book smoke test test-browser test-faults lint bench lab robustbench serve clean lock

# Some machines forbid Python to keep what it compiled: every process would then compile torch and its like anew, 10 s each.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
READY := .venv/.ready
UV_VERSION := 0.13.9

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Redone only when the pins or the project's own settings change; needs the network then and only then.
$(READY): requirements.lock pyproject.toml
	@fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; \
	if ! $(BIN)/python -c "$$fits" 2>/dev/null; then \
	    python=""; \
	    for name in python3.13 python3.12 python3.11 python3 python; do \
	        if "$$name" -c "$$fits" 2>/dev/null; then python="$$name"; break; fi; \
	    done; \
	    if [ -z "$$python" ]; then \
	        echo "No Python 3.11, 3.12 or 3.13 (with venv and pip) was found on the PATH; install one of them" \
	             "(python.org; apt install python3-venv; brew install python@3.13) and run make again." >&2; \
	        exit 2; \
	    fi; \
	    echo "Making .venv with $$("$$python" --version)"; \
	    "$$python" -m venv --clear .venv; \
	fi
	@echo "Installing requirements.lock into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet -r requirements.lock
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --offline --no-deps --no-build-isolation -e .
	@touch $(READY)

book: $(READY)  ## run the studies on real digits (preset laptop) and build the book into _build/html
	@$(BIN)/robustshape book --preset laptop

smoke: $(READY)  ## the same book from tiny inputs, in laptop's place
	@$(BIN)/robustshape book --preset smoke

test: $(READY)  ## run the tests; they open no connection
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-browser: $(READY)  ## look at the built book (BOOK=_build/html) in Chromium, page by page
	$(BIN)/python -m pytest -n 2 -o python_files='check_*.py' tests/browser

test-faults: $(READY)  ## kill, share, starve, fill and flip a small run, and print what came of it (minutes)
	$(BIN)/python -m pytest -n 2 -o python_files='check_*.py' tests/faults

lint: $(READY)  ## check style, formatting, and that lower modules never import higher ones
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

bench: $(READY)  ## measure the speed of what takes time (NAMES="kstar purity": those alone)
	@$(BIN)/python tests/bench $(NAMES)

lab: $(READY)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

# Without their own pins: robustbench asks for timm 1.0.9, and is only asked for its architectures here.
robustbench: $(READY)  ## install the architectures of RobustBench, for models called robustbench:...
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --no-deps robustbench==1.1.1 geotorch==0.4.0 torchdiffeq==0.2.5

serve: $(READY)  ## show the built book on http://127.0.0.1:8000
	$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

clean:  ## remove the built book and its pieces; the environment and the cache stay
	rm -rf _build book/executed book/figures book/generated

lock: $(READY)  ## add what pyproject.toml asks for to the pins (Linux and macOS, Python 3.11 to 3.13)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-header --no-annotate \
	    -o requirements.lock
	sed -i.bak -E "s/ ; sys_platform == 'darwin' or sys_platform == 'linux'$$//; \
	    s/ and \(sys_platform == 'darwin' or sys_platform == 'linux'\)$$//; s/; \((.*)\)$$/; \1/" requirements.lock
	rm requirements.lock.bak
