"""The report: one HTML file to look at, a Markdown file with the figures and a sheet of generated land."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, PALETTE
from terrainpaint.core.shading import hypsometric
from trainer.evaluation import charts, heights
from trainer.evaluation.measure import Land
from trainer.evaluation.parts import Part
from trainer.evaluation.tables import Table, markdown, number, tables

JPEG_QUALITY = 88
_SHEET_CROPS = 6
_LAST = "Repetition", "Generated against real, crop by crop", "Seams, determinism, speed"
_REAL_AND_MADE = {"key real": "real", "key": "generated"}
_STYLE = """
:root { --ground: #f6f6f4; --card: #ffffff; --ink: #22252a; --dim: #6c727c; --line: #dddfe2; --made: #2f7fb8;
  --real: #b9b3a6; --floor: #c2571a; }
@media (prefers-color-scheme: dark) { :root { --ground: #1b1d20; --card: #25282c; --ink: #e4e6e9; --dim: #979da7;
  --line: #3a3e44; --made: #58a6d8; --real: #77715f; --floor: #eb9150; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 40px 28px 80px; max-width: 1400px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 30px; font-weight: 650; margin: 0 0 4px; }
h2 { font-size: 20px; font-weight: 650; margin: 52px 0 6px; }
h3 { font-size: 14px; font-weight: 600; margin: 0 0 8px; }
p { margin: 0 0 14px; max-width: 78ch; color: var(--dim); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 28px 0 0; }
.card, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.card b { display: block; font-size: 28px; font-weight: 650; line-height: 1.25; }
.card span { color: var(--dim); font-size: 13px; display: block; line-height: 1.35; }
.panels { display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; margin-bottom: 14px; }
.sheet { display: grid; gap: 6px; margin-bottom: 6px; }
.sheet div { font-size: 13px; color: var(--dim); align-self: end; }
.sheet img { width: 100%; display: block; border-radius: 4px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: var(--dim); padding: 6px 14px; vertical-align: bottom; }
td { text-align: right; padding: 5px 14px; border-top: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
svg { max-width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .dim { fill: var(--dim); } svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .strong { fill: var(--card); } svg .made { fill: var(--made); } svg .real { fill: var(--real); }
svg .cell { fill: var(--line); fill-opacity: .45; } svg .rim { stroke: var(--dim); stroke-width: .5; }
svg .floor { stroke: var(--floor); stroke-width: 2.5; } svg .axis, svg .grid { stroke: var(--line); fill: none; }
svg .dashed { stroke-dasharray: 3 4; stroke: var(--dim); }
svg .made-line, svg .albedo-made, svg .shaded-made { stroke: var(--made); stroke-width: 2; fill: none; }
svg .real-line, svg .shaded-real, svg .albedo-real { stroke: var(--real); stroke-width: 2; fill: none; }
svg .shaded-made, svg .shaded-real { stroke-dasharray: 5 4; }
.key { display: inline-block; width: 18px; height: 0; border-top: 3px solid var(--made); vertical-align: middle;
  margin: 0 5px 0 0; } .key.real { border-color: var(--real); } .key.floor { border-color: var(--floor); }
.key.dash { border-top-style: dashed; } .keys { margin: 0 0 10px; color: var(--dim); font-size: 13px; }
.keys span { margin-right: 18px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; font-size: 13px; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
"""


def report_html(part: Part, found: dict[str, Any]) -> str:
    """A page that needs no other file: pictures first, then charts, then all figures."""
    told = found["told"]
    by_title = {table.title: table for table in tables(found)}
    images = f", {told['images']:,} images of training" if isinstance(told["images"], int) else ""
    body = [
        f"<h1>{escape(told['weights'])}</h1>",
        f"<p>{escape(told['network'])}, style {escape(told['style'])}{images}. Measured on {told['crops']} crops of "
        f"{told['crop_px']} px from {told['held-out tiles']} tiles of land that training never saw, "
        f"{told['pixel_size_m']:g} m a pixel.</p>",
        _cards(found),
        "<h2>Land</h2><p>The map is all that the generator was given, besides a seed. Real land is where the map was "
        "taken from; generated land is to be of its kind, not its copy.</p>",
        _land_sheet(part, told["pixel_size_m"]),
        "<h2>Seeds</h2><p>One map, four seeds.</p>",
        _seed_sheet(part),
        _titled(by_title["Diversity between seeds"]),
        "<h2>Distances between sets of pictures</h2>",
        _keys({"key": "generated land against real land", "key floor": "floor: other real land against it"}),
        _distance_charts(found),
        _table(by_title["Distances between sets of pictures"]),
        "<h2>Obedience</h2><p>Rows: what was painted. Columns: what a segmenter sees, in percent of the row.</p>",
        '<div class="panels">' + "".join(
            f'<div class="panel"><h3>{title}, mIoU {found["obedience"][name]["mIoU"]:.3f}</h3>'
            f"{charts.confusion(part.sums[f'confusion {name}'])}</div>"
            for name, title in (("made", "Generated land"), ("real", "Real land"))
        ) + "</div>",
        _table(by_title["Obedience"]),
        "<h2>Elevation and slope by class</h2>", _keys(_REAL_AND_MADE),
        _distributions(part, found), f"<p>{escape(by_title['Slope by class'].note)}</p>",
        '<div class="panels">' + "".join(
            f'<div class="panel"><h3>{title}</h3>{_grid(by_title[title])}</div>'
            for title in ("Elevation by class", "Slope by class")
        ) + "</div>",
        "<h2>The shape of the land</h2>", _keys(_REAL_AND_MADE),
        '<div class="panels"><div class="panel"><h3>Power of the height by wavelength</h3>'
        + charts.spectra(*(part.rows[f"spectrum {name}@all"].mean(axis=0) for name in ("real", "made")))
        + "</div></div>",
        _table(by_title["The shape of the land"]),
        "<h2>Shading leak</h2><p>The dashed circle is 0, the outer one 1, the middle -1.</p>",
        _keys({"key": "generated albedo", "key dash": "generated, shaded", "key real": "real, shading removed",
               "key real dash": "real picture"}),
        '<div class="panels"><div class="panel">'
        + charts.compass({key.replace(" ", "-"): values for key, values in found["leak"].items()}) + "</div></div>",
        _table(by_title["Shading leak"]),
        *(_titled(by_title[title]) for title in _LAST if title in by_title),
        "<h2>What was measured</h2><dl>"
        + "".join(f"<dt>{key}</dt><dd>{escape(str(each))}</dd>" for key, each in told.items() if each is not None)
        + "</dl>",
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Evaluation of {escape(told['weights'])}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def report_markdown(found: dict[str, Any], sheet: str) -> str:
    """The figures, with a picture of the name `sheet`; nothing of it shows real land."""
    told = found["told"]
    facts = "\n".join(f"| {key} | {value} |" for key, value in told.items() if value is not None)
    return (
        f"# Evaluation of {told['weights']}\n\n"
        f"{told['crops']} crops of {told['crop_px']} px from {told['held-out tiles']} tiles of land that training "
        "never saw. [evaluation.md](evaluation.md) says how each figure is made, and how to repeat it.\n\n"
        f"![Generated land]({sheet})\n\n"
        "From top to bottom: map, generated land, its albedo, height, hillshade.\n\n"
        f"{markdown(tables(found))}\n## What was measured\n\n| | |\n| --- | --- |\n{facts}\n"
    )


def generated_sheet(part: Part, pixel_size_m: float) -> NDArray[np.uint8]:
    """(5 * (S + 6), N * (S + 6), 3) uint8 sRGB: map, generated land, albedo, height and hillshade of some crops."""
    columns = []
    for index in range(min(_SHEET_CROPS, len(part.rows["number@shown"]))):
        land = _land(part, "made", index)
        column = [PALETTE[part.rows["ids@shown"][index]], land.shaded, land.albedo, hypsometric(land.height),
                  land.relief(pixel_size_m)]  # fmt: skip
        columns.append(np.vstack([_spaced(each) for each in column]))
    return np.hstack(columns)


def _keys(names: Mapping[str, str]) -> str:
    """What the marks of a chart mean: class of the mark → its meaning."""
    marks = "".join(f'<span><i class="{mark}"></i>{escape(name)}</span>' for mark, name in names.items())
    return f'<div class="keys">{marks}</div>'


def _cards(found: dict[str, Any]) -> str:
    cards = []
    for view in ("shaded terrain", "hillshade"):
        value, floor = (found["distances"][view][kind] for kind in ("KID", "KID floor"))
        # With few crops a floor can be at or below 0, and nothing is a multiple of that.
        if floor > 0:
            cards.append((f"{number(value / floor, 1)} ×", f"KID of {view}, in floors of real land"))
        else:
            cards.append((number(value, 3), f"KID of {view}; floor {number(floor, 3)}"))
    real, made = (found["obedience"][name]["mIoU"] for name in ("real", "made"))
    cards.append((number(made, 2), f"mIoU of what was painted; real land reaches {number(real, 2)}"))
    for kind in ("elevation", "slope"):
        land = found[kind]["all land"]
        cards.append(
            (number(land["W1"], 2), f"distance of {kind}s of land, in deviations; floor {number(land['W1 floor'], 2)}")
        )
    leaked = max((abs(each) for each in found["leak"]["albedo made"].values()), default=None)
    cards.append((number(leaked, 3), "largest correlation of albedo and light"))
    return '<div class="cards">' + "".join(
        f'<div class="card"><b>{value}</b><span>{escape(text)}</span></div>' for value, text in cards
    ) + "</div>"  # fmt: skip


def _spaced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(picture, ((3, 3), (3, 3), (0, 0)), constant_values=255)


def _land(part: Part, name: str, index: int) -> Land:
    return Land(*(part.rows[f"{kind} {name}@shown"][index] for kind in ("albedo", "shaded", "height")))


def _land_sheet(part: Part, pixel_size_m: float) -> str:
    names = ("map", "real", "generated", "real height", "generated height", "real hillshade", "generated hillshade",
             "generated albedo")  # fmt: skip
    pictures = []
    for index, ids in enumerate(part.rows["ids@shown"]):
        real, made = (_land(part, name, index) for name in ("real", "made"))
        pictures += [PALETTE[ids], real.shaded, made.shaded, hypsometric(real.height), hypsometric(made.height),
                     real.relief(pixel_size_m), made.relief(pixel_size_m), made.albedo]  # fmt: skip
    return _sheet(names, pictures)


def _seed_sheet(part: Part) -> str:
    pictures = []
    for ids, lands in zip(part.rows["ids@again"], part.rows["shaded@again"], strict=True):
        pictures += [PALETTE[ids], *lands]
    return _sheet(("map", *("" for _ in part.rows["shaded@again"][0])), pictures)


def _sheet(names: Sequence[str], pictures: Sequence[NDArray[np.uint8]]) -> str:
    heads = "".join(f"<div>{name}</div>" for name in names)
    images = "".join(f'<img src="{_embedded(each)}" alt="">' for each in pictures)
    return f'<div class="sheet" style="grid-template-columns: repeat({len(names)}, 1fr)">{heads}{images}</div>'


def _embedded(picture: NDArray[np.uint8]) -> str:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    packed = cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]), options)[1]
    return "data:image/jpeg;base64," + base64.b64encode(packed.tobytes()).decode()


def _distance_charts(found: dict[str, Any]) -> str:
    panels = []
    for kind, digits in (("KID", 4), ("FID", 2)):
        rows = [(view, each[kind], each[f"{kind} floor"]) for view, each in found["distances"].items()]
        title = f"{kind} ({escape(found['told']['features'])})"
        panels.append(f'<div class="panel"><h3>{title}</h3>{charts.bars(rows, digits)}</div>')
    return f'<div class="panels">{"".join(panels)}</div>'


def _distributions(part: Part, found: dict[str, Any]) -> str:
    rows = []
    for kind, edges, unit in (("elevation", heights.ELEVATION_EDGES_M, "m"), ("slope", heights.SLOPE_EDGES, "m/m")):
        panels = []
        for class_id, name in enumerate(CLASS_NAMES):
            real, made = (part.sums[f"{kind} {which}"][class_id] for which in ("real", "made"))
            chart = charts.distributions(real, made, edges, unit)
            if chart and (class_id or kind == "elevation"):
                value = number(found[kind][name]["W1"], 2)
                panels.append(f'<div class="panel"><h3>{name}, {kind}: W1 {value}</h3>{chart}</div>')
        rows.append(f'<div class="panels">{"".join(panels)}</div>')
    return "".join(rows)


def _titled(table: Table) -> str:
    return f"<h2>{escape(table.title)}</h2>{_table(table)}"


def _table(table: Table) -> str:
    return f"<p>{escape(table.note)}</p>{_grid(table)}"


def _grid(table: Table) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in table.rows)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
