# Everything is done in .venv; the first target that needs it makes it. Needs: Debian with Python 3.11 (python3, python3-venv).
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
# Only wheels of the lock file are installed; hashes are checked.
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true
	touch $@

install: $(INSTALLED) ## create .venv and install

demo: $(INSTALLED) ## crawl the sample portal, publish, compare years and districts
	$(BIN)/gongkai demo

test: $(INSTALLED) ## lint, types and the whole test suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

thorough: $(INSTALLED) ## the test suite with its slow part: clusters, schedules, upgrades
	$(BIN)/pytest -m "slow or not slow"

check: $(INSTALLED) ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED) ## benchmarks, side by side in one run
	$(BIN)/python benchmarks/run.py

faults: $(INSTALLED) ## 200 kills at random moments of a night, 50 readers while 20 runs publish
	GONGKAI_KILLS=200 GONGKAI_READERS=50 GONGKAI_PUBLISHES=20 $(BIN)/pytest -n 0 -s -m "slow or not slow" tests/test_portal_kills.py tests/test_readers.py

accuracy: $(INSTALLED) ## read generated documents and the sample reports, write docs/accuracy.md
	PYTHONPATH=tests $(BIN)/python benchmarks/accuracy.py

docs: $(INSTALLED) ## run the SQL blocks on the demo, write their results and the dictionary, build the pages into build/docs
	$(BIN)/python -m warehouse.codebook > docs/dictionary.md
	PYTHONPATH=tests $(BIN)/python -m docs_blocks --write
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file docs/site/mkdocs.yml

dictionary: $(INSTALLED) ## write docs/dictionary.md from the codebook
	$(BIN)/python -m warehouse.codebook > docs/dictionary.md

sample: $(INSTALLED) ## make the sample portal again from its figures
	$(BIN)/python -m sources.sample.make

lock: pyproject.toml ## resolve requirements.lock again
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal \
		--extra dev pyproject.toml -o requirements.lock

clean: ## remove .venv and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help install demo test thorough check bench accuracy faults docs dictionary sample lock clean
