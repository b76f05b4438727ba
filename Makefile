# Every verb of this project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Thousands of processes import the same files: compiled once, not by each of them.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help
help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

include containers/containers.mk

$(VENV)/.installed: pyproject.toml requirements-dev.lock .ci/environment.sh
	@.ci/environment.sh $(PYTHON) $(VENV) requirements-dev.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed ## make the Python environment in .venv

.PHONY: demo
demo: setup engine build ## the digits: process, tune, train, run a pipeline, deploy, transform, clean up
	@$(BIN)/sagedock local run -- $(BIN)/python scripts/story.py --target local

.PHONY: lint
lint: setup ## style, types, layers, Dockerfiles, shell scripts; every test can be imported
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest --collect-only -q tests | grep -v ::
	$(BIN)/lint-imports --no-cache
	$(BIN)/hadolint containers/*/Dockerfile examples/*/containers/Dockerfile
	$(BIN)/shellcheck containers/*.sh containers/*/*.sh tests/clients/*/*.sh .ci/run .ci/*.sh

.PHONY: check
check: lint ## lint, then unit, law and golden tests: no Docker, two minutes
	QUICK=1 $(BIN)/pytest -q -n 4 --dist worksteal tests/unit tests/laws tests/golden

.PHONY: prepare
prepare: setup ## what `make test` needs: an engine, the images, other people's clients, a registry
	@if containers/engine.sh; then $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,--jobs=2) build clients; \
	else echo 'prepare: no engine: the tests that need one are skipped, each saying so'; fi
	@$(MAKE) --no-print-directory registry || echo 'prepare: no docker-registry: tests that push are skipped'

.PHONY: test
test: prepare ## every test, those in real containers too
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --reruns 1 --durations 25 tests

.PHONY: test-xla
test-xla: setup engine ## the Neuron training path on a CPU: an image of 5 GB is built first
	@$(MAKE) --no-print-directory build IMAGES="training-xla"
	$(BIN)/pytest -m xla tests

.PHONY: test-cuda
test-cuda: setup engine ## build the CUDA images (15 GB, 15 minutes) and look into them; a GPU is used where one is
	$(BIN)/pytest -m cuda_image --durations 10 tests/docker/test_image_cuda.py
	SAGEDOCK_TEST_TRAINING_IMAGE=sagedock-training:cuda $(BIN)/pytest tests/docker/test_launcher_script.py \
	    tests/docker/test_launcher_torchrun.py
	SAGEDOCK_TEST_SERVING_IMAGE=sagedock-serving:cuda $(BIN)/pytest tests/docker/test_serving_models.py

include tests/clients/clients.mk

.PHONY: bench
bench: setup engine build ## measure, against a bare run of the same
	@$(BIN)/python -m benchmarks

.PHONY: clean
clean: ## remove what the verbs above made: containers, networks, images, state, our engine
	@[ ! -x $(BIN)/sagedock ] || $(BIN)/sagedock local down
	@[ ! -x $(BIN)/sagedock ] || $(BIN)/sagedock local clean
	@$(MAKE) --no-print-directory clean-images
	@containers/engine.sh stop
	@rm -rf build data
