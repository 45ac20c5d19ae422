# `make demo` and `make test` need Python 3.11 or newer, make and git; the rest they install into .venv.
# `make collector` needs Go, `make javascript` and `make clickhouse` npm. Another interpreter: make PYTHON=python3.13 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Newer than what it was installed from: nothing to install.
INSTALLED := $(VENV)/.installed
# What runs for every span is compiled where there is a C compiler; make COMPILE=false leaves everything as it is.
COMPILE ?= $(if $(shell command -v cc),true,false)
COMPILED := $(shell sed -n 's/^    "\(src\/.*\.py\)",$$/\1/p' pyproject.toml)
# The tests beside those modules, and what uses them together.
TESTS_OF_COMPILED := $(sort $(dir $(COMPILED:src/otel_sessions/%=tests/%))) \
	tests/server/ingest tests/server/test_same_answers.py tests/test_exporter.py

# Processes that tests run in; each has a ClickHouse engine of its own, which takes about 500 MB.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test collector javascript clickhouse bench dist clean

help:
	@echo "make demo       run an instrumented agent and the server offline, print its sessions; STAY=1 leaves it running"
	@echo "make test       lint, types and tests with coverage"
	@echo "make bench      what sessions cost in time and memory"
	@echo "make collector  build the OpenTelemetry Collector once and print its path (needs Go)"
	@echo "make javascript install the exporters of the JavaScript SDK once (needs npm)"
	@echo "make clickhouse install a ClickHouse server for tests once (needs npm)"
	@echo "make dist       compiled wheels, the pure wheel and the source distribution, in dist/ (needs a C compiler)"
	@echo "make clean      remove $(VENV), what is compiled and what tools left behind"

$(INSTALLED): pyproject.toml constraints.txt $(COMPILED)
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, for example: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(CURDIR)/$(VENV), once: about 350 MB to download, most of it the database engine, and 1.3 GB on disk"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@find src -name '*.so' -delete
	@HATCH_BUILD_HOOK_ENABLE_MYPYC=$(COMPILE) $(BIN)/python -m tools.install -c constraints.txt -e '.[all]' --group dev
	@echo "installed; 'make clean' removes it"
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/python -m examples.demo $(if $(STAY),--stay)

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov --cov-report=term
	@if ls src/*__mypyc* > /dev/null 2>&1; \
	then OTEL_SESSIONS_TEST_COMPILED=1 $(BIN)/python -m pytest --quiet -n $(JOBS) --dist loadfile $(TESTS_OF_COMPILED); \
	else echo "nothing is compiled (no C compiler, or COMPILE=false), so no compiled module was tested"; fi

collector:
	@.ci/build-collector

javascript:
	@.ci/install-javascript

clickhouse:
	@.ci/install-clickhouse

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.logs
	$(BIN)/python -m benchmarks.calls
	$(BIN)/python -m benchmarks.conversation
	$(BIN)/python -m benchmarks.store

dist: $(INSTALLED)
	@$(BIN)/python -m tools.build_dist

clean:
	find src -name '*.so' -delete
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build dist
