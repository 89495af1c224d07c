"""Rows of the log that somebody put there by hand and that an operator has disowned: told wherever
it is told whether the log is whole, for as long as it stands there."""

from collections.abc import Iterable, Mapping
from typing import Any

from domain.telling import moment
from eventstore.disowned import Disowned
from eventstore.store import Store


def disowned_in(store: Store) -> list[dict[str, Any]]:
    """All of them, by position: ``position``, ``topic``, ``sha256`` (of the leaf), who has said
    so, when and at which position; and that as a sentence in both languages."""
    return [told(one) for _, one in sorted(store.trust.disowned.items())]


def told(one: Disowned) -> dict[str, Any]:
    row = one.row
    return {
        "position": row.position,
        "topic": row.topic,
        "sha256": row.sha256,
        "operator": one.operator,
        "at": one.at,
        "said_at": one.said_at,
        "zh": f"第 {row.position} 条不是程序写入的，{one.operator} 于 {moment(one.at, 'zh')}"
        f" 登记为不计入（第 {one.said_at} 条记录）",
        "en": f"Record {row.position} was put in by hand. {one.operator} disowned it on"
        f" {moment(one.at, 'en')} (record {one.said_at}).",
    }


def in_words(disowned: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each, for whoever reads both languages."""
    return [f"{one['zh']} · {one['en']}" for one in disowned]
