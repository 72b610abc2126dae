# Two commands: `make demo` runs the real thing, `make test` tries all of it. Both set up what they need on a Debian 12 or
# 13 (root, or sudo): a virtual environment in .venv, and an Asterisk of their own in .lab that touches nothing of yours.
SHELL := /bin/bash
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PYTHON ?= python3
VENV := .venv/bin
# The lab mounts and changes roots, so it runs as root; what it writes stays below .lab.
ROOTED := $(SUDO) env PYTHONDONTWRITEBYTECODE=1 $(foreach name,ONCE REST FAULTS SEED MINUTES SCREENER_LAB SCREENER_LAB_ROOT SCREENER_LAB_MIRROR,$(if $($(name)),$(name)=$($(name))))

.PHONY: demo test check chaos nemesis hangups memory bench proof clean

demo: .venv/ready
	@$(ROOTED) $(VENV)/python -m tests.demo

test: check
	$(ROOTED) $(VENV)/python -m pytest --cov=screener.policy --cov-branch --cov-report=term:skip-covered --cov-fail-under=100

check: .venv/ready
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

chaos: .venv/ready
	@$(ROOTED) $(VENV)/python -m tests.chaos
	@$(if $(FAULTS),:,$(ROOTED) $(VENV)/python -m tests.chaos.nemesis)

nemesis: .venv/ready
	@$(ROOTED) $(VENV)/python -m tests.chaos.nemesis

hangups: .venv/ready
	@$(ROOTED) $(VENV)/python -m tests.chaos.hangups

memory: .venv/ready
	@$(ROOTED) $(VENV)/python -m tests.chaos.memory

bench: .venv/ready
	@$(ROOTED) $(VENV)/python -m tests.bench

proof: .venv/ready
	@$(VENV)/python -m tests.traffic

.venv/ready: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "installing python3-venv"; \
	    $(SUDO) apt-get -qq update && $(SUDO) apt-get -qq install -y --no-install-recommends python3-venv; }
	@echo "setting up .venv (half a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(VENV)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

clean:
	$(SUDO) rm -rf .venv .lab
