# `make` lists what there is. `make lab-up` and `make test` install what they need, and say so.
LAB := .venv/bin/lab
PYTHON := .venv/bin/python

.PHONY: help lab-up lab-down scenario scenarios test test-unit test-e2e test-vm test-class bench lint

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

lab-up:  ## set up what is missing, then boot and provision the lab: UP="--app hello" adds options
	@sh tools/setup lab
	@$(LAB) up $(UP)

lab-down:  ## remove the lab
	@$(LAB) destroy --yes

scenario:  ## run one scenario on the lab that is up: NAME=kill-voxy
	@$(LAB) scenario $(NAME)

scenarios:  ## run every scenario with every configuration, on a lab of its own, and write docs/scenarios.md
	@sh tools/setup test
	@$(PYTHON) bench/scenarios.py

test: test-unit test-e2e  ## set up what is missing, then all tests, on real machines too

test-unit:  ## the tests that need no machine
	@sh tools/setup test
	@$(PYTHON) -m pytest tests/unit

test-e2e:  ## contract and end-to-end tests on real LXC guests, in a network of their own
	@sh tools/setup test
	@$(PYTHON) -m pytest tests/contract tests/e2e

test-vm:  ## build the boxes of virtual machines, boot three at libvirt and at LXD, with KVM or emulated, and test them
	@sh tools/setup vm
	@LAB_VM=1 $(PYTHON) -m pytest tests/vm
	@LAB_VM=1 $(PYTHON) -m pytest tests/contract -k "libvirt or lxd-vm" -o timeout=3600

test-class:  ## a cluster of three LXD members on this computer, and a class's labs on it
	@sh tools/setup class
	@LAB_CLASS=1 $(PYTHON) -m pytest tests/classes

bench:  ## measure what the README states, and the lab beside its rivals: the better part of an hour
	@sh tools/setup bench
	@$(PYTHON) bench/up.py
	@$(PYTHON) bench/scenario.py
	@$(PYTHON) bench/load.py
	@$(PYTHON) bench/judge.py
	@$(PYTHON) bench/exercises.py
	@$(PYTHON) bench/saves.py
	@$(PYTHON) bench/rivals.py
	@$(PYTHON) bench/class.py

lint:  ## format, style, types, and the direction of imports
	@sh tools/setup test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@for checks in exercises/*/checks.py; do .venv/bin/mypy --no-error-summary $$checks || exit 1; done
	@.venv/bin/lab exercise lint >/dev/null || .venv/bin/lab exercise lint
	@.venv/bin/lint-imports --no-cache
