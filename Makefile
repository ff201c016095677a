# `make learn` and `make test` are all there is to know; both set up what they need.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
BENCHES = $(filter-out benchmarks/training_speed.py, $(wildcard benchmarks/*_*.py)) $(addprefix benchmarks/, classic.py grad.py tokenizers.py loader.py checkpoint.py sampling.py finder.py desk.py grading.py)
CHROMIUM = chromium chromium-browser google-chrome google-chrome-stable
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: learn test setup check bench peers pictures vendor vendor-check clean

learn: setup
	@$(BIN)/python -m groundup.cli.learning

test: setup system
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q . && $(BIN)/mypy && $(BIN)/lint-imports
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

bench: setup
	@for f in training_speed shakespeare; do echo "$$f"; $(BIN)/python benchmarks/$$f.py || exit 1; done
	@for f in $(BENCHES); do echo "$$f"; OMP_NUM_THREADS=1 $(BIN)/python $$f || exit 1; done

peers: setup system
	@for f in peers conformance swapped opinfo modules; do echo "$$f"; OMP_NUM_THREADS=1 $(BIN)/python benchmarks/$$f.py || exit 1; done
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/harness.py; [ $$? -ne 1 ]
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m thorough
	@GROUNDUP_KILLS=4 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/course/test_judge_killed.py tests/train/test_killed.py
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/course/cluster_grading.py

vendor:
	@PYTHON=$(PYTHON) tools/vendor/rebuild

vendor-check:
	@PYTHON=$(PYTHON) tools/vendor/rebuild --check

pictures: setup system
	@OMP_NUM_THREADS=1 $(BIN)/python tools/pictures.py

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "groundup needs Python 3.10 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { tools/system python3-venv && $(PYTHON) -m venv $(VENV); }
	@echo "setting up $(VENV); the first time this takes a few minutes"
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[all,dev]'
	@touch $@

.PHONY: system
system:
	@command -v git >/dev/null || tools/system git
	@for each in "$$GROUNDUP_CHROMIUM" $(CHROMIUM); do command -v "$$each" && exit; done >/dev/null; tools/system chromium
	@for each in initdb /usr/lib/postgresql/*/bin/initdb; do command -v "$$each" && exit; done >/dev/null; tools/system postgresql || true

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
