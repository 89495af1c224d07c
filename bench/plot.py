"""The figures of `bench.scale` as a drawing: an SVG written by hand, both axes logarithmic."""

from collections import defaultdict
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from bench.base import Result

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 40, 50
COLORS = (
    *("#1f5fa8", "#b3541e", "#2e7d4f", "#8a2f6b"),
    *("#6b6b6b", "#a88a1f", "#333399", "#c2185b"),
)
TEXT = 'font-family="sans-serif" font-size="12"'


def plotted(result: Result) -> str:
    """One line a figure over the number of facts. Figures are named ``<facts>_<what>``."""
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, value in result.figures.items():
        facts, _, what = name.partition("_")
        if facts.isdecimal() and value > 0:
            lines[what].append((log10(int(facts)), log10(value)))
    points = [point for line in lines.values() for point in line]
    x0, x1 = min(x for x, _ in points), max(x for x, _ in points)
    y0, y1 = floor(min(y for _, y in points)), ceil(max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x0) / ((x1 - x0) or 1) * (WIDTH - LEFT - RIGHT)
        up = (y - y0) / ((y1 - y0) or 1) * (HEIGHT - TOP - BOTTOM)
        return round(LEFT + across, 1), round(HEIGHT - BOTTOM - up, 1)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="22" {TEXT}>{escape(result.name)}: as the log grows</text>',
    ]
    for y in range(y0, y1 + 1):
        left, at = place(x0, y)
        right, _ = place(x1, y)
        drawn.append(f'<path d="M{left} {at}H{right}" stroke="#ddd"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{at + 4}" text-anchor="end" {TEXT}>{10**y:g}</text>')
    for x in sorted({x for x, _ in points}):
        across, at = place(x, y0)
        label = f"{round(10**x):,}"
        drawn.append(f'<text x="{across}" y="{at + 20}" text-anchor="middle" {TEXT}>{label}</text>')
    for n, (what, line) in enumerate(lines.items()):
        color = COLORS[n % len(COLORS)]
        path = " ".join(f"{x},{y}" for x, y in (place(*point) for point in line))
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        y = TOP + 18 * n
        drawn.append(
            f'<text x="{WIDTH - RIGHT + 15}" y="{y}" fill="{color}" {TEXT}>'
            f"{escape(what.replace('_', ' '))}</text>"
        )
    return "\n".join([*drawn, "</svg>", ""])
