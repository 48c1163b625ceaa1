# Every target first creates or updates the environment .venv.

.PHONY: setup run lint test bench pictures check-tools
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

# No screen is needed: tests with OpenGL start a virtual one. One process for each core, at most four, since each can
# take 1.5 GB of memory. The tests of a file run in one process, so that fixtures of the file are created once. The
# first process that crashes ends the run, which would wait for its tests for ever.
test: lint
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
		--max-worker-restart 0

# BESIDE=DIR, a checkout of eriklindernoren/PyTorch-GAN: training of pix2pix by turns with that implementation.
bench: setup
	$(BIN)/python -m tests.bench $(if $(BESIDE),--beside "$(BESIDE)")

# Takes the pictures of the README and of the welcome page again, on a virtual screen (Linux).
pictures: setup
	xvfb-run -a -s "-screen 0 1600x1000x24" $(BIN)/python -m scripts.tour

# Opens exported files in Blender, assimp, f3d, the glTF validator and more; those that are missing are skipped.
# Blender is installed into .venv-tools, about 1 GB. KEEP=DIR keeps the files and the pictures.
check-tools: setup
	$(BIN)/python -m scripts.tool_checks $(if $(KEEP),--keep "$(KEEP)")
