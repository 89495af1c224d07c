"""Whatever is reported where: no sum hides an accepted death, but by a named decision."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.casualties import CASUALTIES, SetAside
from projections.asking.figures import Counted, Held, official_by_area

PARENTS: dict[str, str | None] = {
    "city": None,
    "county 1": "city",
    "county 2": "city",
    "town 1": "county 1",
    "town 2": "county 1",
    "town 3": "county 2",
    "village 1": "town 1",
    "village 2": "town 1",
    "village 3": "town 2",
}
COUNTS = st.integers(0, 5).map(Decimal)
FIGURES = st.dictionaries(st.sampled_from(CASUALTIES), COUNTS)
DECIDED = st.dictionaries(
    st.sampled_from(CASUALTIES), st.builds(SetAside, kept=COUNTS, parts=COUNTS), max_size=1
)


@st.composite
def reports(draw: st.DrawFn) -> list[Held]:
    """Accepted reports of some areas on one flood, some sent back since, some decided about."""
    found = []
    for area in draw(st.lists(st.sampled_from(sorted(PARENTS)), unique=True)):
        accepted = Counted(draw(FIGURES), frozenset())
        found.append(
            Held(
                report=f"of {area}",
                area=area,
                group="flood",
                pending=draw(st.booleans()),
                late=False,
                reported=Counted(draw(FIGURES), frozenset()),
                accepted=accepted,
                as_of=draw(st.sampled_from(["08", "09"])),
                returned=draw(st.booleans()),
                set_aside=draw(st.one_of(st.just({}), DECIDED)),
            )
        )
    return found


@given(reports())
def test_official_casualties_are_never_below_those_of_the_parts_without_a_decision(
    held: list[Held],
) -> None:
    totals = {area: one[0] for area, one in official_by_area(held, PARENTS).items()}
    own = {one.area: one for one in held}
    for area, total in totals.items():
        for key in CASUALTIES:
            counted = total.known.get(key, Decimal(0))
            mine = own[area].accepted.known.get(key) if area in own else None  # type: ignore[union-attr]
            assert counted >= (mine or 0), "an own accepted figure stands"
            parts = sum(
                totals[part].known.get(key, Decimal(0))
                for part, parent in PARENTS.items()
                if parent == area and part in totals
            )
            decided = own[area].set_aside.get(key) if area in own else None
            if decided is None or mine is None or mine < decided.kept or parts > decided.parts:
                assert counted >= parts, f"{key} of {area}"
