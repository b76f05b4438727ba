# The environments of other people's clients. Included by the Makefile, which defines PYTHON, VENV.
# Each lock beside this file is a virtual environment of its own, made anew when the lock changed.

CLIENTS := $(VENV)-clients
CLIENT_LOCKS := $(wildcard tests/clients/*/requirements.lock)

.PHONY: clients
clients: $(CLIENT_LOCKS:tests/clients/%/requirements.lock=$(CLIENTS)/%/.installed) ## install other people's SDKs and CLIs, for the tests
	@tests/clients/cli_v2/install.sh

$(CLIENTS)/%/.installed: tests/clients/%/requirements.lock | setup
	@rm -rf $(@D)
	@.ci/environment.sh $(PYTHON) $(@D) $< $(BIN)/uv
	@touch $@
