"""Tables of figures: one description of the rows for the terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NOT_MEASURED = "–"


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, rows of texts, and a sentence or two on what they mean."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def number(value: float | None, digits: int) -> str:
    """A number with so many decimals; a dash where it could not be measured."""
    return NOT_MEASURED if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A fraction in percent; a dash where it could not be measured."""
    return NOT_MEASURED if value is None else f"{100 * value:.1f} %"


def markdown(tables: Sequence[Table]) -> str:
    """The tables as Markdown, each below a heading of the second level."""
    texts = []
    for table in tables:
        lines = [f"## {table.title}", "", table.note, "", "| " + " | ".join(table.columns) + " |",
                 "| --- |" + " ---: |" * (len(table.columns) - 1)]  # fmt: skip
        texts.append("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in table.rows)]))
    return "\n\n".join(texts) + "\n"


def print_tables(tables: Sequence[Table]) -> None:
    """Print the tables to the terminal, 120 columns wide where the output is not a terminal."""
    from rich.console import Console
    from rich.table import Table as Printed

    console = Console()
    if not console.is_terminal:
        console.width = 120
    for table in tables:
        printed = Printed(title=table.title, title_justify="left")
        for index, name in enumerate(table.columns):
            printed.add_column(name, justify="right" if index else "left")
        for row in table.rows:
            printed.add_row(*row)
        console.print(printed)
