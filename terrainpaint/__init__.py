"""TerrainPaint generates texture and heights from a painted map of seven terrain classes.

    import terrainpaint as tp

    tp.generate(tp.read_map("m.png"), seed=7).save("x.glb")

docs/python.md describes the public names. They are imported when they are first used, so that `import terrainpaint`
takes no time; `__init__.pyi` has their types.
"""

import importlib

__version__ = "0.1.0"

_PLACES = {
    "CLASS_NAMES": "terrainpaint.core.classes",
    "Estimate": "terrainpaint.api.estimates",
    "GeneratedTerrain": "terrainpaint.api.generated_terrain",
    "OptionError": "terrainpaint.errors",
    "PaintedMap": "terrainpaint.api.painted_maps",
    "TerrainPaintError": "terrainpaint.errors",
    "dream": "terrainpaint.api.dreamed_maps",
    "estimate": "terrainpaint.api.terrains",
    "formats": "terrainpaint.api.export_plans",
    "from_classes": "terrainpaint.api.painted_maps",
    "generate": "terrainpaint.api.terrains",
    "looks": "terrainpaint.api.terrains",
    "open_project": "terrainpaint.api.painted_maps",
    "presets": "terrainpaint.api.export_plans",
    "read_map": "terrainpaint.api.painted_maps",
    "styles": "terrainpaint.api.terrains",
}
"""Public name → the module that has it."""

__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
