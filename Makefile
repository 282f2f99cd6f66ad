# `make` lists the targets. Another Python: make run PYTHON=python3.13. Other ports: make run PORT=8001
PYTHON ?= python3
ROWS ?= 10000 100000 1000000
VENV := .venv
BIN := $(VENV)/bin
# `make lock` writes each of these from the .in file beside it. pip installs nothing else.
LOCKS := $(addsuffix .txt,$(addprefix layers/shared/,requirements requirements-analysis) \
	requirements requirements-dev requirements-deploy requirements-lint)

# Rebuild a virtual environment whose Python an upgrade has removed.
.PHONY: $(foreach stamp,$(VENV)/run.stamp $(VENV)/dev.stamp .venv-lint/stamp .venv-deploy/stamp,\
	$(if $(wildcard $(dir $(stamp))bin/python),,$(stamp)))

.DEFAULT_GOAL := help
.PHONY: help run test test-slow test-browser test-docker test-deploy lint reference bench bench-list build deploy destroy migrate up down sweep verify monitor demo key keys-confirm lock audit clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/run.stamp: requirements.txt local/bootstrap.py
	@$(PYTHON) local/bootstrap.py $(VENV) $@ $<

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt local/bootstrap.py
	@$(PYTHON) local/bootstrap.py $(VENV) $@ $(filter %.txt,$^)

run: $(VENV)/run.stamp  ## Run the service on this machine, without Docker: http://127.0.0.1:8000
	@exec $(BIN)/python -m local run

# Tests that start, kill and wait for whole services, send random requests, or run the examples of the documents.
SLOW := tests/integration/local tests/integration/webhooks/test_hostile_answers.py \
	tests/integration/images/test_batch_repeated.py \
	$(addprefix tests/e2e/test_,docs_examples.py docs_pages.py examples.py examples_flask.py openapi.py) \
	$(addprefix tests/integration/test_,benchmarks.py faults.py interleavings.py mirrors.py restores.py)

test: $(VENV)/dev.stamp  ## Run the unit, integration and end-to-end tests
	$(BIN)/python -m pytest --numprocesses=4 --dist=worksteal tests/unit tests/integration tests/e2e $(addprefix --ignore=,$(SLOW))

test-slow: $(VENV)/dev.stamp  ## Test the local run and the examples of the documents, and run the harnesses briefly
	$(BIN)/python -m pytest --numprocesses=4 --dist=worksteal $(SLOW)

test-browser: $(VENV)/dev.stamp  ## Test the gallery in headless Chromium, and generated clients
	@for program in "$${CHROMIUM:-chromium}" npm; do command -v "$$program" > /dev/null || { \
	  echo "$$program is missing. Debian and Ubuntu: sudo apt-get install chromium npm"; \
	  echo "Another browser of the Chromium family: make test-browser CHROMIUM=/path/to/it"; exit 1; }; done
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal tests/browser tests/clients

test-docker: $(VENV)/dev.stamp  ## Test docker compose and sam local
	$(BIN)/python -m pytest tests/docker

test-deploy: $(VENV)/dev.stamp .venv-deploy/stamp  ## Deploy the template to an emulator of AWS and test it there
	$(BIN)/python -m pytest tests/deploy

# ministack runs the functions in its own Python, which must be their version.
.venv-deploy/stamp: requirements-deploy.txt local/bootstrap.py
	@python3.13 local/bootstrap.py .venv-deploy $@ $<

# Packages keep their versions unless the .in file has changed. The layers run only on Python 3.13.
lock: $(VENV)/dev.stamp  ## Update the lock files after a change of requirements*.in; UPGRADE=1 takes newer versions
	@for lock in $(LOCKS); do echo "$$lock"; \
	  case $$lock in layers/* | *-deploy.txt) python=3.13 ;; *) python=3.11 ;; esac; \
	  $(BIN)/uv pip compile --quiet --directory "$$(dirname "$$lock")" $(if $(UPGRADE),--upgrade) \
	    --universal --python-version $$python --no-build --generate-hashes \
	    "$$(basename "$${lock%.txt}.in")" --output-file "$$(basename "$$lock")" || exit 1; done

audit: $(VENV)/dev.stamp  ## Check the locked packages for known vulnerabilities
	@for lock in $(LOCKS); do echo "$$lock"; \
	  $(BIN)/pip-audit --strict --progress-spinner off --require-hashes --disable-pip --requirement "$$lock" || exit 1; done

# SAM CLI pins an older cfn-lint, so the newest has its own environment. .cfnlintrc contains its settings.
.venv-lint/stamp: requirements-lint.txt local/bootstrap.py
	@$(PYTHON) local/bootstrap.py .venv-lint $@ $<

lint: $(VENV)/dev.stamp .venv-lint/stamp  ## Check style, types, which room imports which, the words, and the templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy local layers/shared/imageapi tests benchmarks
	PYTHONPATH=layers/shared:. $(BIN)/lint-imports
	$(BIN)/codespell README.md CONTRIBUTING.md docs template.yaml infra layers/shared/imageapi/openapi.json
	$(BIN)/python -m tests.words
	.venv-lint/bin/cfn-lint
	@for app in functions/*/app.py; do folder=$${app%/*}; MYPYPATH=$$folder $(BIN)/mypy $$folder/*.py || exit 1; done

reference: $(VENV)/dev.stamp  ## Write the tables in docs/ that follow from openapi.json and template.yaml
	$(BIN)/python -m tests.reference

bench: $(VENV)/dev.stamp build  ## Measure cold starts, uploads and lists against a floor
	$(BIN)/python -m benchmarks

bench-list: $(VENV)/dev.stamp  ## Measure lists and searches at many rows: make bench-list ROWS="10000 1000000"
	$(BIN)/python -m benchmarks.scale --rows $(ROWS) --chart docs/list-latency.svg

build: $(VENV)/run.stamp  ## Build the functions and the layer for sam deploy and sam local
	SAM_CLI_TELEMETRY=0 $(BIN)/python -m samcli build

# The section of samconfig.toml. Further parameters: SAM_OPTIONS='--parameter-overrides …'
ENV ?= dev

deploy: $(if $(BUILT),$(VENV)/run.stamp,build)  ## Deploy to AWS: make deploy ENV=dev or ENV=prod; BUILT=1 skips the build
	SAM_CLI_TELEMETRY=0 $(BIN)/python -m samcli deploy --config-env $(ENV) $(SAM_OPTIONS)
ifeq ($(ENV),prod)
	aws cloudformation update-termination-protection --enable-termination-protection --stack-name image-api-prod
endif

# CloudFormation deletes the database last, so the deletion of a protected one would fail after all else is gone.
destroy: $(VENV)/run.stamp  ## Delete the AWS stack; keeps images, the signing key and a final database snapshot
	@protected=$$(aws cloudformation describe-stacks --stack-name image-api-$(ENV) --output text \
	  --query "Stacks[0].Parameters[?ParameterKey=='DatabaseDeletionProtection'].ParameterValue") && test "$$protected" = false || { \
	  echo "Nothing was deleted: DatabaseDeletionProtection is not \"false\" (docs/operations.md#remove-it)."; exit 1; }
	SAM_CLI_TELEMETRY=0 $(BIN)/python -m samcli delete --config-env $(ENV) --stack-name image-api-$(ENV)

migrate: $(VENV)/run.stamp  ## Update the database schema, beside a make run or the containers
	@$(BIN)/python -m local invoke MigrateFunction

up:  ## Start PostgreSQL and MinIO in Docker for sam local
	docker compose up --detach --wait

down:  ## Stop all containers of docker compose; keeps their data
	docker compose --profile api down

sweep: $(VENV)/run.stamp  ## Show what interrupted uploads and deletions left behind; APPLY=1 cleans it up
	@exec $(BIN)/python -m local sweep $(if $(APPLY),--apply)

verify: $(VENV)/run.stamp  ## Compare all rows with their files, by checksum; RESTORE=1 restores files; STACK=name does so on AWS
	@exec $(BIN)/python -m local verify $(if $(STACK),--stack $(STACK)) $(if $(RESTORE),--restore)

monitor: $(VENV)/run.stamp  ## Show processes or containers, requests and stores, live
	@exec $(BIN)/python -m local monitor

demo: $(VENV)/run.stamp  ## Upload 300 sample images to the running service
	@exec $(BIN)/python -m local demo

key: $(VENV)/run.stamp  ## Create an API key: make key NAME=shop SCOPES=images:read,images:write [EXPIRES=2027-12-31] [STACK=name]
	@test -n "$$NAME" -a -n "$$SCOPES" || { echo "make key NAME=shop SCOPES=images:read,images:write [EXPIRES=2027-12-31]"; exit 1; }
	@exec $(BIN)/python -m local key --name="$$NAME" --scopes="$$SCOPES" $(if $(EXPIRES),--expires="$$EXPIRES") $(if $(STACK),--stack="$$STACK")

keys-confirm: $(VENV)/run.stamp  ## List the API keys that a restore has suspended; APPLY=1 confirms them; STACK=name does so on AWS
	@exec $(BIN)/python -m local keys-confirm $(if $(APPLY),--apply) $(if $(STACK),--stack="$$STACK")

clean:  ## Delete environments and builds; keeps the data in .data
	rm -rf $(VENV) .venv-lint .venv-deploy $(addsuffix .lock,$(VENV) .venv-lint .venv-deploy) .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
