"""Charts, drawn with matplotlib: as SVG for a report page, or as pixels for a picture.

The SVG has no scripts and refers to no other file. Its colours are the variables of the page's style sheet, so that it
follows the light or dark look of the page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray

INK, DIM, LINE, CARD = "#22252a", "#6c727c", "#dddfe2", "#ffffff"
GENERATED, REAL, FLOOR = "#2f7fb8", "#b9b3a6", "#c2571a"
SERIES = ("#2f7fb8", "#c2571a", "#4c9a5b", "#a0559b", "#b8962e", "#4fa3a5", "#8a6d5a", "#d0708f")
"""Colours of lines in one chart, in order."""
_VARIABLES = {INK: "ink", DIM: "dim", LINE: "line", CARD: "card", GENERATED: "generated", REAL: "real", FLOOR: "floor"}
"""Colour → variable of the style sheet in page.html.j2."""
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text, in the fonts of the page
    "svg.hashsalt": "terrainpaint",  # the same chart gives the same bytes
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": DIM,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "xtick.labelcolor": DIM,
    "ytick.labelcolor": DIM,
    "grid.color": LINE,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Chart:
    """A drawn figure."""

    figure: Figure

    def svg(self) -> str:
        """An `<svg>` element to be put into a page."""
        file = io.StringIO()
        with mpl.rc_context(_STYLE):
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            self.figure.savefig(file, format="svg", transparent=True, metadata=nothing)
        text = file.getvalue()
        text = text[text.index("<svg") :]
        # Nothing is drawn outside of the axes, so their clip paths are not needed.
        text = re.sub(r' clip-path="url\(#[^"]*\)"|<clipPath.*?</clipPath>', "", text, flags=re.DOTALL)
        text = re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', r'width="\1" role="img"', text, count=1)
        for colour, name in _VARIABLES.items():
            text = text.replace(colour, f"var(--{name})")
        return text

    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB, a pixel for each unit of the size that the chart was drawn with."""
        file = io.BytesIO()
        with mpl.rc_context(_STYLE):
            self.figure.savefig(file, format="rgba", dpi=72)
        width, height = (round(72 * inches) for inches in self.figure.get_size_inches())
        return np.frombuffer(file.getvalue(), np.uint8).reshape(height, width, 4)[:, :, :3].copy()


def bars_with_floor(rows: Sequence[tuple[str, float, float]], digits: int, mark: str = "floor") -> Chart:
    """A bar for the value of each row (name, value, floor), with a mark at the floor, which is called `mark`."""

    def draw(axes: Any) -> None:
        longest = max(max(value, floor, 0) for _, value, floor in rows) or 1.0
        for index, (_, value, floor) in enumerate(rows):
            axes.barh(index, max(0.0, value), 0.62, color=GENERATED)
            axes.plot([max(0.0, floor)] * 2, [index - 0.42, index + 0.42], color=FLOOR, linewidth=2.5)
            end = max(value, floor, 0) + 0.02 * longest
            axes.text(end, index - 0.16, f"{value:.{digits}f}", va="center")
            axes.text(end, index + 0.22, f"{mark} {floor:.{digits}f}", va="center", color=DIM, fontsize=9)
        axes.set(xlim=(0, 1.3 * longest), ylim=(len(rows) - 0.5, -0.5))
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows], color=INK)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    return _chart((520, 20 + 42 * len(rows)), draw)


def curves(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x_label: str) -> Chart:
    """Name of a series → (x values, y values), as lines with their names at the right, in the colours of `SERIES`."""

    def draw(axes: Any) -> None:
        for index, (name, (xs, ys)) in enumerate(series.items()):
            axes.plot(xs, ys, color=SERIES[index % len(SERIES)], linewidth=1.8, marker="o", markersize=3.5, label=name)
        axes.set(xlim=(0, None), xlabel=x_label)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(True)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), labelcolor=INK)

    chart = _chart((640, 300), draw)
    with mpl.rc_context(_STYLE):
        # A legend beside the axes makes the layout move a little with every drawing.
        chart.figure.draw_without_rendering()
        chart.figure.set_layout_engine("none")
    return chart


def confusion_matrix(counts: NDArray[np.int64], names: Sequence[str], colours: Sequence[str]) -> Chart:
    """Percentage of each true class (row) that was predicted as each class (column)."""

    def draw(axes: Any) -> None:
        fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for (row, col), fraction in np.ndenumerate(fractions):
            axes.add_patch(Rectangle((col - 0.47, row - 0.47), 0.94, 0.94, color=LINE, alpha=0.45, linewidth=0))
            axes.add_patch(Rectangle((col - 0.47, row - 0.47), 0.94, 0.94, color=GENERATED, alpha=float(fraction),
                                     linewidth=0))  # fmt: skip
            ink = CARD if fraction > 0.55 else INK
            axes.text(col, row, f"{100 * fraction:.0f}", ha="center", va="center", color=ink)
        for index, colour in enumerate(colours):
            for left, top in ((-0.86, index - 0.13), (index - 0.13, -0.86)):
                axes.add_patch(Rectangle((left, top), 0.26, 0.26, facecolor=colour, edgecolor=DIM, linewidth=0.5))
        axes.set(xlim=(-1, len(names) - 0.5), ylim=(len(names) - 0.5, -1), aspect="equal")
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    return _chart((420, 350), draw)


def distributions(
    real: NDArray[np.int64], generated: NDArray[np.int64], edges: NDArray[np.float64], unit: str
) -> Chart | None:
    """Two histograms (B,) with common edges (B + 1,): real as an area, generated as a line. None if one is empty."""
    both = real + generated
    if not real.sum() or not generated.sum():
        return None
    reached = np.cumsum(both) / both.sum()
    first, last = (int(np.searchsorted(reached, fraction)) for fraction in (0.005, 0.99))
    # Whole numbers of the fine bins: with others, rounded heights would look like a comb.
    step = max(1, -(-(last + 1 - first) // 48))
    starts = np.arange(first, last + 1, step)
    end = edges[min(len(edges) - 1, first + step * len(starts))]
    wide = np.append(edges[starts], end)
    shapes = [np.add.reduceat(counts[: last + 1], starts) / counts.sum() for counts in (real, generated)]

    def draw(axes: Any) -> None:
        axes.stairs(shapes[0], wide, fill=True, color=REAL)
        axes.stairs(shapes[1], wide, color=GENERATED, linewidth=1.8, baseline=None)
        axes.set(xlim=(wide[0], wide[-1]), ylim=(0, 1.08 * max(shape.max() for shape in shapes)))
        _label_ends(axes, (wide[0], wide[-1]), (f"{wide[0]:.4g}", f"{wide[-1]:.4g} {unit}"))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)

    return _chart((260, 130), draw)


def spectra(real: NDArray[np.float64], generated: NDArray[np.float64]) -> Chart:
    """Power (S // 2,) at 1, 2 … S // 2 cycles across a field, by wavelength in pixels, on two logarithmic scales."""

    def draw(axes: Any) -> None:
        wavelength = 2 * len(real) / np.arange(1, len(real) + 1)
        for power, colour in ((real, REAL), (generated, GENERATED)):
            axes.plot(wavelength, np.maximum(power, 1e-12), color=colour, linewidth=1.8)
        axes.set(xscale="log", yscale="log", xlim=(wavelength[0], wavelength[-1]))
        ticks = [pixels for pixels in (4, 8, 16, 32, 64, 128) if 2 < pixels < wavelength[0]]
        axes.set_xticks(ticks, [f"{pixels} px" for pixels in ticks])
        axes.minorticks_off()
        axes.grid(True)

    return _chart((540, 290), draw)


def correlations_by_direction(series: Mapping[str, tuple[Mapping[str, float], str, str]]) -> Chart:
    """Name of a series → (direction → correlation -1..1, colour, line style), clockwise from north.

    The centre stands for -1, the dashed circle for 0, the outer circle for 1.
    """

    def draw(axes: Any) -> None:
        axes.set_theta_zero_location("N")
        axes.set_theta_direction(-1)
        for values, colour, style in series.values():
            if not values:
                continue
            angles = np.linspace(0, 2 * np.pi, len(values) + 1)
            axes.plot(angles, [*values.values(), next(iter(values.values()))], color=colour, linestyle=style)
            axes.set_xticks(angles[:-1], list(values))
        axes.set(rlim=(-1, 1))
        axes.set_yticks([])
        axes.plot(np.linspace(0, 2 * np.pi, 181), np.zeros(181), color=DIM, linewidth=0.8, linestyle="--")
        axes.xaxis.grid(False)

    return _chart((320, 320), draw, "polar")


def histograms(
    title: str, heights: Mapping[str, NDArray[np.float64]], ends: tuple[str, str], colours: Mapping[str, str]
) -> Chart:
    """Series → bins (B,) of a histogram, as steps on a common scale, with the texts of the lowest and highest value."""

    def draw(axes: Any) -> None:
        for name, bins in heights.items():
            axes.stairs(bins, np.linspace(0, 1, len(bins) + 1), color=colours[name], linewidth=1.8, label=name)
        axes.set(xlim=(0, 1), ylim=(0, None), title=title)
        _label_ends(axes, (0, 1), ends)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        if heights:
            axes.legend(labelcolor="linecolor", handlelength=0)

    return _chart((330, 190), draw)


def grouped_bars(title: str, names: Sequence[str], series: Sequence[Sequence[float]], colours: Sequence[str]) -> Chart:
    """A group of bars for each name, one for each series of fractions 0..1, with their percentages."""

    def draw(axes: Any) -> None:
        longest = max((max(values) for values in series), default=0.0) or 1.0
        for index, colour in enumerate(colours):
            for number, values in enumerate(series):
                axes.barh(index - 0.4 + 0.8 * (number + 0.5) / len(series), values[index], 0.8 / len(series),
                          facecolor=colour, edgecolor=DIM, linewidth=0.5)  # fmt: skip
            fractions = [values[index] for values in series]
            text = " / ".join(f"{fraction:.1%}" for fraction in fractions)
            axes.text(max(fractions, default=0) + 0.02 * longest, index, text, va="center", fontsize=9)
        axes.set(xlim=(0, 1.45 * longest), ylim=(len(names) - 0.5, -0.5), title=title)
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    return _chart((400, 190), draw)


def _label_ends(axes: Any, ends: tuple[float, float], texts: tuple[str, str]) -> None:
    """Label both ends of the x axis, within its width."""
    axes.set_xticks(ends, texts)
    for label, alignment in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set_horizontalalignment(alignment)


def _chart(size: tuple[int, int], draw: Callable[[Any], None], projection: str | None = None) -> Chart:
    """`size` is width and height in CSS pixels, of which the SVG backend counts 72 to the inch."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        draw(figure.add_subplot(projection=projection))
    return Chart(figure)
