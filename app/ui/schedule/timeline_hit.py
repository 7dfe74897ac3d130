"""What is under a point of the timeline: which appearance of which item, and which part of it.

Law: the nearest item wins, and a narrow step keeps at least half of itself to be moved by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPointF

from app.ui.schedule.timeline_layout import Ground, Span

GRIP_SHARE = 4
"""At most one part in so many of a narrow step takes the pointer for an edge."""


def hit(ground: Ground, spans: Sequence[Span], point: QPointF, *, reach: float) -> tuple[Span, str] | None:
    """The appearance under a point and its part (``body``, ``start``, ``end``, ``top``), or ``None``."""
    inside = ground.left - reach <= point.x() <= ground.right + reach
    if not inside:
        return None
    found = [(distance, span, part) for span in spans for distance, part in _touch(ground, span, point, reach)]
    return min(found, key=lambda one: one[0])[1:] if found else None


def _touch(ground: Ground, span: Span, point: QPointF, reach: float) -> Iterator[tuple[float, str]]:
    yield from (_touch_bolus if span.is_bolus else _touch_step)(ground, span, point, reach)


def _touch_bolus(ground: Ground, span: Span, point: QPointF, reach: float) -> Iterator[tuple[float, str]]:
    stem, end, head = ground.x(span.start), ground.x(span.end), ground.y_of_dose(span.value)
    if not head - 2 * reach <= point.y() <= ground.sill + reach:
        return
    on_bar = point.y() >= ground.sill - reach
    if on_bar and stem + reach / 2 < point.x() <= end + 2 * reach:
        yield abs(point.x() - end), "end" if point.x() >= end - reach / 2 else "body"
    elif span.start >= 0 and abs(point.x() - stem) <= reach:
        yield abs(point.x() - stem), "body"


def _touch_step(ground: Ground, span: Span, point: QPointF, reach: float) -> Iterator[tuple[float, str]]:
    box = ground.box(span)
    if not min(box.top(), ground.floor - 2 * reach) - reach <= point.y() <= ground.floor + reach:
        return
    grip = min(reach, box.width() / GRIP_SHARE)
    if not box.left() - grip / 2 <= point.x() <= box.right() + grip / 2:
        return
    depth = max(0.0, box.left() - point.x(), point.x() - box.right())
    if point.x() <= box.left() + grip and span.start >= 0:
        yield depth, "start"
    elif point.x() >= box.right() - grip and span.end <= ground.minutes:
        yield depth, "end"
    elif abs(point.y() - box.top()) <= reach:
        yield depth, "top"
    else:
        yield depth, "body"
