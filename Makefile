# One word a chore. `make` alone lists them; `.venv` is made when a chore first needs it.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DISTRIBUTIONS := wf_core wf_k8s plugins/wf_random plugins/wf_command plugins/wf_podstep plugins/wf_approval plugins/wf_http plugins/wf_otel
WORKERS ?= 2
# Each that is on the machine runs the fast tests; those in TESTED have run them already.
PYTHONS ?= 3.11 3.12 3.13 3.14
TESTED ?=
SEEDS ?= 1000
# The first seed to play; without it one is drawn, and printed, so that a run can be had again.
FROM ?=
FIRST = $(if $(FROM),--from $(FROM))
# A world at an API server costs five times what one in memory does.
K8S_SEEDS ?= $(shell expr $(SEEDS) / 5)
WORKFLOWS ?= 1000
OBJECTS ?= 10000
RUNS ?= 5
# More options of `make flood`: see `python -m tests.campaign.flood --help`.
FLOOD ?=
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)
DEMO := .demo
# What any machine can run, and soon.
ANYWHERE := not long and not cluster and not e2e and not full
define LEFT_OUT

Left out of `make test`:
  - the tests that need a Kubernetes API server or a node
  - the longest tests: kills and power loss at every write, worlds of four steps, every mutant,
    every kind that breaks a promise, new distributions, and the barrier on database servers
`make test-rest` runs these; `make test-all` runs everything. Both build Kubernetes with Go, once.
A few of the longest tests come in two sizes: `make prove-all` runs the full one.
endef
export LEFT_OUT

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-all test-rest test-pythons simulate prove-all mutants lint audit types bench bench-k8s cluster node e2e image-tar docs site chart picture exhaustive campaign fuzz-objects flood lock clean

help: ## list the chores
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## run the example live, then one that fails and is undone
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@echo "== examples/example.yaml: three steps that sleep 20 s each, two of them side by side"
	$(BIN)/wf run examples/example.yaml --store sqlite:$(DEMO)/wf.db
	@echo "== examples/undone.yaml: a step fails for good and what ran is undone (exit code 3)"
	$(BIN)/wf run examples/undone.yaml --store sqlite:$(DEMO)/wf.db || test $$? -eq 3

# What was left out is said however the tests end.
test: $(READY) ## run every test that needs nothing but Python: six minutes at most on two cores
	@status=0; $(PYTEST) -m "$(ANYWHERE)" || status=$$?; echo "$$LEFT_OUT"; exit $$status

test-fast: $(READY) ## run the tests that take a second or two each at most
	$(PYTEST) -m "not slow and $(ANYWHERE)"

# Building Kubernetes takes all there is of the machine: before the tests, not beside them.
test-all: $(READY) ## run every test: those that take longer or need Kubernetes too, built once
	@$(BIN)/python -m tests.cluster --prepare --node
	@$(MAKE) --no-print-directory test LEFT_OUT=
	@$(MAKE) --no-print-directory test-rest

test-rest: $(READY) ## run what `make test` leaves out
	@$(BIN)/python -m tests.cluster --prepare --node
	$(PYTEST) -m "not e2e and not full and not ($(ANYWHERE))"
	@$(MAKE) --no-print-directory e2e

# One node for all of them: it takes all there is of a small machine.
e2e: $(READY) ## run the tests on a real node: Linux, as root
	@$(BIN)/python -m tests.cluster --prepare --node
	$(BIN)/python -m pytest tests/e2e

test-pythons: $(READY) ## run the fast tests on every Python of PYTHONS that is on the machine
	@$(BIN)/python -m tests.pythons $(PYTHONS) --tested "$(TESTED)"

simulate: $(READY) ## play SEEDS (1000) new random worlds in which everything goes wrong; FROM=N plays old ones
	$(BIN)/python -m wf_core.testing.simulation --seeds $(SEEDS) $(FIRST) --workers $(WORKERS)
	$(BIN)/python -m wf_k8s.testing.simulation --seeds $(K8S_SEEDS) $(FIRST) --workers $(WORKERS)

# Hours: what is claimed of a release is tried in full, over worlds that nobody has played before.
prove-all: $(READY) ## prove all that is claimed, for hours: 60,000 new worlds, every mutant, exhaustive, campaign, full sizes
	@$(MAKE) --no-print-directory simulate SEEDS=50000 K8S_SEEDS=10000
	@$(MAKE) --no-print-directory mutants
	@$(MAKE) --no-print-directory exhaustive
	@$(MAKE) --no-print-directory campaign
	@$(MAKE) --no-print-directory fuzz-objects
	@$(MAKE) --no-print-directory flood
	@$(BIN)/python -m tests.cluster --prepare
	$(PYTEST) -m full

mutants: $(READY) ## let deliberate faults loose, each must be caught; writes docs/mutants.md
	$(BIN)/python -m wf_k8s.testing.mutants --workers $(WORKERS) --page docs/mutants.md

lint: $(READY) ## check style, formatting, who may import whom, and what code must not do
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(addsuffix /src,$(DISTRIBUTIONS)) image

# It asks a service on the network. Strict: what could not be asked about is no clean bill.
audit: $(READY) ## ask whether a version that the lock names is known to be faulty
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements-dev.txt

types: $(READY) ## check types, strictly
	$(BIN)/mypy

bench: $(READY) ## measure, each figure beside its budget; writes benchmarks/results.json too
	$(BIN)/python -m benchmarks

bench-k8s: $(READY) ## the same of the controller, on an API server of its own
	$(BIN)/python -m benchmarks.k8s

cluster: $(READY) ## start a Kubernetes API of one's own, print its kubeconfig, stop on ctrl-C
	@exec $(BIN)/python -m tests.cluster

node: $(READY) ## the same with a node, so that pods run: Linux, as root
	@exec $(BIN)/python -m tests.cluster --node

# A step of the kind `command` would run beside the controller, with its rights and its token; traces
# are there by choice, since they bring an SDK along.
image-tar: $(READY) ## write the controller's image to image.tar, with no registry and no Docker
	$(BIN)/python -m image --output image.tar $(filter-out plugins/wf_command plugins/wf_otel,$(DISTRIBUTIONS))

docs: $(READY) ## write the pages that are made from the code (a test fails where one is stale)
	$(BIN)/python -m docs.generate

# mkdocs would warn of a version of its own that nobody here uses.
site: $(READY) ## build the site of the docs into site/; what is wrong with it ends the build
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "built site/index.html; $(BIN)/python -m http.server --directory site serves it"

chart: $(READY) ## bring up to date what the chart has from the code, and what tests compare it with
	$(BIN)/python tests/k8s/chart/bring_up_to_date.py

picture: $(READY) ## draw the README's picture anew, from a real run
	$(BIN)/python docs/picture.py

exhaustive: $(READY) ## search every small world: all graphs of up to four steps
	$(BIN)/python -m wf_core.prove $(WORKERS)

campaign: $(READY) ## run WORKFLOWS (1000) on a real API server while everything around them breaks
	$(BIN)/python -m tests.campaign --workflows $(WORKFLOWS)

fuzz-objects: $(READY) ## have a real API server accept OBJECTS (10000) objects of any shape while a controller leads
	$(BIN)/python -m tests.campaign.fuzz_objects --objects $(OBJECTS)

# Its figures are of a machine that does nothing else: what it shares is told with each turn.
flood: $(READY) ## time a namespace's workflows alone and while others attack the controller, RUNS (5) times
	$(BIN)/python -m tests.campaign.flood --runs $(RUNS) --objects $(OBJECTS) $(FLOOD)

# Extras stay in: pip with hashes asks for the newest of a package that is pinned without them.
lock: $(READY) ## compile requirements-dev.txt anew (needs uv)
	uv pip compile --quiet --universal --no-strip-extras --generate-hashes --no-emit-index-url --python-version 3.11 \
		--no-emit-package wf-core \
		--custom-compile-command "make lock" requirements-dev.in wf_core/pyproject.toml wf_k8s/pyproject.toml \
		--output-file requirements-dev.txt

clean: ## remove what the chores made, .venv and those of test-pythons included
	rm -rf .venv .venv-3.* $(DEMO) site .simulation .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f .coverage .coverage.* image.tar benchmarks/results.json benchmarks/results-k8s.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `make PYTHON=/path/to/python` chooses the interpreter; it must be 3.11 or later.
$(READY): requirements-dev.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	@for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3 python); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "making $(VENV) with $$python"; exec "$$python" -m venv $(VENV); \
		fi; \
	done; \
	echo "No Python 3.11 or later among: $(or $(PYTHON),python3.11 to python3.14 and python3)." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation $(addprefix -e ./,$(DISTRIBUTIONS))
	@touch $@
