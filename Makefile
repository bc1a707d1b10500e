# ikeproof. `make help` lists what there is to do.

PYTHON ?= python3
TARGETS ?= strongswan libreswan
SUITES ?=
ARGS ?=
SECONDS ?= 60
WORKERS ?= 4

VENV := .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin/python -m

.DEFAULT_GOAL := help
.PHONY: help conformance matrix test mutants witness ledger lint lock schema vectors rfc-texts clean fuzz bench coverage decoders

help: ## list the targets of this file
	@echo 'make conformance   judge daemons: does all the set-up that is missing, then writes a report'
	@echo '                   TARGETS="strongswan libreswan@bookworm", TARGETS=reference (no Docker)'
	@echo '                   SUITES="rfc7296 rfc4303", ARGS="-k cookie --evidence all"'
	@echo '                   WORKERS=4 at most judge each daemon side by side, each with a lab of its own'
	@echo 'make matrix        every algorithm and method alone: who has which, in which role; a report of its own'
	@echo 'make test          ikeproof itself: lint, types, its own tests, its planted faults (no Docker)'
	@echo 'make mutants       every planted fault against every test, as a table'
	@echo 'make witness       Libreswan told to misbehave in 30 ways, and the tests that see it (an hour or more)'
	@echo 'make ledger        what of the ledger is judged, what is not; ARGS=--rows lists each row with its tests'
	@echo '                   ARGS="--text rfc7296-2.6*" shows rows beside the paragraphs of the RFC'
	@echo '                   ARGS=--sentences: the sentences of six RFCs, which of them have rows'
	@echo 'make vectors       published test vectors through the reference peer, as a table; ARGS="--json FILE"'
	@echo '                   TARGETS=libreswan: through the runner that it brings along too (Docker)'
	@echo 'make rfc-texts     the RFC texts that vectors are extracted from (python -m vectors.extract)'
	@echo 'make fuzz          coverage-guided fuzzing of all that reads octets, SECONDS=60 in all'
	@echo 'make bench         codec, handshake, ESP and memory beside scapy and the bare primitives'
	@echo 'make coverage      branch coverage of peers/reference, and what is missing'
	@echo 'make decoders      what a run heard and sent, read by scapy and tshark too: FOLDER=reports/out/<run>'
	@echo 'make clean         remove containers, networks and images that carry our label'
	@echo 'make lock          pin the dependencies anew'
	@echo 'make schema        write reports/results.schema.json anew'

$(READY): requirements.lock
	@echo "ikeproof: setting up $(VENV) from requirements.lock"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "ikeproof: $(PYTHON) is older than 3.11: name a newer one, as in make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "ikeproof: installing python3-venv (apt-get)"; \
	    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3-venv >/dev/null; \
	  else echo "ikeproof: this Python cannot make virtual environments: install python3-venv" >&2; exit 2; fi; }
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

conformance: $(READY)
	@$(RUN) suites.conformance --targets "$(TARGETS)" --suites "$(SUITES)" --workers $(WORKERS) -- $(ARGS)

matrix: $(READY)
	@$(RUN) suites.conformance --targets "$(TARGETS)" --suites "$(SUITES)" --workers $(WORKERS) -- -m tries $(ARGS)

test: $(READY) lint
	@$(RUN) pytest -q suites/selftest $(ARGS)
	@$(RUN) suites.mutants

lint: $(READY)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check -q .
	@$(RUN) mypy

mutants: $(READY)
	@$(RUN) suites.mutants --all

witness: $(READY)
	@$(RUN) suites.witness $(ARGS)

ledger: $(READY)
	@$(RUN) suites.ledger $(ARGS)

vectors: $(READY)
	@$(RUN) vectors $(if $(filter-out file,$(origin TARGETS)),--targets "$(TARGETS)") $(ARGS)

rfc-texts:
	@apt-get install -q -y doc-rfc-std-proposed doc-rfc-informational doc-rfc-old-std || { \
	  echo "ikeproof: install Debian's doc-rfc packages (component non-free), as root" >&2; exit 2; }
fuzz: $(READY)
	@$(RUN) suites.fuzz --seconds $(SECONDS) $(ARGS)
bench: $(READY)
	@$(RUN) suites.bench $(ARGS)
coverage: $(READY)
	@$(RUN) coverage erase
	@$(RUN) coverage run -m pytest -q suites/selftest $(ARGS)
	@$(RUN) coverage run -m suites.mutants
	@$(RUN) coverage combine -q
	@$(RUN) coverage report
decoders: $(READY)
	@$(RUN) reports.second_decoder $(FOLDER) $(ARGS)

lock: $(READY)
	@$(VENV)/bin/uv --version >/dev/null 2>&1 || $(RUN) pip install -q uv
	@$(VENV)/bin/uv pip compile -q --generate-hashes --no-emit-index-url --group dev \
	  --custom-compile-command 'make lock' pyproject.toml -o requirements.lock

schema: $(READY)
	@$(RUN) reports.model

clean: $(READY)
	@$(RUN) peers.lab.clean
