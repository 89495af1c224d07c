"""Pictures of money: what goes into a bar goes out of it, and no band is lost."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from web.flows import Bar, Flow, picture_of


def bar(key: str, column: int) -> Bar:
    return Bar(key, column, key, "fund", f"/{key}")


@example([1, 442_709_822_499, 562_136_902_915, 1, 1, 1, 758_903_522_119])
@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=12))
def test_the_bands_fill_the_bar_they_leave(amounts: list[int]) -> None:
    bars = [bar("from", 0), *(bar(f"to-{n}", 7) for n in range(len(amounts)))]
    flows = [Flow("from", f"to-{n}", fen, "/facts") for n, fen in enumerate(amounts)]
    picture = picture_of(bars, flows)
    drawn = {one.bar.key: one for one in picture.bars}
    assert sum(band.flow.amount_fen for band in picture.bands) == sum(amounts)
    assert set(drawn) == ({"from"} if any(amounts) else set()) | {
        f"to-{n}" for n, fen in enumerate(amounts) if fen
    }
    below = sorted((one for one in picture.bars if one.is_last), key=lambda one: one.y)
    for upper, lower in pairwise(below):
        assert upper.y + upper.height < lower.y, "bars of a column do not touch"
    assert all(one.y + one.height <= picture.height for one in picture.bars)


def test_flows_between_the_same_bars_are_one_band() -> None:
    flows = [Flow("a", "b", 300, "/first"), Flow("a", "b", 500, "/second")]
    band = picture_of([bar("a", 0), bar("b", 1)], flows).bands
    assert [(one.flow.amount_fen, one.flow.href) for one in band] == [(800, "/first")]
