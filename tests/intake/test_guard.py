"""Hostile and broken files are refused before they cost anything (reliability.md S7)."""

import io
import resource
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from intake.guard import IntakeLimits, check_file
from intake.reader import open_list
from intake.refused import REASONS, FileRefused
from tests.intake.hostile import HOSTILE, package
from tests.intake.make import HEADER, household, workbook


def refusal(path: Path, limits: IntakeLimits | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as refused, open_list(path, limits=limits) as opened:
        for _ in opened.rows:
            pass
    return refused.value


def peak_mib() -> float:
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return here / 1024


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason_and_little_memory(
    kind: str, tmp_path: Path
) -> None:
    make, code = HOSTILE[kind]
    path = tmp_path / "list.xlsx"
    make(path)
    before = peak_mib()
    refused = refusal(path)
    assert refused.code == code
    assert refused.reason_zh
    assert refused.reason_en
    assert peak_mib() - before < 50


def test_the_corpus_has_at_least_the_twelve_kinds_the_plan_names() -> None:
    assert len(HOSTILE) >= 12


def test_a_workbook_of_a_java_program_with_zip64_records_is_read(tmp_path: Path) -> None:
    plain = workbook(tmp_path / "plain.xlsx", [HEADER, household(1)])
    wide = tmp_path / "wide.xlsx"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(wide, "w") as target:
        for member in source.infolist():
            with target.open(member.filename, "w", force_zip64=True) as out:
                out.write(source.read(member))
    _add_zip64_end(wide)
    with open_list(wide) as opened:
        assert len(list(opened.rows)) == 1


def _add_zip64_end(path: Path) -> None:
    """Write the wide end records that Java programs write whether needed or not."""
    raw = path.read_bytes()
    end = raw.rfind(b"PK\x05\x06")
    count = int.from_bytes(raw[end + 10 : end + 12], "little")
    size = int.from_bytes(raw[end + 12 : end + 16], "little")
    start = int.from_bytes(raw[end + 16 : end + 20], "little")
    eight = [value.to_bytes(8, "little") for value in (44, count, count, size, start, end)]
    record = b"PK\x06\x06" + eight[0] + b"\x2d\0\x2d\0" + bytes(8) + b"".join(eight[1:5])
    locator = b"PK\x06\x07" + bytes(4) + eight[5] + (1).to_bytes(4, "little")
    path.write_bytes(raw[:end] + record + locator + raw[end:])


def test_a_zip64_record_cannot_hide_too_many_members(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with package(path, {}) as book:
        for number in range(300):
            book.writestr(zipfile.ZipInfo(f"xl/media/{number}"), b"")
    _add_zip64_end(path)
    raw = bytearray(path.read_bytes())
    end = raw.rfind(b"PK\x05\x06")
    raw[end + 8 : end + 12] = bytes(4)
    path.write_bytes(raw)
    assert refusal(path).code == "too-many-members"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("list.csv", b"", "file-empty"),
        ("list.csv", "户主姓名\0,x".encode(), "text-has-nul"),
        ("list.csv", "户主姓名,x".encode("utf-16"), "text-is-utf16"),
        ("list.csv", b"\xff\xff\xff\xff", "text-encoding-unknown"),
        ("list.csv", b"PK\x03\x04" + bytes(30), "file-wrong-magic"),
        ("list.csv", b"\xd0\xcf\x11\xe0", "file-old-or-encrypted"),
        ("list.csv", '姓名,身份证号\n"张'.encode(), "csv-broken"),
        ("list.csv", "甲,乙\n1,2\n".encode(), "list-missing"),
        ("list.xlsm", b"PK\x03\x04", "macro"),
        ("list.xls", b"x", "file-old-or-encrypted"),
        ("list.pdf", b"%PDF", "file-type-unknown"),
    ],
)
def test_other_files_that_are_no_list_say_what_to_do(
    name: str, content: bytes, code: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path).code == code


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.xlsx").code == "file-missing"
    assert refusal(tmp_path).code in ("file-missing", "file-type-unknown")


def test_the_limits_are_settings(tmp_path: Path) -> None:
    rows = [HEADER, *(household(n) for n in range(60))]
    path = workbook(tmp_path / "list.xlsx", rows)
    limits = IntakeLimits()
    assert refusal(path, replace(limits, packed_bytes=1000)).code == "file-too-big"
    assert refusal(path, replace(limits, unpacked_bytes=1000)).code == "unpacked-too-big"
    assert refusal(path, replace(limits, members=3)).code == "too-many-members"
    assert refusal(path, replace(limits, rows=10)).code == "too-many-rows"
    assert refusal(path, replace(limits, columns=4)).code == "too-many-columns"
    assert refusal(path, replace(limits, stall_seconds=0.0)).code == "too-much-time"


def test_a_csv_over_the_limits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    lines = [",".join(HEADER), *(",".join(map(str, household(n))) for n in range(60))]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert refusal(path, IntakeLimits(rows=10)).code == "too-many-rows"
    assert refusal(path, IntakeLimits(columns=3)).code == "too-many-columns"
    long = refusal(path, IntakeLimits(cell=17))
    assert (long.code, long.facts["row"]) == ("cell-too-long", 2), "an ID number has 18"
    assert "第 2 行" in long.reason_zh


def test_a_parser_that_dies_of_memory_or_time_is_a_refusal(tmp_path: Path) -> None:
    rows = [HEADER, *(household(n % 90) for n in range(3_000))]
    path = workbook(tmp_path / "list.xlsx", rows)
    limits = IntakeLimits()
    assert refusal(path, replace(limits, memory_bytes=1)).code == "too-much-memory"
    assert refusal(path, replace(limits, cpu_seconds=0)).code == "too-much-time"


def test_every_reason_is_a_sentence_in_two_languages() -> None:
    for code, (zh, en) in REASONS.items():
        assert any("\u4e00" <= character <= "\u9fff" for character in zh), code
        assert en.isascii() or "户主" in en, code


def test_the_guard_leaves_the_file_at_its_start(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", [HEADER, household(1)])
    file = io.BytesIO(path.read_bytes())
    assert check_file(file, path.name, IntakeLimits()).kind == "xlsx"
    assert file.tell() == 0
