# Everything runs in .venv, which scripts/setup.sh makes and keeps up to date.
.DEFAULT_GOAL := help
PYTHON_BIN := .venv/bin/python
PACKAGES := genvid accounts avatars videos billing
# Two more than a small machine has cores: the tests that kill processes mostly wait. A single file needs none.
export WORKERS ?= 4
FUZZ_EXAMPLES ?= 200
ARGS ?=

# What the tools that load the settings need; none of it is used to serve anything.
CHECK_ENV := env GENVID_TEST=1 GENVID_VAR=var/check SECRET_KEY=only-for-checks-0123456789-0123456789-0123456789 \
	SALT_KEY=only-for-checks HEYGEN_API_KEY=only-for-checks STRIPE_SECRET_KEY=sk_test_onlyForChecks0123456789ab \
	DATABASE_URL=sqlite:///:memory:

# Two files whose times say how long set-up took. And bytecode is kept: tests start Python hundreds of times.
STAMPS := var/test
TEST_ENV := env -u PYTHONDONTWRITEBYTECODE GENVID_TEST_STAMPS="$(STAMPS)/1 $(STAMPS)/2"
PYTEST := pytest -n auto --dist loadfile --no-loadscope-reorder
# Every process that a full run starts measures itself, by a module that Python loads when it starts.
MEASURING := genvid/tests/measuring
PARTS := var/coverage/parts
COVERAGE := env GENVID_COVERAGE="$(CURDIR)/$(PARTS)" PYTHONPATH="$(CURDIR)/$(MEASURING)"
# What a full run has to reach; raise it when it has risen.
FLOOR := 95

.PHONY: help setup run test test-sandbox drill begin-test services services-stop check lint types imports migrations schema openapi configuration fuzz fmt lock demo chaos bench bench-pipeline bench-requests bench-web bench-uploads bench-admin clean
.PHONY: build docker-up docker-down

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

setup:
	@scripts/setup.sh

run: setup ## set up and serve on http://127.0.0.1:8000 (PORT, GENVID_VAR and more: docs/configuration.md)
	@$(PYTHON_BIN) scripts/run.py

build: setup ## the production image; without a container engine what it holds, in build/, started and asked
	@$(PYTHON_BIN) scripts/build.py

docker-up: setup ## PostgreSQL and Redis alone in containers, on loopback, and the settings to use them
	@$(PYTHON_BIN) scripts/docker_services.py up

docker-down: setup ## stop them; their data stays
	@$(PYTHON_BIN) scripts/docker_services.py down

test: begin-test setup ## set up and test on a real PostgreSQL and Redis, with coverage (ARGS="path -k name": without; WORKERS=4)
	@touch $(STAMPS)/2
ifeq ($(strip $(ARGS)),)
	@rm -rf var/coverage && mkdir -p $(PARTS)
	@$(TEST_ENV) $(COVERAGE) $(PYTHON_BIN) -m $(PYTEST) -rs
	@$(PYTHON_BIN) $(MEASURING)/branches.py $(PARTS) $(FLOOR)
else
	@$(TEST_ENV) $(PYTHON_BIN) -m $(PYTEST) $(ARGS)
endif

test-sandbox: ## the tests of genvid/sandbox alone (ARGS="-k name")
	@$(MAKE) --no-print-directory test ARGS="genvid/sandbox/tests $(ARGS)"

drill: setup ## faults of production with real processes, one after the other; fails when none ran (ARGS="-k upgrade")
	@$(TEST_ENV) $(PYTHON_BIN) -m pytest -m drill -rs $(ARGS)

begin-test:
	@mkdir -p $(STAMPS)
	@touch $(STAMPS)/1

services: ## start PostgreSQL and Redis for the tests and leave them up: eval "$$(make -s services)"
	@scripts/setup.sh >&2
	@$(PYTHON_BIN) -m genvid.tests.persistent_services start

services-stop: setup ## stop them
	@$(PYTHON_BIN) -m genvid.tests.persistent_services stop

check: lint imports migrations schema types test ## everything CI asks: lint, imports, migrations, schema, types, test

lint: setup ## ruff: rules and format
	@echo "ruff: rules and format"
	@$(PYTHON_BIN) -m ruff check .
	@$(PYTHON_BIN) -m ruff format --check .

imports: setup ## import-linter: which package may import which
	@echo "import-linter: the direction of imports"
	@.venv/bin/lint-imports

migrations: setup ## no model change without its migration
	@echo "makemigrations: nothing missing"
	@$(CHECK_ENV) $(PYTHON_BIN) manage.py makemigrations --check --dry-run

schema: setup ## the OpenAPI document is valid and complete
	@echo "spectacular: the OpenAPI document"
	@mkdir -p var
	@$(CHECK_ENV) $(PYTHON_BIN) manage.py spectacular --validate --fail-on-warn --file var/openapi.yaml

openapi: setup ## write docs/openapi.yaml anew; a test keeps it current
	@$(CHECK_ENV) $(PYTHON_BIN) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

configuration: setup ## write docs/configuration.md and .env.example anew; a test keeps them current
	@$(PYTHON_BIN) -m genvid.configuration

fuzz: setup ## made-up requests by the OpenAPI document, many and new ones each time (FUZZ_EXAMPLES=200)
	@echo "schemathesis: $(FUZZ_EXAMPLES) requests for each operation"
	@env FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTHON_BIN) -m pytest -n $(WORKERS) --dist load genvid/tests/fuzz $(ARGS)

types: setup ## mypy, strict
	@echo "mypy: strict"
	@$(CHECK_ENV) $(PYTHON_BIN) -m mypy $(PACKAGES) bench scripts conftest.py manage.py

fmt: setup ## let ruff fix and format
	@$(PYTHON_BIN) -m ruff check --fix .
	@$(PYTHON_BIN) -m ruff format .

lock: setup ## write the locks anew from the requirements files
	@echo "uv: resolving requirements.lock, requirements-observability.lock and requirements-dev.lock"
	@$(PYTHON_BIN) -m pip install --quiet uv
	@.venv/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 requirements.txt -o requirements.lock
	@.venv/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 requirements-observability.txt -c requirements.lock -o requirements-observability.lock
	@.venv/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 requirements-dev.txt -c requirements.lock -c requirements-observability.lock -o requirements-dev.lock

demo: setup ## a customer's whole way, from sign-up to the finished video, against a running `make run`
	@$(PYTHON_BIN) manage.py demo $(ARGS)

chaos: setup ## 300 videos and own avatars through a storm of kills and faults, then the proof (SEED, VIDEOS, ACCOUNTS)
	@$(PYTHON_BIN) -m videos.tests.chaos

bench: bench-requests bench-uploads bench-admin bench-web bench-pipeline ## every measurement there is

bench-pipeline: setup ## the render pipeline at 200 and 2,000 in flight beside a naive one (ARGS=--quick)
	@$(PYTHON_BIN) -m bench $(ARGS)

bench-requests: setup ## CPU, SQL and Redis of API requests beside plain DRF (ARGS="--json FILE --compare FILE")
	@$(PYTHON_BIN) -m bench.requests $(ARGS)

bench-web: setup ## the web process under load beside plain DRF, with a million videos (ARGS="--quick --json FILE")
	@$(PYTHON_BIN) -m bench.web $(ARGS)

bench-uploads: setup ## the web process's memory and speed with uploads of 20 MB beside a view that reads them whole (ARGS="--rounds 3")
	@$(PYTHON_BIN) -m bench.uploads $(ARGS)

bench-admin: setup ## staff's pages, the proof of the ledger and retention on a million videos (ARGS=--quick)
	@$(PYTHON_BIN) -m bench.admin $(ARGS)

clean: ## remove .venv, build/ and the caches (data in var/ stays)
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
