# make study   run a study (STUDY=file, CORES=n) and make its report
# make test    run the tests, but for the slow ones (CORES=n)
# make slow    run the slow tests (CORES=n)
# make chaos   kill a run at random moments, 100 times or for 10 minutes, and compare its results
# make fuzz    read damaged formulas, studies and tables for MINUTES
# make check   style, types, examples in the documentation, the workflow's own checks
# make docs    make the site of the documentation, site/html/index.html
# make bench   measure speed
# make lock    renew the list of exact versions
# make clean   delete the environment and what the tools left, not the results

PYTHON ?= python3
STUDY ?= config/ogorek2012.yaml
CORES ?= 2
MINUTES ?= 20
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder

.PHONY: study test slow fuzz chaos check docs bench lock clean
.DELETE_ON_ERROR:

study: .venv/installed
	$(BIN)/hlm run $(STUDY) --cores $(CORES)

test: .venv/installed
	$(PYTEST)

slow: .venv/installed
	$(PYTEST) -m slow

fuzz: .venv/installed
	$(BIN)/python -m tests.fuzz.campaign --minutes $(MINUTES)

chaos: .venv/installed
	$(BIN)/python -m tests.faults.campaign --kills 100 --minutes 10

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	$(BIN)/python -m hlm.study --check config/study.schema.json
	$(BIN)/pytest --quiet hlm
	! git grep -nE '/(home|root|work|Users)/[a-z]' -- ':!requirements.lock' ':!Makefile'

docs: .venv/installed
	rm -rf site
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
	    --jobs auto --conf-dir docs --doctree-dir site/doctrees . site/html

bench: .venv/installed
	$(BIN)/python -m benchmarks

lock:
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet uv
	.venv/lock/bin/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header \
	    --extra cluster --extra dev --extra docs --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "hlm needs Python 3.11 or later: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@
