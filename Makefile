# FlowStudio's commands. `make help` lists them; `make run` and `make test` need only Python 3.11 and make.
.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow check bench screenshots package clean lock

PY := .venv/bin/python

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## create .venv from the lock, install what Qt and the tests need
	@packaging/setup.sh dev

run: ## set up what is missing, then start the app (without a display: the sample plan, in the terminal)
	@packaging/setup.sh app
	@packaging/run.sh

test: ## set up what is missing, then run all tests but the slow ones
	@packaging/setup.sh dev
	@QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m "not slow" $(ARGS)

test-slow: ## run the slow tests: frozen app, wheel, long crash tests
	@packaging/setup.sh dev
	@QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m slow $(ARGS)

check: ## format, lint, types, import rules, catalogue
	@packaging/setup.sh dev
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache
	@$(PY) -m flowstudio.providers.lint

bench: ## measure, print a table, write benchmarks/results.json
	@packaging/setup.sh dev
	@QT_QPA_PLATFORM=offscreen $(PY) -m benchmarks

screenshots: ## render the window offscreen, light and dark, into docs/images/
	@packaging/setup.sh dev
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/screenshots.py

package: ## build the one-folder app with PyInstaller into dist/flowstudio
	@packaging/setup.sh dev
	@$(PY) -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build packaging/flowstudio.spec
	@du -sh dist/flowstudio

lock: ## compile requirements/*.lock anew from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --group build pyproject.toml -o requirements/app.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --group dev pyproject.toml -o requirements/dev.lock

clean: ## remove everything that the commands above made
	@rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
