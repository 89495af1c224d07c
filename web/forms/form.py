"""What a command's form says that the command's fields do not."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from web.parts import Desk

NEVER_ASKED: Final = frozenset({"exercise", "expected_version", "latitude", "longitude"})
"""The store says it, ``If-Match`` says it, or no officer types it."""


class Option(NamedTuple):
    """One of the things a field may name. ``words`` say it to a person, ``note`` tells more.

    ``most``: what may be taken of it, by the column whose sum takes it (`Form.sums`), in the unit
    of that column. ``of``: the choice of another field that it fits (`Form.narrows`).
    """

    value: str
    words: str
    note: str = ""
    group: str = ""
    most: Mapping[str, int] = MappingProxyType({})
    of: str = ""


@dataclass(frozen=True)
class Matter:
    """What a form is about, for whoever finds its options.

    ``t`` says a message in the reader's language. ``known``: what the page has read already and
    hands on (its row, a version); ``id`` is None where something new begins.
    """

    desk: "Desk"
    t: Callable[..., str]
    language: str
    kind: str
    id: UUID | None
    state: str
    known: Mapping[str, Any]


Finder = Callable[[Matter], Awaitable[list[Option]]]
"""Finds the things a field may name, in the order in which they are offered."""

Begun = Callable[[Matter], Awaitable[Mapping[str, Any]]]
"""What stands in the fields at first, by name, as the command's types have it."""


@dataclass(frozen=True)
class Form:
    """How one command is asked for. Names of fields are dotted: ``lines.item`` is a column.

    ``next_in``: states of the subject in which this is the step that comes next.
    ``fields``: the order of the fields, if not that of the command; those not named follow.
    ``left_out``: fields that nobody is asked for; they have a default.
    ``without``: what finds the fields that nobody is asked for as things stand.
    ``needed``: fields that must be filled in here, though the command does without them.
    ``told``: fields whose value the page knows → its key in `Matter.known`; nobody is asked. A
    page that does not know it asks for it.
    ``picks``: fields that name something → what finds the options.
    ``narrows``: fields whose options fit a choice (`Option.of`) → the field that is chosen in.
    ``words``: fields with fixed values → prefix of their message keys.
    ``radio``: fields whose values stand side by side, however many they are.
    ``none``: fields → message key of what is said where there is nothing to pick.
    ``says``: texts that mostly say one of a few things → message keys of these; one's own words
    stand below them.
    ``press``: the field whose options are the buttons of the form.
    ``long`` / ``short``: texts of several lines, or of one, where the name does not tell.
    ``now``: times that are not asked for: the moment at which the button is pressed.
    ``today``: days that are filled in with today.
    ``begins``: what stands in the fields at first. ``heads``: tables whose rows are all there from
    the beginning → the column that says which row it is. ``some``: those of which only the
    rows that say something are sent.
    ``spread``: tables inside a table whose rows are counts of something: each option of the picked
    column becomes a column of the outer table → the two fields of such a row, what and how many.
    ``sums``: tables whose figures are added up while they are typed, against `Option.most`.
    ``digests``: fields that hold the SHA-256 of a paper or a photo: the file is chosen.
    ``must``: fields that may be empty, but not where this key of `Matter.known` is true.
    ``hint``: message key of what to know before pressing. ``warns``: says what the
    press would undo as things stand, said before the hint; "" for nothing.
    ``hints``: hints of single fields.
    ``labels``: message keys of fields that are called otherwise here (`domain.field_names`);
    ``labels_here``: those that are called otherwise as things stand.
    ``done``: message key of what is said afterwards. ``next``: the page to go to, with
    ``{names}`` from what the page knows (``{id}``: the subject) or from the result.
    ``booked``: where it is, if its answer was lost (form.js).
    ``at``: the page that has the form beside what must be looked at before; with ``{id}`` for the
    subject. The subject's own page leads there.
    """

    next_in: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()
    without: Callable[[Matter], frozenset[str]] | None = None
    needed: frozenset[str] = frozenset()
    told: Mapping[str, str] = field(default_factory=dict)
    picks: Mapping[str, Finder] = field(default_factory=dict)
    narrows: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    radio: frozenset[str] = frozenset()
    none: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    press: str = ""
    long: frozenset[str] = frozenset()
    short: frozenset[str] = frozenset()
    now: frozenset[str] = frozenset()
    today: frozenset[str] = frozenset()
    begins: Begun | None = None
    heads: Mapping[str, str] = field(default_factory=dict)
    spread: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sums: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    must: Mapping[str, str] = field(default_factory=dict)
    some: frozenset[str] = frozenset()
    hint: str = ""
    warns: Callable[[Matter], str] | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_here: Callable[[Matter], Mapping[str, str]] | None = None
    done: str = ""
    next: str = ""
    booked: str = ""
    at: str = ""
