# One command each; all of them first make or refresh the private environment .venv.

.PHONY: setup run lint test bench pictures
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

# Without a screen; what needs OpenGL starts a virtual one for itself. One process for each core, up to four: each can
# take 1.5 GB of memory. A file's tests stay in one process, which makes their shared data once.
test: lint
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

bench: setup
	$(BIN)/python -m tests.bench

# Takes the pictures of the README and of the first page anew, on a virtual screen (Linux).
pictures: setup
	xvfb-run -a -s "-screen 0 1600x1000x24" $(BIN)/python -m scripts.tour
