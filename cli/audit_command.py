"""`relief audit`: checkpoints of the log, proofs of facts, and reading it all again."""

import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from api.disowned import disowned_in, in_words
from api.watched import COSIGNED, WATCH, Cosigned, put, read
from audit.relief_verify import (
    COSIGNATURE,
    Checkpoint,
    Unreadable,
    checkpoint_of,
    key_of,
    signers,
)
from audit.verifying import WHAT, Bad
from audit.witness import request_text
from cli import audit_disown, audit_reseal
from cli.audit_examining import Read, examine
from cli.audit_readings import examine_readings
from cli.audit_watch import NICENESS, keep_watch, look
from cli.beside import settings_here
from cli.compose import open_store
from cli.saying import Json, failed, say_json
from cli.writing import To, write_new
from eventstore.checkpoints import SigningKey, origin_of
from eventstore.log import Row
from eventstore.proofs import (
    NoFact,
    NotAsSigned,
    NothingCalled,
    TooManyFacts,
    as_file,
    facts_of,
    proof_of,
)
from eventstore.proofs import signed as signed_now
from eventstore.proving import MOST_FACTS, GapInLog, NotInOrder, Tree, joined, tree_of
from eventstore.store import Store

app = typer.Typer(no_args_is_help=True, help="Proofs that nothing was changed.")
audit_disown.register(app)
audit_reseal.register(app)
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
        write_new(to, signed_now(store, _tree(store, size).root(), size))
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
        write_new(to, request_text(old, path, signed_now(store, tree.root(), size)))
    finally:
        store.close()


@app.command()
def keep(
    file: Annotated[Path, typer.Argument(help="What `relief witness sign` wrote")],
    witness: Annotated[str, typer.Option(help="The witness's line, as `relief witness key` says")],
) -> None:
    """Keep a checkpoint that came back from a witness: pages tell how old the last one is."""
    settings = settings_here()
    store = open_store(settings)
    try:
        (one,) = _kept(store, [file])
    finally:
        store.close()
    try:
        key = key_of(witness.strip())
        signed = signers(one, [key])
    except Unreadable as problem:
        raise failed(problem.zh, problem.en) from None
    if not signed or key.kind != COSIGNATURE:
        raise failed(f"{file} 没有这个见证单位的签名", f"{file} was not signed by that witness.")
    stamp = next(
        signature for name, id_, signature in one.signatures if (name, id_) == (key.name, key.id)
    )
    at = datetime.fromtimestamp(int.from_bytes(stamp[:8], "big"), UTC)
    there = settings.data / WATCH / COSIGNED
    last = read(there, Cosigned)
    if last is not None and last.facts > one.size and f"\n{one.origin}\n" in f"\n{last.text}":
        raise failed(
            f"已存有更新的一份（{last.facts} 条）",
            f"A newer one is kept already, of {last.facts} facts.",
        )
    put(there, msgspec.json.encode(Cosigned(one.size, key.name, at, one.text)))
    out.print(f"已存入，见证到第 {one.size} 条 · kept: witnessed up to {one.size}", highlight=False)


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
    except NotInOrder as row:
        raise _no_place(row) from None


def _gap(gap: GapInLog) -> typer.Exit:
    return failed(
        f"第 {gap.position} 条记录不在账本里，请运行 relief audit verify",
        f"Fact {gap.position} is missing in the log: relief audit verify tells more.",
    )


def _no_place(row: NotInOrder) -> typer.Exit:
    return failed(
        f"第 {row.position} 条不是账本该有的记录，请运行 relief audit verify",
        f"Row {row.position} has no place in the log: relief audit verify tells more.",
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
        rows = _facts(store, what.strip(), size)
        text = proof(store, rows, size, earlier, signed)
    finally:
        store.close()
    write_new(to, text)
    if to is not None:
        out.print(f"已写出 {len(rows)} 条记录的证明 · {len(rows)} facts proven", highlight=False)


def _facts(store: Store, what: str, size: int) -> list[Row]:
    """The rows that are meant, in order. Exits when there are none, or too many."""
    try:
        return facts_of(store, what, size, MOST_FACTS)
    except NothingCalled:
        raise failed(f"账本中没有“{what}”", f"The log has nothing called {what}.") from None
    except NoFact as row:
        raise failed(
            f"第 {row.position} 条不是程序写入的记录，不出证明",
            f"Record {row.position} is none of the program's: nothing is proven of it.",
        ) from None
    except TooManyFacts as many:
        raise failed(
            f"“{what}”有 {many.found} 条记录，一份证明最多 {MOST_FACTS} 条",
            f"{what} has {many.found} facts; {MOST_FACTS} are proven at most at once.",
        ) from None
    except NotInOrder as row:
        raise _no_place(row) from None
    except msgspec.MsgspecError:
        raise failed(
            f"“{what}”的办理结果读不出来，请运行 relief audit verify",
            f"What became of {what} cannot be read: relief audit verify tells more.",
        ) from None


def proof(
    store: Store,
    rows: Sequence[Row],
    size: int,
    earlier: Checkpoint | None = None,
    signed: Checkpoint | None = None,
) -> str:
    """The proof of these facts under a checkpoint of ``size`` facts: ``signed``, or one made now.
    It is joined to an ``earlier`` one. Exits when the log is not what was signed."""
    try:
        made = proof_of(
            store,
            rows,
            size,
            earlier=(earlier.size, earlier.text) if earlier is not None else None,
            under=(signed.origin, signed.text, signed.root) if signed is not None else None,
            tree=lambda size, indices, old: _tree(store, size, indices, old),
        )
    except NotAsSigned:
        raise failed(
            "账本与给出的检查点不符，请运行 relief audit verify",
            "The log is not what was signed: relief audit verify tells more.",
        ) from None
    return as_file(made)


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
        readings = examine_readings(store, known)
        whole = time.perf_counter() - began
        disowned = disowned_in(store)
    finally:
        store.close()
    report = _report(read, size, whole, known, disowned)
    report["readings"] = readings._asdict()
    report["ok"] = report["ok"] and readings.first_bad is None
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


def _report(
    read: Read, size: int, whole: float, known: Sequence[Checkpoint], disowned: list[dict[str, Any]]
) -> dict[str, Any]:
    bad, sizes = read.examined.bad, [one.size for one in known]
    return {
        "facts": size,
        "head": size,
        "root": read.examined.root.hex() if bad is None else None,
        "seconds": round(whole, 3),
        "facts_per_second": round(size / read.seconds) if read.seconds else None,
        "ok": bad is None,
        "first_bad": bad and bad._asdict(),
        "unsealed_batches": read.seals.unsealed_batches,
        "disowned": disowned,
        "outcomes": read.seals.outcomes,
        "marks": len(read.seals.marks),
        "checkpoints": {
            "checked": len(sizes),
            "oldest": min(sizes, default=None),
            "newest": max(sizes, default=None),
        },
    }


def _tell(report: dict[str, Any]) -> None:
    bad, reading = report["first_bad"], report["readings"]["first_bad"]
    for line in in_words(report["disowned"]):
        out.print(f"[yellow]{escape(line)}[/yellow]", highlight=False)
    if reading is not None:
        zh, en = WHAT["readings"]
        err.print(f"[red]第 {reading} 次查阅：{zh}[/red]\nReading {reading}: {en}", highlight=False)
    if bad is None and reading is None:
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
    if bad is not None:
        say_bad(Bad(**bad))


def say_bad(bad: Bad) -> None:
    """Where the log was changed, in words."""
    zh, en = WHAT[bad.what]
    at = "–".join(map(str, bad.between)) if bad.between else bad.position
    err.print(f"[red]第 {at} 条：{zh}[/red]\nAt {at}: {en}", highlight=False)
