"""Charts and pages: correct markup, no other files, the same bytes every time."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from trainer.reports import charts
from trainer.reports.page import render_page
from trainer.reports.side_by_side import side_by_side
from trainer.reports.tables import Table, markdown, number, percent, print_tables

RANDOM = np.random.default_rng(0)


def all_charts() -> dict[str, charts.Chart]:
    edges = np.linspace(0, 10, 101)
    real, generated = (np.histogram(RANDOM.normal(5, 1, 1000), edges)[0] for _ in range(2))
    distributions = charts.distributions(real, generated, edges, "m")
    assert distributions is not None
    correlations = {"N": 0.5, "E": 0.0, "S": -0.5, "W": 0.0}
    return {
        "bars": charts.bars_with_floor([("a & b", 0.5, 0.2), ("negative", -0.1, -0.2)], 3),
        "curves": charts.curves({"a": ([0, 10], [1.0, 0.5]), "b": ([10], [0.2])}, "images seen"),
        "confusion": charts.confusion_matrix(np.array([[3, 1], [0, 0]]), ("x", "y"), ("#ff0000", "#00ff00")),
        "distributions": distributions,
        "spectra": charts.spectra(np.geomspace(1e9, 1, 64), np.geomspace(1e8, 1, 64)),
        "directions": charts.correlations_by_direction({"s": (correlations, charts.REAL, "-"), "e": ({}, "b", "-")}),
        "histograms": charts.histograms("title", {"train": np.ones(5) / 5}, ("0", "9"), {"train": "#123456"}),
        "groups": charts.grouped_bars("title", ("x", "y"), [[0.2, 0.8], [0.5, 0.5]], ("#ff0000", "#00ff00")),
    }


def test_pictures_side_by_side() -> None:
    sheet = side_by_side({f"number {index}": np.full((64, 64, 3), 40 * index, np.uint8) for index in range(5)})
    assert sheet.shape == (2 * 354 + 8, 4 * 328 + 8, 3)
    assert [sheet[100, 100 + 328 * index, 0] for index in range(4)] == [0, 40, 80, 120] and sheet[450, 100, 0] == 160
    assert (sheet[:34, :328] < 128).any()


def test_charts_are_svg_elements_that_need_nothing_else() -> None:
    for name, chart in all_charts().items():
        svg = chart.svg()
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg" and float(root.attrib["width"]) > 100, name
        assert "url(" not in svg and "<script" not in svg and "<image" not in svg
        assert chart.svg() == svg


def test_charts_follow_the_colours_of_the_page() -> None:
    svg = charts.bars_with_floor([("a", 0.5, 0.2)], 1).svg()
    assert "var(--generated)" in svg and "var(--floor)" in svg and charts.GENERATED not in svg


def test_charts_have_pixels_of_the_size_they_were_drawn_with() -> None:
    for chart in all_charts().values():
        pixels = chart.pixels()
        width, height = chart.figure.get_size_inches() * 72
        assert pixels.shape == (round(height), round(width), 3) and pixels.std() > 0


def test_an_empty_distribution_has_no_chart() -> None:
    edges = np.arange(5.0)
    assert charts.distributions(np.zeros(4, np.int64), np.ones(4, np.int64), edges, "m") is None


def test_a_page_holds_pictures_and_charts_and_escapes_text(tmp_path: Path) -> None:
    template = tmp_path / "report.html.j2"
    template.write_text(
        '{% extends "page.html.j2" %}{% import "macros.html.j2" as page %}{% block title %}{{ name }}{% endblock %}'
        '{% block body %}{{ page.pictures(("map",), pictures) }}{{ page.panel(name, chart) }}'
        "{{ page.table(table) }}{{ page.keys({'real': name}) }}{{ page.cards([('1', name)]) }}{% endblock %}"
    )
    page = render_page(
        template,
        name="<b>",
        pictures=[np.zeros((8, 8, 3), np.uint8)],
        chart=charts.bars_with_floor([("a", 1.0, 2.0)], 1),
        table=Table("title", ("one",), (("<i>",),), "note"),
    )
    assert page.startswith("<!doctype html>") and page.count("<svg") == 1
    assert 'src="data:image/jpeg;base64,' in page
    assert "<b>" not in page.replace("<b>1</b>", "") and page.count("&lt;b&gt;") == 4 and "&lt;i&gt;" in page


def test_tables_as_markdown() -> None:
    table = Table("Title", ("measure", "value"), (("a", number(1.234, 2)), ("b", number(None, 2))), "Note.")
    assert markdown([table]) == ("## Title\n\nNote.\n\n| measure | value |\n| --- | ---: |\n| a | 1.23 |\n| b | – |\n")
    assert percent(0.123) == "12.3 %" and percent(None) == "–"


def test_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables([Table("Title", ("measure", "value"), (("a", "1.0"),), "note")])
    output = capsys.readouterr().out
    assert "Title" in output and "measure" in output and "1.0" in output
