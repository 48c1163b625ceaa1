"""The look of the program: two colour themes, and the palette and the style sheet that use them.

`set_role` gives a widget a special look: "title", "heading", "muted", "accent", "warning", "danger", "mono"
and "key" for labels; "primary", "danger", "link", "compact", "row", "pill" and "swatch" for buttons; "panel", "card",
"banner", "alert", "failure" and "notice" for frames; "strong" for check boxes.
A widget that paints itself calls `current_theme()` in `paintEvent`; Qt repaints every widget when the theme changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from terrainpaint.core.assets import asset_path

DEFAULT_THEME = "dark"
_PROPERTY = "terrainpaint-theme"


@dataclass(frozen=True)
class Theme:
    """Colours by purpose, "#rrggbb" in sRGB. Text colours have a contrast of 4.5:1 on the surfaces that they are for.

    Surfaces, from the lowest: `canvas` around the map, `well` of text fields and lists, `window`, `panel`, `raised`
    controls with `hover` and `pressed`; `border` between areas, `edge` around controls.
    `text`, `muted` for less important text, `disabled` (the only text colour with less contrast).
    `accent` is a fill with `on_accent` on it, `accent_hover` the same under the pointer; `accent_text` is for text and
    icons on any surface, `accent_soft` the fill behind what is selected. `focus` is the ring of the keyboard focus.
    `danger` and `warning` are text colours; `danger_soft` and `warning_soft` are fills for them.
    """

    name: str
    canvas: str
    well: str
    window: str
    panel: str
    raised: str
    hover: str
    pressed: str
    border: str
    edge: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_text: str
    accent_soft: str
    focus: str
    danger: str
    danger_soft: str
    warning: str
    warning_soft: str


THEMES: Mapping[str, Theme] = {
    "dark": Theme(
        name="dark",
        canvas="#161819",
        well="#1a1d1e",
        window="#202324",
        panel="#272b2c",
        raised="#333839",
        hover="#3d4344",
        pressed="#2c3132",
        border="#363b3c",
        edge="#474e4f",
        text="#e5e9e8",
        muted="#a7b0af",
        disabled="#6c7473",
        accent="#267a64",
        accent_hover="#22836a",
        on_accent="#ffffff",
        accent_text="#62cbad",
        accent_soft="#24443b",
        focus="#62cbad",
        danger="#f58f85",
        danger_soft="#452a2b",
        warning="#e8b765",
        warning_soft="#3d3423",
    ),
    "light": Theme(
        name="light",
        canvas="#c9cecd",
        well="#ffffff",
        window="#eceeed",
        panel="#f6f7f7",
        raised="#ffffff",
        hover="#e6eae9",
        pressed="#d9dfdd",
        border="#d6dbda",
        edge="#b9c1bf",
        text="#1c2221",
        muted="#566160",
        disabled="#98a19f",
        accent="#1f7a62",
        accent_hover="#1b6d57",
        on_accent="#ffffff",
        accent_text="#146650",
        accent_soft="#cfe8e0",
        focus="#1f8a6e",
        danger="#ae2a22",
        danger_soft="#fbe3e0",
        warning="#7a5200",
        warning_soft="#fbeccb",
    ),
}


def apply_theme(app: QApplication, name: str) -> None:
    """Apply the theme `name` of `THEMES` to the whole program, open windows included.

    Raises ValueError for an unknown name.
    """
    if name not in THEMES:
        raise ValueError(f"there is no theme {name!r}; there are {', '.join(THEMES)}")
    theme = THEMES[name]
    app.setProperty(_PROPERTY, name)
    # For window frames and system dialogs, on systems that support it.
    app.styleHints().setColorScheme(Qt.ColorScheme.Dark if name == "dark" else Qt.ColorScheme.Light)
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_palette(theme))
    app.setStyleSheet(_style_sheet(theme, QFontInfo(app.font()).pixelSize()))


def current_theme() -> Theme:
    """The current theme; the default one before `apply_theme`."""
    app = QApplication.instance()
    return THEMES[(app.property(_PROPERTY) if app else None) or DEFAULT_THEME]


def set_role(widget: QWidget, role: str) -> None:
    """Give `widget` one of the roles that the docstring of this module lists; "" is the ordinary look."""
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    # Qt reads the property only when it polishes the widget.
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def _style_sheet(theme: Theme, font_px: int) -> str:
    template = Template(asset_path("theme.qss").read_text("utf-8"))
    sizes = {"title_px": round(font_px * 1.85), "heading_px": round(font_px * 1.15), "small_px": round(font_px * 0.9)}
    return template.substitute(asdict(theme), controls=asset_path("icons/controls").as_posix(), **sizes)


def _palette(theme: Theme) -> QPalette:
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.well,
        role.AlternateBase: theme.panel,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent_text,
        role.LinkVisited: theme.accent_text,
        role.Light: theme.hover,
        role.Midlight: theme.raised,
        role.Mid: theme.border,
        role.Dark: theme.border,
        role.Shadow: theme.canvas,
    }
    palette = QPalette()
    for colour_role, colour in colours.items():
        palette.setColor(colour_role, QColor(colour))
    for text_role in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText, role.HighlightedText):
        palette.setColor(group.Disabled, text_role, QColor(theme.disabled))
    palette.setColor(group.Disabled, role.Highlight, QColor(theme.hover))
    return palette
