# Every target sets up what it needs; a second run finds it there.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# The CDK CLI asks npm for a newer version of itself and reports usage; neither is wanted here.
export CDK_DISABLE_VERSION_CHECK := 1
export CDK_DISABLE_CLI_TELEMETRY := true

RESOLVE := --universal --python-version 3.11 --no-header --no-annotate

.PHONY: help setup demo test test-fast check synth bench lock statuses clean
help:           ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: .venv/.ready .venv/local-aws/.ready node_modules/.ready  ## install Python packages, Node and the CDK CLI into this folder

demo: setup     ## deploy both pipelines to a local AWS, watch one start, destroy everything
	python -m local_aws.demo

test: setup .venv/checkov/.ready  ## run all tests, side by side on all cores
	python -m pytest -n logical

test-fast: .venv/.ready  ## run the tests that start no process, in less than a minute
	python -m pytest --fast

check: setup    ## lint, format, types
	ruff check .
	ruff format --check .
	mypy

synth: setup    ## write the CloudFormation templates of all stages to cdk.out
	cdk synth --quiet

bench: setup    ## measure synth and compile; prints medians and ratios
	python -m bench

lock: setup     ## resolve the newest versions that are allowed into the requirements files
	uv pip compile --quiet --upgrade $(RESOLVE) pyproject.toml --group app --group dev --output-file .venv/all.txt
	uv pip compile --quiet $(RESOLVE) pyproject.toml --group app --constraint .venv/all.txt --output-file .venv/runtime.txt
	{ echo "# Written by 'make lock' from pyproject.toml."; cat .venv/runtime.txt; echo "-e ."; } > requirements.txt
	{ echo "# Written by 'make lock' from pyproject.toml."; echo "-r requirements.txt"; \
		grep -vxFf .venv/runtime.txt .venv/all.txt; } > requirements-dev.txt
	uv pip compile --quiet --upgrade $(RESOLVE) --group checkov --output-file .venv/checkov.txt
	{ echo "# Written by 'make lock' from pyproject.toml."; cat .venv/checkov.txt; } > requirements-checkov.txt
	uv pip compile --quiet --upgrade $(RESOLVE) local_aws/pyproject.toml --output-file .venv/local-aws.txt
	{ echo "# Written by 'make lock' from local_aws/pyproject.toml."; cat .venv/local-aws.txt; } > requirements-local-aws.txt

statuses: setup ## write down the statuses that the newest botocore knows, which a test compares with ours
	rm -rf .venv/newest
	python -m pip download --quiet --disable-pip-version-check --no-deps --dest .venv/newest botocore
	python tests/trigger/test_sagemaker_statuses.py .venv/newest/botocore-*.whl

clean:          ## remove what the other targets made
	rm -rf .venv node_modules cdk.out .scheduled-pipeline

.venv/.ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing Python packages into .venv (two to three minutes the first time) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-dev.txt
	@touch $@

# An environment of its own, as MiniStack pins botocore and would hold back that of the app.
.venv/local-aws/.ready: requirements-local-aws.txt .venv/.ready
	@echo "Installing the local AWS into an environment of its own ..."
	@$(BIN)/python -m venv .venv/local-aws
	@.venv/local-aws/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-local-aws.txt
	@touch $@

.venv/checkov/.ready: requirements-checkov.txt .venv/.ready
	@echo "Installing checkov into an environment of its own ..."
	@$(BIN)/python -m venv .venv/checkov
	@.venv/checkov/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-checkov.txt
	@touch $@

node_modules/.ready: package.json package-lock.json .venv/.ready
	@echo "Installing the CDK CLI into node_modules ..."
	@$(BIN)/npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@
