"""Colours, type and space, and the only style sheet.

Law: every colour on a screen is a token of a :class:`Theme`, and every pair of tokens that is drawn one on
the other is named in :func:`contrasts` with the contrast it owes. Colour never speaks alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from app.resources import resource_path

DOSE_CONTRAST = 7.0
TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3.0

FAMILY = "Inter"
_FACES = ("Inter-Regular.otf", "Inter-SemiBold.otf")
_SMALLEST_POINTS = 10.0
_PROPERTY = "cisterna_theme"


class Scale(float, Enum):
    """The four sizes of type, as multiples of the system's size."""

    BODY = 1.0
    LEAD = 1.25
    TITLE = 1.6
    FIGURE = 2.5


@dataclass(frozen=True, slots=True)
class Theme:
    """Every colour there is. The three alarm colours are fills; what is written on a fill is ``on_…``."""

    name: str
    page: str
    surface: str
    raised: str
    hairline: str
    edge: str
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_hover: str
    focus: str
    selection: str
    stop: str
    on_stop: str
    caution: str
    on_caution: str
    advice: str
    on_advice: str
    good: str
    on_good: str
    error: str
    disabled: str


LIGHT = Theme(
    name="light",
    page="#f4f5f7",
    surface="#ffffff",
    raised="#e9ecf0",
    hairline="#d3d8de",
    edge="#77818c",
    text="#14191f",
    muted="#434b54",
    accent="#0b5394",
    on_accent="#ffffff",
    accent_hover="#084070",
    focus="#0b5394",
    selection="#cfe3f7",
    stop="#b3140f",
    on_stop="#ffffff",
    caution="#f6b400",
    on_caution="#14191f",
    advice="#5cc8e2",
    on_advice="#14191f",
    good="#00614a",
    on_good="#ffffff",
    error="#9a100b",
    disabled="#737c86",
)

DARK = Theme(
    name="dark",
    page="#12161b",
    surface="#1a2027",
    raised="#262e37",
    hairline="#36404b",
    edge="#8893a0",
    text="#f0f3f6",
    muted="#bcc5ce",
    accent="#7dbbff",
    on_accent="#0c1116",
    accent_hover="#a5d0ff",
    focus="#7dbbff",
    selection="#264a6e",
    stop="#f4584f",
    on_stop="#000000",
    caution="#ffd34d",
    on_caution="#0c1116",
    advice="#56cde8",
    on_advice="#0c1116",
    good="#5ed3ac",
    on_good="#0c1116",
    error="#ffaaa3",
    disabled="#8b95a0",
)

HIGH_CONTRAST = Theme(
    name="high contrast",
    page="#000000",
    surface="#000000",
    raised="#1c1c1c",
    hairline="#9a9a9a",
    edge="#ffffff",
    text="#ffffff",
    muted="#e6e6e6",
    accent="#ffe14d",
    on_accent="#000000",
    accent_hover="#fff3b0",
    focus="#ffe14d",
    selection="#003f8a",
    stop="#ff6259",
    on_stop="#000000",
    caution="#ffe14d",
    on_caution="#000000",
    advice="#5fe0ff",
    on_advice="#000000",
    good="#7dffce",
    on_good="#000000",
    error="#ffaaa3",
    disabled="#b8b8b8",
)

THEMES = (LIGHT, DARK, HIGH_CONTRAST)


def contrasts(theme: Theme) -> tuple[tuple[str, str, float], ...]:
    """Every pair (foreground token, background token, least contrast) that this window draws."""
    grounds = ("page", "surface", "raised")
    return (
        *(("text", ground, DOSE_CONTRAST) for ground in (*grounds, "selection")),
        *(("muted", ground, DOSE_CONTRAST) for ground in grounds),
        *(("accent", ground, TEXT_CONTRAST) for ground in grounds),
        *(("error", ground, DOSE_CONTRAST) for ground in grounds),
        *(("good", ground, TEXT_CONTRAST) for ground in grounds),
        ("on_accent", "accent", DOSE_CONTRAST),
        ("on_accent", "accent_hover", DOSE_CONTRAST),
        *((f"on_{fill}", fill, TEXT_CONTRAST) for fill in ("stop", "caution", "advice", "good")),
        *(("edge", ground, EDGE_CONTRAST) for ground in grounds),
        *(("focus", ground, EDGE_CONTRAST) for ground in grounds),
        *(("disabled", ground, EDGE_CONTRAST) for ground in grounds),
    )


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application this theme; it may be called again with another."""
    app.setProperty(_PROPERTY, theme)
    fusion = QStyleFactory.create("Fusion")
    if fusion is not None and app.style().name() != fusion.name():
        app.setStyle(fusion)
    _load_font()
    app.setFont(font(Scale.BODY))
    app.setPalette(_palette(theme))
    app.setStyleSheet(_style_sheet(theme, unit()))


def current_theme() -> Theme:
    """The theme that was applied last, or the light one."""
    app = QCoreApplication.instance()
    theme = app.property(_PROPERTY) if app is not None else None
    return theme if isinstance(theme, Theme) else LIGHT


def font(scale: Scale, *, strong: bool = False) -> QFont:
    """The typeface at one of the four sizes, with figures of one width and a slashed zero."""
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    made = QFont(FAMILY if FAMILY in QFontDatabase.families() else system.family())
    made.setPointSizeF(max(system.pointSizeF(), _SMALLEST_POINTS) * scale.value)
    made.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    for feature in ("tnum", "zero"):
        made.setFeature(QFont.Tag(feature), 1)
    return made


def unit() -> int:
    """The step of the grid: half the line height of body text."""
    return max(4, QFontMetrics(font(Scale.BODY)).height() // 2)


def set_type(widget: QWidget, scale: Scale, *, strong: bool = False) -> None:
    """Give a widget one of the four sizes."""
    widget.setFont(font(scale, strong=strong))


def set_role(widget: QWidget, role: str) -> None:
    """Say what a widget is for (``primary``, ``muted``, ``card``); the style sheet does the rest."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def _load_font() -> None:
    if FAMILY not in QFontDatabase.families():
        for face in _FACES:
            QFontDatabase.addApplicationFont(str(resource_path(f"fonts/{face}")))


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.page,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.surface,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.text,
        role.Highlight: theme.selection,
        role.HighlightedText: theme.text,
        role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Light: theme.hairline,
        role.Midlight: theme.hairline,
        role.Mid: theme.hairline,
        role.Dark: theme.edge,
        role.Shadow: theme.edge,
        role.Accent: theme.accent,
    }
    palette = QPalette()
    for part, colour in colours.items():
        palette.setColor(part, QColor(colour))
    for part in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, part, QColor(theme.disabled))
    return palette


def _picture(name: str) -> str:
    """A picture of fixed colours, as a style sheet wants its path."""
    return resource_path(f"icons/{name}.svg").as_posix()


def _style_sheet(theme: Theme, step: int) -> str:
    ring = max(3, step // 3)
    thin = 1 if theme.name != HIGH_CONTRAST.name else 2
    inset = step // 2
    return f"""
QToolTip {{ background: {theme.surface}; color: {theme.text}; border: {thin}px solid {theme.edge};
    padding: {inset}px; }}

QLabel[role="muted"] {{ color: {theme.muted}; }}
QLabel[role="error"] {{ color: {theme.error}; }}
QLabel[role="accent"] {{ color: {theme.accent}; }}

QFrame[role="card"] {{ background: {theme.surface}; border: {thin}px solid {theme.hairline};
    border-radius: {inset}px; }}
QFrame[role="alarm"] {{ background: {theme.stop}; border: none; }}
QLabel[role="on-alarm"] {{ color: {theme.on_stop}; }}
QFrame[role="band"] {{ background: {theme.surface}; border: none;
    border-bottom: {thin}px solid {theme.hairline}; }}
QFrame[role="foot"] {{ background: {theme.surface}; border: none;
    border-top: {thin}px solid {theme.hairline}; }}
QFrame[role="hairline"] {{ background: {theme.hairline}; border: none; max-height: {thin}px;
    min-height: {thin}px; }}

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QAbstractSpinBox {{ background: {theme.surface};
    color: {theme.text}; border: {thin}px solid {theme.edge}; border-radius: {inset}px;
    padding: {inset + ring - thin}px {step + ring - thin}px; selection-background-color: {theme.selection};
    selection-color: {theme.text}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{
    border: {ring}px solid {theme.focus}; padding: {inset}px {step}px; }}
QLineEdit[role="error"] {{ border: {thin + 1}px solid {theme.error};
    padding: {inset + ring - thin - 1}px {step + ring - thin - 1}px; }}
QLineEdit[role="error"]:focus {{ border: {ring}px solid {theme.error}; padding: {inset}px {step}px; }}
QLineEdit:disabled, QComboBox:disabled {{ background: {theme.page}; color: {theme.disabled};
    border-color: {theme.hairline}; }}
QLineEdit:read-only {{ background: {theme.page}; }}
QComboBox::drop-down {{ border: none; width: {step * 3}px; }}
QComboBox::down-arrow {{ image: url("{_picture("down")}"); width: {step + inset}px; height: {step + inset}px; }}
QComboBox QAbstractItemView {{ background: {theme.surface}; color: {theme.text};
    border: {thin}px solid {theme.edge}; selection-background-color: {theme.selection};
    selection-color: {theme.text}; outline: none; }}

QPushButton {{ background: {theme.surface}; color: {theme.text}; border: {thin}px solid {theme.edge};
    border-radius: {inset}px; padding: {inset + ring - thin}px {step * 2 + ring - thin}px;
    min-height: {step * 2}px; }}
QPushButton:hover {{ background: {theme.raised}; }}
QPushButton:pressed {{ background: {theme.selection}; }}
QPushButton:checked {{ background: {theme.selection}; font-weight: 600; }}
QPushButton:focus {{ border: {ring}px solid {theme.focus}; padding: {inset}px {step * 2}px; }}
QPushButton:disabled {{ color: {theme.disabled}; border-color: {theme.hairline}; background: {theme.page}; }}
QPushButton[role="primary"] {{ background: {theme.accent}; color: {theme.on_accent};
    border-color: {theme.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {theme.accent_hover}; border-color: {theme.accent_hover}; }}
QPushButton[role="primary"]:focus {{ border-color: {theme.text}; }}
QPushButton[role="primary"]:disabled {{ background: {theme.page}; color: {theme.disabled};
    border-color: {theme.hairline}; }}
QPushButton[role="danger"] {{ border: {thin + 1}px solid {theme.error}; color: {theme.error};
    padding: {inset + ring - thin - 1}px {step * 2 + ring - thin - 1}px; }}
QPushButton[role="danger"]:focus {{ border: {ring}px solid {theme.error}; background: {theme.raised};
    padding: {inset}px {step * 2}px; }}
QPushButton[role="danger"]:disabled {{ color: {theme.disabled}; border-color: {theme.hairline}; }}
QPushButton[role="quiet"] {{ background: transparent; border-color: transparent; color: {theme.accent}; }}
QPushButton[role="quiet"]:hover {{ background: {theme.raised}; }}
QPushButton[role="quiet"]:focus {{ border-color: {theme.focus}; }}
QPushButton[role="compact"] {{ padding: {inset + ring - thin}px {step + ring - thin}px; }}
QPushButton[role="compact"]:focus {{ padding: {inset}px {step}px; }}

QPushButton[role="navigation"] {{ background: transparent; border-color: transparent; text-align: left;
    padding: {inset + ring - thin}px {step}px; }}
QPushButton[role="navigation"]:hover {{ background: {theme.raised}; }}
QPushButton[role="navigation"]:checked {{ background: {theme.selection}; font-weight: 600; }}
QPushButton[role="navigation"]:focus {{ border: {ring}px solid {theme.focus};
    padding: {inset}px {step + thin - ring}px; }}

QCheckBox, QRadioButton {{ spacing: {step}px; padding: {inset}px; border: {ring}px solid transparent;
    border-radius: {inset}px; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {theme.focus}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: {step * 2}px; height: {step * 2}px;
    border: {thin}px solid {theme.edge}; background: {theme.surface}; }}
QCheckBox::indicator {{ border-radius: {inset // 2}px; }}
QRadioButton::indicator {{ border-radius: {step + thin}px; }}
QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent};
    image: url("{_picture("mark-light" if theme is LIGHT else "mark-dark")}"); }}
QRadioButton::indicator:checked {{ background: {theme.on_accent}; border: {inset + 1}px solid {theme.accent};
    width: {2 * (step + thin - inset - 1)}px; height: {2 * (step + thin - inset - 1)}px; }}

QAbstractItemView {{ background: {theme.surface}; color: {theme.text}; border: none; outline: none;
    selection-background-color: {theme.selection}; selection-color: {theme.text}; }}
QAbstractItemView:focus {{ border: {ring}px solid {theme.focus}; }}
QTableView, QListView, QTreeView {{ border: {ring}px solid transparent; gridline-color: transparent; }}
QHeaderView::section {{ background: {theme.surface}; color: {theme.muted}; border: none;
    border-bottom: {thin}px solid {theme.hairline}; padding: {inset}px {step}px; }}

QTabBar::tab {{ background: transparent; color: {theme.muted}; padding: {step}px {step * 2}px;
    border: none; border-bottom: {ring}px solid transparent; }}
QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent}; }}
QTabBar::tab:focus {{ border: {ring}px solid {theme.focus}; }}
QTabWidget::pane {{ border: none; border-top: {thin}px solid {theme.hairline}; }}

QScrollArea {{ background: transparent; border: {ring}px solid transparent; }}
QScrollArea:focus {{ border-color: {theme.focus}; }}
QScrollBar:vertical {{ background: transparent; width: {step + inset}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {step + inset}px; margin: 0; }}
QScrollBar::handle {{ background: {theme.edge}; border-radius: {inset}px; margin: {inset // 2}px;
    min-height: {step * 3}px; min-width: {step * 3}px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: none; border: none; width: 0; height: 0; }}

QProgressBar {{ background: {theme.raised}; border: none; border-radius: {inset}px; height: {step}px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: {inset}px; }}
QMenu {{ background: {theme.surface}; color: {theme.text}; border: {thin}px solid {theme.edge}; }}
QMenu::item {{ padding: {inset}px {step * 2}px; }}
QMenu::item:selected {{ background: {theme.selection}; color: {theme.text}; }}
"""
