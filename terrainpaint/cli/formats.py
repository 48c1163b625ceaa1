"""`terrainpaint formats`: what `generate` can write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from terrainpaint.core.assets import asset_path, shipped_looks, shipped_styles
from terrainpaint.export import FORMATS, GROUPS
from terrainpaint.export.presets import read_preset, shipped_presets


def formats() -> list[str]:
    """Lines of text: the groups, in each its formats with what they are and the files they write, and the presets."""
    return list(_lines())


def formats_json() -> list[str]:
    """The lines of one JSON object for programs: formats, presets, styles, looks, and the folder of the extras."""
    presets = {name: read_preset(path) for name, path in shipped_presets().items()}
    record = {
        "formats": {
            form.name: {"group": form.group, "description": form.description, "suffix": form.suffix}
            for form in FORMATS.values()
        },
        "presets": {name: {"title": preset.title, "formats": preset.formats} for name, preset in presets.items()},
        "styles": list(shipped_styles()),
        "looks": list(shipped_looks()),
        "extras": str(asset_path("extras")),
    }
    return json.dumps(record, indent=2).splitlines()


def _lines() -> Iterator[str]:
    width = max(map(len, (*FORMATS, *shipped_presets())))
    for group in GROUPS:
        rows = [form for form in FORMATS.values() if form.group == group]
        if rows:
            yield group
        for form in rows:
            names = ", ".join(path.name for path in form.paths(Path("NAME" + form.suffix)))
            yield f"  {form.name:<{width}}  {form.description} ({names})"
    yield "Presets"
    for name, path in shipped_presets().items():
        preset = read_preset(path)
        yield f"  {name:<{width}}  {preset.title}: {', '.join(preset.formats)}"
