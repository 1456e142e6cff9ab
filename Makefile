# The project's vocabulary. `make help` lists it.

# The first of these that runs; PYTHON=/path/to/python chooses another.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11,$(shell $(name) -c 'print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-bench
READY := $(VENV)/.ready
WORKERS ?= 2
# Whole files go to a worker, so that what a file's tests share is made once; the longest come first (tests/conftest.py).
SHARE := --dist loadfile --no-loadscope-reorder

# One thread per process: tests and steps run side by side, and busy-waiting threads starve each other.
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-long bench lint docs-tables format compile ui manifests images images-push test-containers test-servers test-chaos clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(READY) ## Install everything into .venv

$(READY): pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[gpu,dev]'
	@touch $(READY)

demo: $(READY) ## Two real fine-tunings through the whole graph: one is rejected, one promoted
	$(BIN)/plimsoll demo

test: $(READY) ## All tests but the long ones, with coverage of branches
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) $(SHARE) -m 'not long' --cov --cov-report=term --cov-fail-under=90 --durations=25

test-fast: $(READY) ## The tests that train no toy model
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) $(SHARE) -m 'not slow and not long'

test-long: $(READY) ## The tests that take half a minute to minutes: the demo, bad adapters, calibration, sharded graphs, replays
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) $(SHARE) -m long --durations=25

bench: $(READY) $(PEERS)/.ready ## Our engine against other evaluation tools, side by side (BENCH="--quick": ours alone)
	$(BIN)/python tests/bench/bench.py $(BENCH)

$(PEERS)/.ready: tests/bench/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --requirement tests/bench/requirements.txt
	@touch $(PEERS)/.ready

lint: $(READY) ## Style, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs-tables: $(READY) ## Renew the tables of docs/evaluation.md that are made from the code
	$(BIN)/python docs/make_tables.py

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

compile: $(READY) ## Compile the demo's graph to pipeline.yaml
	$(BIN)/plimsoll compile configs/pipelines/demo-careful.yaml -o .plimsoll/pipeline.yaml

ui: $(READY) ## Open the MLflow UI on the local store
	$(BIN)/plimsoll ui

manifests: $(READY) ## Render and check the Kubernetes manifests of all overlays, offline
	$(BIN)/python manifests/check.py .plimsoll/manifests

images: ## Build both images (CONTAINER_TOOL, BASE_IMAGE and more: images/README.md)
	$(PYTHON) images/build.py build

images-push: ## Push both images and note their digests (REGISTRY=registry.example.com/team)
	$(PYTHON) images/build.py push --registry "$(REGISTRY)"

test-containers: $(READY) ## Opt-in, Debian 12, root: build both images and run the demo's graph in real containers
	tests/containers/setup.sh
	. $${PLIMSOLL_CONTAINERS:-.plimsoll/containers}/env && PLIMSOLL_CONTAINER_TESTS=1 $(BIN)/pytest -v --durations=5 tests/containers

test-servers: $(READY) ## Opt-in, PostgreSQL installed: MLflow on PostgreSQL and S3, with servers that go away
	OMP_NUM_THREADS=1 PLIMSOLL_SERVER_TESTS=1 $(BIN)/pytest -v tests/servers

test-chaos: $(READY) ## Opt-in, 15 to 30 minutes: runs killed, edited, cut off and crowded; renews the table of docs/reliability.md
	rm -rf .plimsoll/chaos
	OMP_NUM_THREADS=1 PLIMSOLL_CHAOS_TESTS=1 $(BIN)/pytest -n $(WORKERS) --durations=20 tests/chaos
	$(BIN)/python -m tests.chaos.outcome_table

clean: ## Remove what runs have made (keeps .venv)
	rm -rf .plimsoll build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.* .import_linter_cache
