"""A setting that cannot be is told as one, in a sentence; nothing that may be secret is shown."""

from pathlib import Path

import pytest

from tests.cli.test_beside import relief

CASES = {
    "a number": ({"RELIEF_PORT": "achtzig"}, "RELIEF_PORT"),
    "a choice": ({"RELIEF_KAFKA_SECURITY": "TLS"}, "RELIEF_KAFKA_SECURITY"),
    "a mapping": ({"RELIEF_STREAMS_AN_HOUR_OF_ROLE": "{"}, "RELIEF_STREAMS_AN_HOUR_OF_ROLE"),
    "a file": ({"RELIEF_DATABASE_URL_FILE": "/nowhere/database_url"}, "/nowhere/database_url"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_setting_that_cannot_be_is_named(case: str, tmp_path: Path) -> None:
    given, named = CASES[case]
    done = relief(tmp_path, "log", "stats", **given)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    zh, en = done.stderr.splitlines()
    assert "设置" in zh and named in zh and named in en


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "relief.toml").write_text("port = [")
    done = relief(tmp_path, "log", "stats")
    assert done.returncode == 2 and done.stderr.startswith("relief.toml 不是有效的 TOML")


WRONG = {
    "postgresq//relief_app:geheim@127.0.0.1/x": "地址写得不对",
    "postgresql://relief_app:ge heim@127.0.0.1/x": "地址写得不对",
    "postgresql://relief_app:geheim@[::1/x": "地址写得不对",
    "postgresql://relief_app:geheim@127.0.0.1:1/x?sslmode=verify-fully": "verify-fully",
    "postgresql://relief_app:geheim@127.0.0.1:1/x?sslrootcrt=ca.pem": "sslrootcrt",
    "postgresql://relief_app:geheim@127.0.0.1:99999/x": "99999",
    "postgresql://relief_app:geheim@127.0.0.1:1/x": "连接不上",
}


@pytest.mark.parametrize("address", WRONG)
def test_an_address_that_cannot_be_is_told_without_its_password(
    address: str, tmp_path: Path
) -> None:
    """It was told as a database that is away for a moment, and the password with it."""
    done = relief(tmp_path, "log", "stats", RELIEF_DATABASE_URL=address, RELIEF_VAULT_URL=address)
    assert done.returncode == 1
    assert WRONG[address] in done.stderr and "heim" not in done.stderr + done.stdout
    assert ("地址写得不对" in done.stderr) == (WRONG[address] != "连接不上")
