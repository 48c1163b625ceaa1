"""Charts for the report, as SVG without scripts; colours are those of the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, CLASSES
from trainer.evaluation.leak import DIRECTIONS

_BAR_PX = 22


def bars(rows: Sequence[tuple[str, float, float]], digits: int) -> str:
    """Name, value and floor of each: a bar for the value with a mark at the floor."""
    width, left = 520, 130
    longest = max(max(value, floor, 0) for _, value, floor in rows) or 1.0
    parts = []
    for index, (name, value, floor) in enumerate(rows):
        y = 6 + index * (_BAR_PX + 12)
        length, mark = (max(0.0, each) / longest * (width - left - 150) for each in (value, floor))
        parts.append(
            f'<text x="{left - 10}" y="{y + 16}" class="end">{escape(name)}</text>'
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{_BAR_PX}" rx="3" class="made"/>'
            f'<line x1="{left + mark:.1f}" x2="{left + mark:.1f}" y1="{y - 3}" y2="{y + _BAR_PX + 3}" class="floor"/>'
            f'<text x="{left + max(length, mark) + 8:.1f}" y="{y + 16}">{value:.{digits}f} '
            f'<tspan class="dim">floor {floor:.{digits}f}</tspan></text>'
        )
    return _svg(width, 12 + len(rows) * (_BAR_PX + 12), parts)


def confusion(counts: NDArray[np.int64]) -> str:
    """Shares of each painted class (row) that were seen as each class (column), in percent."""
    cell, left, top = 46, 92, 26
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = []
    for row, name in enumerate(CLASS_NAMES):
        y = top + row * cell
        parts.append(f'<text x="{left - 24}" y="{y + 28}" class="end">{name}</text>')
        parts.append(_swatch(left - 18, y + 17, row))
        parts.append(_swatch(left + row * cell + 17, 6, row))
        for col in range(len(CLASS_NAMES)):
            x, value = left + col * cell, share[row, col]
            ink = " strong" if value > 0.55 else ""
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" rx="4" class="cell"/>'
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" rx="4" class="made" '
                f'fill-opacity="{value:.3f}"/>'
                f'<text x="{x + cell / 2 - 1}" y="{y + 28}" class="middle{ink}">{100 * value:.0f}</text>'
            )
    return _svg(left + 7 * cell, top + 7 * cell, parts)


def distributions(real: NDArray[np.int64], made: NDArray[np.int64], edges: NDArray[np.float64], unit: str) -> str:
    """Two histograms of one class: real as an area, generated as a line."""
    width, height, bins = 250, 96, 48
    both = real + made
    if not real.sum() or not made.sum():
        return ""
    reached = np.cumsum(both) / both.sum()
    first, last = (int(np.searchsorted(reached, share)) for share in (0.005, 0.99))
    # Whole numbers of the fine bins, or rounded heights would make a comb.
    step = max(1, -(-(last + 1 - first) // bins))
    starts = np.arange(first, last + 1, step)
    end = edges[min(len(edges) - 1, first + step * len(starts))]
    lines = []
    shapes = [np.add.reduceat(each[: last + 1], starts) / each.sum() for each in (real, made)]
    top = max(float(each.max()) for each in shapes)
    for shape in shapes:
        x = np.repeat(np.linspace(0, width, len(starts) + 1), 2)[1:-1]
        y = height - np.repeat(shape, 2) / top * (height - 8)
        lines.append(" ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)))
    return _svg(width, height + 18, [
        f'<polygon points="0,{height} {lines[0]} {width},{height}" class="real"/>',
        f'<polyline points="{lines[1]}" class="made-line"/>',
        f'<line x1="0" x2="{width}" y1="{height}" y2="{height}" class="axis"/>',
        f'<text x="0" y="{height + 15}" class="dim">{edges[first]:.4g}</text>',
        f'<text x="{width}" y="{height + 15}" class="dim end">{end:.4g} {unit}</text>',
    ])  # fmt: skip


def spectra(real: NDArray[np.float64], made: NDArray[np.float64]) -> str:
    """Power of the height by wavelength, on two logarithmic scales."""
    width, height, left = 520, 260, 40
    cycles = np.arange(1, len(real) + 1)
    values = [np.log10(np.maximum(each, 1e-12)) for each in (real, made)]
    low, high = min(each.min() for each in values), max(each.max() for each in values)
    across = left + np.log(cycles) / np.log(cycles[-1]) * (width - left)
    parts = []
    for pixels in (4, 8, 16, 32, 64, 128):
        at = 2 * len(real) / pixels
        if 1 < at < len(real):
            x = left + np.log(at) / np.log(cycles[-1]) * (width - left)
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}" class="grid"/>')
            parts.append(f'<text x="{x:.1f}" y="{height + 15}" class="dim middle">{pixels} px</text>')
    for decade in range(int(np.ceil(low)), int(high) + 1, 2):
        y = height - (decade - low) / (high - low) * height
        parts.append(f'<line x1="{left}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{left - 6}" y="{min(max(y + 4, 10), height):.1f}" class="dim end">'
                     f'10<tspan dy="-4" font-size="9">{decade}</tspan></text>')  # fmt: skip
    for kind, each in zip(("real-line", "made-line"), values, strict=True):
        down = height - (each - low) / (high - low) * height
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
        parts.append(f'<polyline points="{line}" class="{kind}"/>')
    return _svg(width, height + 20, parts)


def compass(series: Mapping[str, Mapping[str, float]]) -> str:
    """Correlation with the light of each direction: 0 on the dashed circle, 1 on the outer one. One line a series."""
    size, middle = 310, 155.0
    inner, outer = 45.0, 125.0

    def at(index: int, count: int, radius: float) -> tuple[float, float]:
        angle = 2 * np.pi * index / count
        return float(middle + radius * np.sin(angle)), float(middle - radius * np.cos(angle))

    parts = [f'<circle cx="{middle}" cy="{middle}" r="{outer}" class="grid"/>',
             f'<circle cx="{middle}" cy="{middle}" r="{inner}" class="grid dashed"/>']  # fmt: skip
    for index, name in enumerate(DIRECTIONS):
        x, y = at(index, len(DIRECTIONS), outer + 17)
        parts.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" class="dim middle">{name}</text>')
    for kind, values in series.items():
        points = []
        for index, value in enumerate(values.values()):
            x, y = at(index, len(values), inner + value * (outer - inner) if value > 0 else inner * (1 + value))
            points.append(f"{x:.1f},{y:.1f}")
        parts.append(f'<polygon points="{" ".join(points)}" class="{kind}"/>')
    return _svg(size, size, parts)


def _swatch(x: float, y: float, class_id: int) -> str:
    colour = "#{:02x}{:02x}{:02x}".format(*CLASSES[class_id].colour)
    return f'<rect x="{x}" y="{y}" width="11" height="11" rx="2" fill="{colour}" class="rim"/>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>')  # fmt: skip
