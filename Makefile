# Everything goes through `make install`: a .venv with the pinned versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
# Where it is set, each of the hundreds of processes of the tests would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test test-long torture check man pictures clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("alsoread needs Python 3.11 or newer: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	@sh tests/site/demo.sh

test: install
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

test-long: install
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m long
	ALSOREAD_EXAMPLES=3000 $(BIN)/python -m pytest --numprocesses auto tests/extractors/test_hostile_markup.py tests/test_urls.py

torture: install
	ALSOREAD_EXAMPLES=100000 $(BIN)/python -m pytest --numprocesses auto tests/extractors/test_hostile_markup.py tests/test_urls.py
	$(BIN)/python -m tests.support.mutations

check: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python .ci/audit.py

man: install
	$(BIN)/python .ci/man.py build/man

pictures: install
	PYTHONPATH=. $(BIN)/python .ci/pictures.py

clean:
	rm -rf .venv build data/demo-archive *.egg-info
