# Verbs of the images. Included by the Makefile, which defines BIN and `setup`.

BASE_IMAGE := sagedock/base:bookworm-py3.11
IMAGES ?=
PUSH ?=
LOGIN_REGISTRIES ?=

.PHONY: engine
engine: ## find a Docker engine, or install and start one
	@containers/engine.sh

.PHONY: base
base: engine ## make the base image; BASE=IMAGE takes a public one
	@containers/base/build.sh $(BASE_IMAGE)

.PHONY: build
build: setup engine ## build the CPU images, or IMAGES="NAME..." of containers/images.toml
	@$(BIN)/sagedock build $(addprefix --login-registry ,$(LOGIN_REGISTRIES)) $(IMAGES)

.PHONY: registry
registry: setup ## find docker-registry, with which the local ECR keeps images, or take Debian's
	@containers/registry.sh $(BIN)

.PHONY: push
push: setup engine registry ## push the CPU images, or IMAGES="NAME..."; PUSH="--target aws ..." adds options
	@$(BIN)/sagedock push $(PUSH) $(IMAGES)

.PHONY: sbom
sbom: setup engine ## list what the images hold that are built, or IMAGES="NAME...": build/sbom
	@$(BIN)/sagedock sbom $(IMAGES)

.PHONY: lock
lock: setup ## pin every Python package, by version and hash (Linux x86_64, Python 3.11); UPGRADE=1: the newest
	@UPGRADE=$(UPGRADE) containers/lock.sh $(BIN)/pip-compile

.PHONY: images
images: setup ## list the images, built or not
	@$(BIN)/sagedock images

.PHONY: clean-images
clean-images: ## remove our images (by label) and the wheels gathered for them
	@containers/clean.sh
