"""What curation writes: the list of what stays, a report for programs, and a page to decide on."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from terrainpaint.core.files import FileTransaction
from terrainpaint.core.path_kinds import is_folder
from terrainpaint.core.standard_output import drawable
from terrainpaint.errors import TrainingError
from trainer.curation.findings import Findings
from trainer.data.keep_list import keep_list_text
from trainer.reports.page import render_page

KEEP_LIST, REPORT, PAGE = "keep.txt", "report.json", "index.html"
MOST_OTHERS = 20_000
"""Pictures without a finding that the page shows; all of them stay."""
_THUMBNAILS_A_CHUNK = 200
_DUPLICATES = "Of each group one stays: the largest, or the first by name."
_LEAKS = (
    "They would make measures on the validation pictures too good. Those with a dashed frame are for validation, and "
    "stay there whatever is ticked."
)
_ODD = "The worst first. The score is the probability that a picture is good, by a classifier of the labelled examples."
_OUTLIERS = "The most isolated first, by the distance of features. Unusual is not wrong: take out what does not belong."
_TO_LABEL = "Label some as good or bad (keys G and B), save labels.txt, and run it again with --labels: "
_TYPICAL, _UNSURE = "pictures that are typical of the set.", "those the classifier is least sure of."
_TEMPLATE = Path(__file__).parent / "curation.html.j2"


def write_curation(output: Path, folder: Path, findings: Findings, options: dict[str, Any]) -> None:
    """Write `keep.txt`, `report.json` and `index.html` into a folder, all or none.

    Raises TrainingError when nothing stays, OutputError when one cannot be written.
    """
    kept = findings.kept()
    if not kept:
        raise TrainingError(f"No picture of {folder} would stay; look at the labels and options, and run it again.")
    with FileTransaction() as files:
        files.path(output / KEEP_LIST).write_bytes(keep_list_text(kept).encode())
        report = report_of(folder, findings, options)
        files.path(output / REPORT).write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        files.path(output / PAGE).write_text(page_of(output, folder, findings), "utf-8")


def report_of(folder: Path, findings: Findings, options: dict[str, Any]) -> dict[str, Any]:
    """All findings by name, as values of JSON."""
    names, others = findings.pictures.names, findings.validation.names
    report: dict[str, Any] = {
        "folder": str(folder),
        "options": options,
        "pictures": len(names),
        "stay": len(findings.kept()),
        "duplicates": [
            {
                "stays": names[group.kept],
                "copies": [
                    {"file": names[copy.index], "kind": copy.likeness.value, "difference": round(copy.difference, 2)}
                    for copy in group.copies
                ],
            }
            for group in findings.groups
        ],
        "blank": [names[index] for index in findings.blank],
        "leaks": [
            {
                "file": names[leak.index],
                "validation": others[leak.other],
                "kind": leak.likeness.value,
                "difference": round(leak.difference, 2),
            }
            for leak in findings.leaks
        ],
        "left_out": [{"file": name, "reason": reason} for name, reason in findings.pictures.left_out],
    }
    if findings.isolation is not None:
        report["outliers"] = [
            {"file": names[index], "distance": round(float(findings.isolation[index]), 4)}
            for index in findings.outliers
        ]
    if findings.goodness is not None:
        report["scores"] = {name: round(float(score), 4) for name, score in zip(names, findings.goodness, strict=True)}
        report["odd"] = [names[index] for index in findings.odd]
    report["dropped"] = {names[index]: reason for index, reason in sorted(findings.dropped.items())}
    return report


def summary(findings: Findings) -> list[str]:
    """The findings in numbers, a line for each kind."""
    kinds = Counter(copy.likeness.value for group in findings.groups for copy in group.copies)
    lines = [f"{len(findings.pictures):,} pictures, {len(findings.kept()) - len(findings.also_kept):,} of them stay"]
    if findings.groups:
        listed = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
        lines.append(f"duplicates: {sum(kinds.values()):,} in {len(findings.groups):,} groups ({listed})")
    for title, found in (("blank", findings.blank), ("odd by the examples", findings.odd)):
        if found:
            lines.append(f"{title}: {len(found):,}")
    if findings.validation.names:
        lines.append(f"copies of pictures for validation: {len(findings.leaks):,}")
    if findings.pictures.left_out:
        lines.append(f"files left out: {len(findings.pictures.left_out):,}")
    return lines


def page_of(output: Path, folder: Path, findings: Findings) -> str:
    """The page as HTML, which refers to no other file but to the pictures, when one is opened."""
    names, others = findings.pictures.names, findings.validation.names
    looks = (*findings.pictures.looks, *findings.validation.looks)
    sections = _sections(findings)
    items = {
        "names": [*names, *others],
        "count": len(names),
        "stays": [index not in findings.dropped for index in range(len(names))],
        "why": {index: drawable(reason) for index, reason in findings.dropped.items()},
        "shapes": [
            f"{look.shape[1]} × {look.shape[0]}" for look in (*findings.pictures.looks, *findings.validation.looks)
        ],
        "alsoKept": findings.also_kept,
        "base": _relative_address(output, folder) if is_folder(folder) else None,
        "chunk": _THUMBNAILS_A_CHUNK,
        "sections": sections,
    }
    chunks = [
        json.dumps([base64.b64encode(look.thumbnail).decode() for look in looks[start : start + _THUMBNAILS_A_CHUNK]])
        for start in range(0, len(looks), _THUMBNAILS_A_CHUNK)
    ]
    return render_page(
        _TEMPLATE,
        title=drawable(folder.name or str(folder)),
        lines=summary(findings),
        sections=sections,
        left_out=[(drawable(name), drawable(reason)) for name, reason in findings.pictures.left_out],
        items=json.dumps(items).replace("<", "\\u003c"),
        chunks=chunks,
    )


Row = list[tuple[int, str]]
"""Pictures of one row of the page, each with a text."""


def _sections(findings: Findings) -> list[dict[str, Any]]:
    """The sections of the page, without empty ones."""
    count = len(findings.pictures)
    near: list[Row] = []
    exact: list[Row] = []
    for group in findings.groups:
        rows = exact if all(copy.likeness.is_exact for copy in group.copies) else near
        rows.append([(group.kept, "best copy"), *((copy.index, copy.likeness.value) for copy in group.copies)])
    leaks: list[Row] = [
        [(count + leak.other, "for validation"), (leak.index, leak.likeness.value)] for leak in findings.leaks
    ]
    found = [
        _section("Near duplicates", _DUPLICATES, near),
        _section("Exact duplicates", _DUPLICATES, exact),
        _section("Copies of validation pictures", _LEAKS, leaks),
        _section("Blank", "Pictures of one colour.", [[(index, "blank")] for index in findings.blank]),
    ]
    scores, distances = findings.goodness, findings.isolation

    def text(index: int) -> str:
        return "" if scores is None else f"score {scores[index]:.2f}"

    if scores is not None:
        found.append(_section("Odd by the examples", _ODD, [[(index, text(index))] for index in findings.odd]))
    if distances is not None:
        isolated: list[Row] = [[(index, f"distance {distances[index]:.2f}")] for index in findings.outliers]
        found.append(_section("Unlike all others", _OUTLIERS, isolated))
    found.append(_section("To label next", _TO_LABEL + (_TYPICAL if scores is None else _UNSURE),
                          [[(index, "")] for index in findings.to_label]))  # fmt: skip
    shown = {index for section in found[:-1] for row in section["rows"] for index, _ in row}
    rest = [index for index in range(count) if index not in shown]
    if scores is not None:
        rest.sort(key=lambda index: (scores[index], index))
    note = "Without a finding."
    if len(rest) > MOST_OTHERS:
        note += f" The first {MOST_OTHERS:,} of {len(rest):,} are shown; the others stay."
    found.append(_section("All others", note, [[(index, text(index))] for index in rest[:MOST_OTHERS]]))
    return [section for section in found if section["rows"]]


def _section(title: str, note: str, rows: list[Row]) -> dict[str, Any]:
    groups = sum(len(row) > 1 for row in rows)
    count = f"{groups:,} groups" if groups else f"{len(rows):,}"
    return {"title": title, "note": note, "rows": rows, "count": count}


def _relative_address(output: Path, folder: Path) -> str:
    """The address of the folder from the page, so that both can be moved together."""
    try:
        relative = os.path.relpath(os.path.realpath(folder), os.path.realpath(output))
    except ValueError:  # another drive of Windows
        return folder.resolve().as_uri() + "/"
    return quote_from_bytes(os.fsencode(relative.replace(os.sep, "/"))) + "/"
