"""The timeline in sentences: what somebody did, as people say it, in the page's language.

`tell` takes rows of the timeline view. Who and when stand beside the sentence; documents,
amounts and reasons are in it. A kind of fact without a sentence of its own is named plainly.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from api.words import Words
from web.formats import UNKNOWN, Formats
from web.i18n import Language, catalog

CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
LISTS = ("VillageList",)
"""Streams of their own that a household's history names: a sentence links to them."""
TOLD_BY_ANOTHER = frozenset({"Person.Claimed", "Person.ClaimedAgain", "Person.Released"})
"""Facts of the same commit as one of the household, which says the same with more words."""


def key_of(topic: str) -> str:
    """``ReliefCase.GoodsSigned`` → ``relief_case_goods_signed``."""
    return CAPITAL.sub("_", topic).replace(".", "_").lower()


class Teller:
    """Makes sentences of facts in one language."""

    def __init__(self, language: Language, words: Words) -> None:
        self._catalog = catalog(language)
        self._formats = Formats(self._catalog)
        self._words = words

    def tell(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with ``said``, ``because`` (a reason, or empty) and ``link``."""
        return [self._one(row) for row in rows if row["topic"] not in TOLD_BY_ANOTHER]

    def _one(self, row: dict[str, Any]) -> dict[str, Any]:
        t = self._catalog.t
        detail: dict[str, Any] = row["detail"]
        key = key_of(row["topic"])
        if key == "relief_case_granted" and detail.get("grant", {}).get("item"):
            key = "relief_case_granted_goods"
        if key == "relief_case_applied" and detail.get("on_behalf"):
            key = "relief_case_applied_on_behalf"
        if key == "household_group_changed" and not detail.get("group"):
            key = "household_group_left"
        if f"story.{key}" in self._catalog.sentences:
            said = t("story." + key, **self._values(detail))
        else:
            said = self._plainly(row["topic"], key)
        link = f"/lists/{row['stream']}" if row["kind"] in LISTS else None
        return {**row, "said": said, "because": detail.get("reason", ""), "link": link}

    def _plainly(self, topic: str, key: str) -> str:
        """The name of a kind of fact that has no sentence of its own."""
        names = self._catalog.sentences
        return names.get(f"event.{key}", topic)

    def _values(self, detail: dict[str, Any]) -> dict[str, str]:
        """Every value a sentence may want, as text; what a fact does not say is a dash."""
        parts = {name: value for name, value in detail.items() if not isinstance(value, dict)}
        for inner in detail.values():
            if isinstance(inner, dict):
                parts |= inner
        found = dict.fromkeys(NAMES, UNKNOWN)
        return found | {name: self._text(name, value) for name, value in parts.items()}

    def _text(self, name: str, value: Any) -> str:
        t = self._catalog.t
        if name.endswith("_fen"):
            return self._formats.fen(value)
        if name in ("item", "category"):
            return self._words.item(value) if name == "item" else self._words.kind(value)
        if name in MOMENTS:
            return self._formats.when(datetime.fromisoformat(value))
        if name in DAYS:
            return self._formats.day(date.fromisoformat(value))
        if name in ENUMS:
            known = f"word_{name}_{value}"
            return t("story." + known) if f"story.{known}" in self._catalog.sentences else value
        if isinstance(value, bool):
            return t("story.word_" + f"{name}_{'yes' if value else 'no'}") if name in YES else ""
        return self._formats.number(value) if isinstance(value, int) else str(value)


MOMENTS = ("posted_at", "ends_at", "received_at")
DAYS = ("on", "applied_on", "held_on", "assess_by", "deliver_by")
ENUMS = ("relation", "notice", "kind", "tier", "cause", "step", "decision", "end")
YES = ("upheld", "kept", "early")
NAMES = (
    "amount_fen",
    "applied_on",
    "attendees",
    "bank",
    "cash_fen",
    "category",
    "cause",
    "decision",
    "deliver_by",
    "document_no",
    "early",
    "end",
    "ends_at",
    "failed",
    "group",
    "held",
    "held_on",
    "households",
    "item",
    "kept",
    "kind",
    "masked",
    "notice",
    "number",
    "on",
    "opinion",
    "paid_fen",
    "payments",
    "persons",
    "programme",
    "relation",
    "round",
    "signed_by",
    "step",
    "tier",
    "units",
    "upheld",
    "year",
)
