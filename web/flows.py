"""A picture of money on its way (Sankey): columns of bars, bands between them, made on the server.

A band is as high as its amount is large, on one scale for the whole picture. Bars of one column
stand below each other in the order given, so that the bands of a tree do not cross.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

WIDTH: Final = 1000
BAR: Final = 14
GAP: Final = 16
TALLEST: Final = 280
"""Height of all money of the picture together."""
LINE: Final = 34
"""Height that the two lines of a bar's label need."""


@dataclass(frozen=True)
class Bar:
    """A place money comes to or lies in. ``column``: a larger one stands further right."""

    key: str
    column: int
    label: str
    kind: str
    href: str


@dataclass(frozen=True)
class Flow:
    """Money from one bar to another; ``href``: the page with the facts that say so."""

    source: str
    target: str
    amount_fen: int
    href: str


@dataclass(frozen=True)
class PlacedBar:
    bar: Bar
    amount_fen: int
    x: float
    y: float
    height: float
    is_last: bool


@dataclass(frozen=True)
class Band:
    """A flow with the outline of its band, as the path of an SVG."""

    flow: Flow
    source: str
    target: str
    kind: str
    path: str


@dataclass
class Picture:
    """``height`` in units of which the picture is `WIDTH` wide."""

    height: float = 0
    bars: list[PlacedBar] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)


def picture_of(bars: Iterable[Bar], flows: Iterable[Flow]) -> Picture:
    """The bars and bands in their places. Flows of nothing are left out, and bars without flows."""
    real = _joined(flow for flow in flows if flow.amount_fen > 0)
    through = _through(real)
    shown = {bar.key: bar for bar in bars if through.get(bar.key)}
    if not shown:
        return Picture()
    columns: dict[int, list[Bar]] = {}
    for bar in shown.values():
        columns.setdefault(bar.column, []).append(bar)
    scale = TALLEST / max(sum(through[bar.key] for bar in one) for one in columns.values())
    picture = Picture()
    last = len(columns) - 1
    for place, (_, members) in enumerate(sorted(columns.items())):
        x = (WIDTH - BAR) * place / max(last, 1)
        y = 0.0
        for bar in members:
            tall = max(2.0, through[bar.key] * scale)
            picture.bars.append(PlacedBar(bar, through[bar.key], x, y, tall, place == last))
            bottom = y + max(tall, LINE)
            picture.height = max(picture.height, bottom)
            y = bottom + GAP
    picture.bands = _bands(picture.bars, real, scale)
    return picture


def _joined(flows: Iterable[Flow]) -> list[Flow]:
    """One flow between two bars, with the facts of its first."""
    found: dict[tuple[str, str], Flow] = {}
    for flow in flows:
        way = (flow.source, flow.target)
        known = found.get(way)
        amount_fen = flow.amount_fen + (known.amount_fen if known else 0)
        found[way] = replace(known or flow, amount_fen=amount_fen)
    return list(found.values())


def _through(flows: Iterable[Flow]) -> dict[str, int]:
    """What goes through every bar: the larger of what comes in and what goes out."""
    into: dict[str, int] = {}
    out: dict[str, int] = {}
    for flow in flows:
        out[flow.source] = out.get(flow.source, 0) + flow.amount_fen
        into[flow.target] = into.get(flow.target, 0) + flow.amount_fen
    return {key: max(into.get(key, 0), out.get(key, 0)) for key in {*into, *out}}


def _bands(bars: list[PlacedBar], flows: list[Flow], scale: float) -> list[Band]:
    """Bands leave and enter their bars from top to bottom, in the order of the bars beyond."""
    placed: Mapping[str, PlacedBar] = {one.bar.key: one for one in bars}
    used_out = dict.fromkeys(placed, 0.0)
    used_in = dict.fromkeys(placed, 0.0)
    found = []
    for flow in sorted(flows, key=lambda one: (placed[one.source].y, placed[one.target].y)):
        source, target = placed[flow.source], placed[flow.target]
        thick = flow.amount_fen * scale
        top = source.y + used_out[flow.source]
        end = target.y + used_in[flow.target]
        used_out[flow.source] += thick
        used_in[flow.target] += thick
        left, right = source.x + BAR, target.x
        middle = (left + right) / 2
        thick = max(thick, 1.0)
        path = (
            f"M{left:.1f} {top:.1f}C{middle:.1f} {top:.1f} {middle:.1f} {end:.1f} {right:.1f} "
            f"{end:.1f}V{end + thick:.1f}C{middle:.1f} {end + thick:.1f} {middle:.1f} "
            f"{top + thick:.1f} {left:.1f} {top + thick:.1f}Z"
        )
        found.append(Band(flow, source.bar.label, target.bar.label, target.bar.kind, path))
    return found
