"""What stories of relief seasons share: the households of a village, and the days of a notice."""

from collections.abc import Mapping
from datetime import timedelta

from domain.commands.households import RegisterHousehold
from domain.commands.sealing import CardInput, MemberInput
from domain.household_members import Relation
from eventstore.clock import SimulatedClock
from tests.id_numbers import id_number
from tests.web.desk import LivingCounty
from tests.web.pressing import Page

FAMILIES = {"a": "赵一二", "b": "钱三四", "c": "孙五六", "d": "李七八"}
"""Heads of households of `yuantan_1` by the key of their id."""
NOTICE = timedelta(days=8)
MOST_MEMBERS = 9


def register(county: LivingCounty, sizes: Mapping[str, int]) -> None:
    """These households, each of so many members, with a card."""
    for serial, (key, size) in enumerate(sizes.items()):
        numbers = [id_number(serial * MOST_MEMBERS + one) for one in range(size)]
        head = MemberInput(name=FAMILIES[key], relation=Relation.HEAD, id_number=numbers[0])
        others = (
            MemberInput(name="周小小", relation=Relation.CHILD, id_number=number)
            for number in numbers[1:]
        )
        county.run(
            RegisterHousehold(
                id=county.id(key),
                village=county.id("yuantan_1"),
                members=(head, *others),
                category="hardship",
                card=CardInput(number="6217 0000 1234 5678", bank="农商行"),
            ),
            by="village",
        )


def wait(county: LivingCounty, time: timedelta = NOTICE) -> None:
    """The days of a notice go by, or so much time."""
    clock = county.system.store.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.now() + time)


def masked(page: Page, field: str, key: str, form: type) -> str:
    """How a household is called among the options of a field."""
    found = [one for one in page.form(form).options(field) if one.startswith(FAMILIES[key][0])]
    assert len(found) == 1, (key, page.form(form).options(field))
    return found[0]


def spoken_of(page: Page) -> None:
    """No page of a programme without meetings and notices speaks of them, or of what they void."""
    main = page.text.split("<main")[1].split("</main>")[0]
    found = [word for word in ("公示", "张榜", "评议", "村评", "会议") if word in main]
    assert not found, [main[main.index(word) - 80 :][:200] for word in found]
