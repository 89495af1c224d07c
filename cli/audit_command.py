"""`relief audit`: checkpoints of the log, proofs of facts, and reading it all again."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.console import Console

from api.noticing import WATCH
from audit.relief_verify import (
    FORMAT,
    Checkpoint,
    Unreadable,
    checkpoint_of,
    key_of,
    signers,
)
from audit.verifying import WHAT, Bad
from audit.witness import request_text
from cli.audit_examining import Read, examine
from cli.audit_watch import NICENESS, keep_watch, look
from cli.beside import settings_here
from cli.compose import open_store
from cli.saying import Json, failed, say_json
from cli.writing import To, write_new
from eventstore.checkpoints import SigningKey, origin_of
from eventstore.log import Row
from eventstore.outcomes import decode_outcome
from eventstore.proving import (
    MOST_FACTS,
    ROWS_AT_ONCE,
    GapInLog,
    Tree,
    entry_shown,
    joined,
    tree_of,
)
from eventstore.store import Store

app = typer.Typer(no_args_is_help=True, help="Proofs that nothing was changed.")
out = Console()
err = Console(stderr=True)

MOST_CHECKPOINT_BYTES = 100_000


@app.callback()
def audit() -> None:
    """Proofs that nothing was changed 核验."""


@app.command()
def key() -> None:
    """The line by which others know this store's signatures."""
    store = open_store(settings_here())
    try:
        typer.echo(SigningKey(store.vault, origin_of(store)).published)
    finally:
        store.close()


@app.command()
def checkpoint(to: To = None) -> None:
    """Sign what the log is now: keep it elsewhere, and later changes are noticed."""
    store = open_store(settings_here())
    try:
        size = store.head()
        write_new(to, _signed(store, _tree(store, size).root(), size))
    finally:
        store.close()
    if to is not None:
        out.print(
            f"已签出检查点（{size} 条），请存放到别处 · a checkpoint of {size} facts: keep it"
            " elsewhere",
            highlight=False,
        )


Seen = Annotated[
    Path | None,
    typer.Option("--from-checkpoint", help="One that the reader has kept: it is joined to it"),
]


@app.command()
def request(to: To = None, seen: Seen = None) -> None:
    """Sign what the log is now, for a witness to sign too: joined to the last one that it signed
    (none: the first time)."""
    store = open_store(settings_here())
    try:
        size = store.head()
        earlier = _earlier(store, seen, origin_of(store))
        old = earlier.size if earlier is not None else 0
        tree = _tree(store, size, old=old)
        path = joined(old, tree) if old else []
        write_new(to, request_text(old, path, _signed(store, tree.root(), size)))
    finally:
        store.close()


def _earlier(store: Store, seen: Path | None, origin: str) -> Checkpoint | None:
    """The checkpoint that the reader has kept. Exits when it is of another origin, as after a
    restore: who checks joins no two origins, and would take the proof for a broken one."""
    if seen is None:
        return None
    (found,) = _kept(store, [seen])
    if found.origin != origin:
        raise failed(
            f"{seen} 是“{found.origin}”的检查点，与“{origin}”接不上：账本恢复、复制或接管以后另起"
            "一本，请不带 --from-checkpoint 重新出具",
            f"{seen} is of {found.origin} and cannot be joined to {origin}, which a restore, copy"
            " or promotion began: leave out --from-checkpoint.",
        )
    return found


def _tree(store: Store, size: int, indices: Sequence[int] = (), old: int = 0) -> Tree:
    if old > size:
        raise failed(
            f"账本只有 {size} 条，比给出的检查点（{old} 条）短",
            f"The log has {size} facts, fewer than the checkpoint given ({old}).",
        )
    try:
        return tree_of(store.log, size, indices, old)
    except GapInLog as gap:
        raise _gap(gap) from None


def _signed(store: Store, root: bytes, size: int) -> str:
    signing = SigningKey(store.vault, origin_of(store))
    return signing.signed(size, root, store.clock.now())


def _gap(gap: GapInLog) -> typer.Exit:
    return failed(
        f"第 {gap.position} 条记录不在账本里，请运行 relief audit verify",
        f"Fact {gap.position} is missing in the log: relief audit verify tells more.",
    )


# -- proofs ------------------------------------------------------------------------------------


@app.command()
def prove(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RECEIPT|HOUSEHOLD|DOCUMENT",
            help="Id of a command or of a household (or fund, list …), a document number, or a"
            " position",
        ),
    ],
    to: To = None,
    seen: Seen = None,
    under: Annotated[
        Path | None,
        typer.Option(help="A checkpoint that a witness has signed, in place of one made now"),
    ] = None,
) -> None:
    """Prove facts to a stranger, who checks them with relief_verify.py alone."""
    store = open_store(settings_here())
    try:
        signed = _kept(store, [under])[0] if under is not None else None
        size = signed.size if signed is not None else store.head()
        origin = signed.origin if signed is not None else origin_of(store)
        earlier = _earlier(store, seen, origin)
        rows = facts_of(store, what, size)
        text = proof(store, rows, size, earlier, signed)
    finally:
        store.close()
    write_new(to, text)
    if to is not None:
        out.print(f"已写出 {len(rows)} 条记录的证明 · {len(rows)} facts proven", highlight=False)


def facts_of(store: Store, what: str, size: int) -> list[Row]:
    """The rows that are meant, in order. Exits when there are none, or too many."""
    rows = list(_meant(store, what.strip(), size))
    if not rows:
        raise failed(f"账本中没有“{what}”", f"The log has nothing called {what}.")
    if len(rows) > MOST_FACTS:
        raise failed(
            f"“{what}”有 {len(rows)} 条记录，一份证明最多 {MOST_FACTS} 条",
            f"{what} has {len(rows)} facts; {MOST_FACTS} are proven at most at once.",
        )
    return sorted(rows)


def _meant(store: Store, what: str, size: int) -> Iterable[Row]:
    log = store.log
    try:
        id_ = UUID(what)
    except ValueError:
        if what.isdecimal() and len(what) < 19:
            return log.rows(int(what) - 1, 1, min(int(what), size))
        return _naming(store, what, size)
    for _, _, _, outcome in log.outcomes([id_]):
        told = decode_outcome(bytes(outcome))
        return log.rows(told.position - told.facts, told.facts, min(told.position, size))
    return log.stream_rows(id_, upto_position=size)


def _naming(store: Store, document: str, size: int) -> Iterator[Row]:
    """Facts that bear this document number, wherever in them it stands."""
    wanted = msgspec.json.encode(document)
    after = found = 0
    while (rows := store.log.rows(after, ROWS_AT_ONCE, size)) and found <= MOST_FACTS:
        for row in rows:
            if wanted in bytes(row[4]):
                found += 1
                yield row
        after = rows[-1][0]


def proof(
    store: Store,
    rows: Sequence[Row],
    size: int,
    earlier: Checkpoint | None = None,
    signed: Checkpoint | None = None,
) -> str:
    """The proof of these facts under a checkpoint of ``size`` facts: ``signed``, or one made now.
    It is joined to an ``earlier`` one. Exits when the log is not what was signed."""
    old = earlier.size if earlier is not None else 0
    tree = _tree(store, size, [row[0] - 1 for row in rows], old)
    root = tree.root()
    if signed is not None and root != signed.root:
        raise failed(
            "账本与给出的检查点不符，请运行 relief audit verify",
            "The log is not what was signed: relief audit verify tells more.",
        )
    made = {
        "format": FORMAT,
        "origin": signed.origin if signed is not None else origin_of(store),
        "checkpoint": signed.text if signed is not None else _signed(store, root, size),
        "entries": [entry_shown(row, tree) for row in rows],
        "consistency": {"checkpoint": earlier.text, "path": joined(old, tree)}
        if earlier is not None and old
        else None,
        "says": SAYS,
    }
    return msgspec.json.format(msgspec.json.encode(made)).decode() + "\n"


SAYS = {
    "zh": "本证明说明：所列记录在签出检查点时就在账本里，位置和内容与所示一致。"
    "它不说明：没有别的记录、记录所说属实；账本整体是否被改过，由 relief audit verify 核对。",
    "en": "It proves that these facts stood in the log when the checkpoint was signed, at these"
    " places and as shown. It does not prove that there are no others, nor that what they say is"
    " true; whether anything in the whole log was changed, relief audit verify tells.",
}


# -- reading it all again ----------------------------------------------------------------------


@app.command()
def verify(
    kept: Annotated[
        list[Path] | None,
        typer.Option("--from-checkpoint", help="A checkpoint that was kept elsewhere; repeatable"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read the whole log again: nothing missing, nothing changed since the checkpoints kept."""
    store = open_store(settings_here())
    try:
        known = _kept(store, kept or ())
        size = store.head()
        began = time.perf_counter()
        read = examine(store, size, known)
        whole = time.perf_counter() - began
    finally:
        store.close()
    report = _report(read, size, whole, known)
    if as_json:
        say_json(report)
    else:
        _tell(report)
    if not report["ok"]:
        raise typer.Exit(1)


@app.command()
def watch(
    once: Annotated[bool, typer.Option(help="One round only; exit 1 when it finds something")] = (
        False
    ),
    parent: Annotated[int | None, typer.Option(help="Ends with that process", hidden=True)] = None,
) -> None:
    """Read the log again and again, and raise an alarm on the boards when it was changed."""
    os.nice(NICENESS)
    settings = settings_here()
    if not once:
        keep_watch(settings, parent)
        return
    store = open_store(settings)
    try:
        bad = look(store, settings.data / WATCH)
    finally:
        store.close()
    if bad is not None:
        say_bad(bad)
        raise typer.Exit(1)


def _kept(store: Store, files: Iterable[Path]) -> list[Checkpoint]:
    """Checkpoints of this log, signed by its key. Exits on any other."""
    found: list[Checkpoint] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                text = opened.read(MOST_CHECKPOINT_BYTES).decode()
            one = checkpoint_of(text)
            signed = signers(one, [key_of(SigningKey(store.vault, one.origin).published)])
        except (OSError, UnicodeDecodeError):
            raise failed(f"{file} 读不出来", f"{file} cannot be read.") from None
        except Unreadable as problem:
            raise failed(f"{file}：{problem.zh}", f"{file}: {problem.en}") from None
        if not signed:
            raise failed(f"{file} 不是这本账签出的检查点", f"{file} was not signed by this ledger.")
        found.append(one)
    return found


def _report(read: Read, size: int, whole: float, known: Sequence[Checkpoint]) -> dict[str, Any]:
    bad, sizes = read.examined.bad, [one.size for one in known]
    return {
        "facts": size,
        "head": size,
        "root": read.examined.root.hex() if bad is None else None,
        "seconds": round(whole, 3),
        "facts_per_second": round(size / read.seconds) if read.seconds else None,
        "ok": bad is None,
        "first_bad": bad and bad._asdict(),
        "checkpoints": {
            "checked": len(sizes),
            "oldest": min(sizes, default=None),
            "newest": max(sizes, default=None),
        },
    }


def _tell(report: dict[str, Any]) -> None:
    bad = report["first_bad"]
    if bad is None:
        checked = report["checkpoints"]["checked"]
        out.print(
            f"{report['facts']} 条记录完整，与 {checked} 个检查点一致 · {report['facts']} facts are"
            f" whole and agree with {checked} checkpoints\n{report['root']}",
            highlight=False,
        )
        if not checked:
            out.print(
                "没有给出检查点：改写过的账本可能仍然前后一致 · without a checkpoint kept elsewhere"
                " a log that was rewritten as a whole is not noticed",
                highlight=False,
            )
        return
    say_bad(Bad(**bad))


def say_bad(bad: Bad) -> None:
    """Where the log was changed, in words."""
    zh, en = WHAT[bad.what]
    at = "–".join(map(str, bad.between)) if bad.between else bad.position
    err.print(f"[red]第 {at} 条：{zh}[/red]\nAt {at}: {en}", highlight=False)
