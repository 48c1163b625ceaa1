# One command each; all of them first make or refresh the private environment .venv.

.PHONY: setup run lint test bench
.DEFAULT_GOAL := run

BIN := .venv/bin
STAMP := .venv/.installed

setup: $(STAMP)

$(STAMP): pyproject.toml scripts/setup
	PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" bash scripts/setup
	@touch $@

# Opens the window.
run: setup
	$(BIN)/terrainpaint

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Without a screen; what needs OpenGL starts a virtual one for itself.
test: lint
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

bench: setup
	$(BIN)/python -m tests.bench
