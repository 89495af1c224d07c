"""Which facts a proof is about, and the proof itself: for `relief audit prove` and for pages."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.telling import moment
from eventstore.access_log import AccessLog
from eventstore.checkpoints import SigningKey, origin_of
from eventstore.errors import LogForged
from eventstore.log import Row
from eventstore.outcomes import decode_outcome
from eventstore.proving import (
    MOST_FACTS,
    ROWS_AT_ONCE,
    NotInOrder,
    Tree,
    entry_shown,
    joined,
    tree_of,
)
from eventstore.seals import sealed_at_once
from eventstore.store import Store

FORMAT: Final = "relief-proof/1"

SAYS: Final = {
    "zh": "本证明说明：所列记录在签出检查点时就在账本里，位置和内容与所示一致。"
    "它不说明：没有别的记录、记录所说属实；账本整体是否被改过，由 relief audit verify 核对。",
    "en": "It proves that these facts stood in the log when the checkpoint was signed, at these"
    " places and as shown. It does not prove that there are no others, nor that what they say is"
    " true; whether anything in the whole log was changed, relief audit verify tells.",
}

TreeOf = Callable[[int, Sequence[int], int], Tree]
"""The tree over so many facts, for the facts at these indices, joined to one of so many."""


class NothingCalled(Exception):
    """The log has nothing that is called so."""


class NoFact(Exception):
    """What stands at this position is no fact: somebody has put it there by hand."""

    def __init__(self, position: int) -> None:
        super().__init__(f"no fact: {position}")
        self.position = position


class TooManyFacts(Exception):
    """``found`` facts are meant: more than one proof holds."""

    def __init__(self, found: int) -> None:
        super().__init__(f"too many for one proof: {found}")
        self.found = found


class NotAsSigned(Exception):
    """The log is not what the checkpoint was signed for."""


def facts_of(store: Store, what: str, size: int, most: int = MOST_FACTS) -> list[Row]:
    """The facts among the first ``size`` that a receipt's number, the id of a thing, a document's
    number or a position names, in order. Raises `NothingCalled`, `NoFact`, `TooManyFacts`,
    `NotInOrder`."""
    found = sorted(_meant(store, what, size, most))
    store.trust.look(size)
    rows = [row for row in found if store.trust.counts(row[0])]
    if not rows:
        raise NoFact(found[0][0]) if found else NothingCalled(what)
    if len(rows) > most:
        raise TooManyFacts(len(rows))
    if rows[0][0] < 1:
        raise NotInOrder(rows[0][0])
    return rows


def _meant(store: Store, what: str, size: int, most: int) -> list[Row]:
    try:
        id_ = UUID(what)
    except ValueError:
        if what.isdecimal() and len(what) < 19:
            return _rows(store, int(what), 1, size)
        return list(_naming(store, what, size, most))
    for _, _, _, stored in store.log.outcomes([id_]):
        outcome = decode_outcome(bytes(stored))
        return _rows(store, outcome.position - outcome.facts + 1, outcome.facts, size)
    return store.log.stream_rows(id_, upto_position=size)


def _rows(store: Store, first: int, count: int, size: int) -> list[Row]:
    """So many rows from a position on, the first ``size`` at most; none where there is none."""
    count = min(count, size - first + 1, MOST_FACTS + 1)
    return store.log.rows(first - 1, count, first + count - 1) if count > 0 else []


def _naming(store: Store, document: str, size: int, most: int) -> Iterator[Row]:
    """Facts that bear this document number, wherever in them it stands."""
    wanted = msgspec.json.encode(document)
    after = found = 0
    while (rows := store.log.rows(after, ROWS_AT_ONCE, size)) and found <= most:
        for row in rows:
            if wanted in bytes(row[4]):
                found += 1
                yield row
        after = rows[-1][0]


def signed(store: Store, root: bytes, size: int) -> str:
    """The checkpoint of a log of ``size`` facts with this root, made now. Raises `LogForged` while
    something in it is known to be none of ours, and nobody has disowned it."""
    store.trust.look(size)
    if at := [position for position in store.trust.forged if position <= size]:
        raise LogForged(str(min(at)))
    key = SigningKey(store.vault, origin_of(store))
    return key.signed(size, root, store.clock.now(), AccessLog(store.vault).end())


def proof_of(
    store: Store,
    rows: Sequence[Row],
    size: int,
    *,
    earlier: tuple[int, str] | None = None,
    under: tuple[str, str, bytes] | None = None,
    tree: TreeOf | None = None,
) -> dict[str, Any]:
    """The proof of these facts under a checkpoint of ``size`` facts: ``under`` (its origin, text
    and root), or one made now. It is joined to an ``earlier`` one (its size and text).

    Raises `NotAsSigned`, `GapInLog`, `NotInOrder`.
    """
    old = earlier[0] if earlier is not None else 0
    indices = [row[0] - 1 for row in rows]
    if indices and min(indices) < 0:
        raise NotInOrder(min(indices) + 1)
    made = tree(size, indices, old) if tree is not None else tree_of(store.log, size, indices, old)
    root = made.root()
    if under is not None and root != under[2]:
        raise NotAsSigned
    return {
        "format": FORMAT,
        "origin": under[0] if under is not None else origin_of(store),
        "checkpoint": under[1] if under is not None else signed(store, root, size),
        "entries": [entry_shown(row, made) for row in rows],
        "consistency": {"checkpoint": earlier[1], "path": joined(old, made)}
        if earlier is not None and old
        else None,
        "says": _says(store, rows),
    }


def _says(store: Store, rows: Sequence[Row]) -> dict[str, str]:
    """What the proof tells and what it does not; of facts that were sealed later, when."""
    since = sealed_at_once(store.log)
    if since is None or not rows or rows[0][0] > since.head:
        return SAYS
    zh, en = moment(since.at, "zh"), moment(since.at, "en")
    return {
        "zh": f"{SAYS['zh']}第 {since.head} 条及以前的记录是 {zh} 一次加封的，"
        "在那以前改过什么，封印看不出来，要凭那以前的检查点。",
        "en": f"{SAYS['en']} Up to record {since.head}, everything was hashed and sealed on {en}:"
        " what was changed before that no seal tells, only a checkpoint of then.",
    }


def as_file(proof: dict[str, Any]) -> str:
    """The proof as it is handed on."""
    return msgspec.json.format(msgspec.json.encode(proof)).decode() + "\n"
