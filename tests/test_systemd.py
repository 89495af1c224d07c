"""The units of deploy/systemd start commands that exist, with settings that exist, and shut in."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.bus_settings import BusSettingsMissing, kafka_of
from cli.settings import PREFIX, Settings
from cli.up.programs import RESTING, programs
from streams.security import Security

ROOT = Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
INSTALLED = "/opt/relief/.venv/bin/relief"
INSTANCE = {"relief-api@": "8080", "relief-worker@": "1", "relief-backup@": "2026-01-31"}
MOST_EXPOSED = 30
"""Tenths of `systemd-analyze security`: 0 is shut, 100 may do anything."""
ANALYZE = shutil.which("systemd-analyze")


def read(unit: Path) -> dict[str, list[tuple[str, str]]]:
    """Section → names and values in their order; a name may come several times."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            section.append((name, value))
    return found


def service(unit: Path) -> list[tuple[str, str]]:
    return read(unit)["Service"]


def values(unit: Path, name: str) -> list[str]:
    return [value for found, value in service(unit) if found == name]


def here(unit: Path, folder: Path) -> Path:
    """The unit as it would be with the program where it lies here, and with an instance."""
    stem = unit.name.removesuffix(".service")
    copy = folder / f"{stem}{INSTANCE.get(stem, '')}.service"
    program = Path(sys.executable).parent / "relief"
    text = unit.read_text(encoding="utf-8").replace(INSTALLED, str(program))
    copy.write_text(text, encoding="utf-8")
    return copy


def test_there_are_units_for_each_way_to_run() -> None:
    assert {unit.name for unit in UNITS} == {
        "relief-serve.service",
        "relief-api@.service",
        "relief-relay.service",
        "relief-worker@.service",
        "relief-backup@.service",
    }


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze; the other tests parse")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    assert ANALYZE is not None
    copy = here(unit, tmp_path)
    verify = [ANALYZE, "verify", "--man=no", "--recursive-errors=no", str(copy)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.strip() == "", done.stderr
    copy.write_text(copy.read_text().replace("NoNewPrivileges=yes", "NoNewPrivilege=yes"))
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    assert "'NoNewPrivilege'" in done.stderr, "verify lets everything pass"


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze; the other tests parse")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_the_unit_shut_in(unit: Path, tmp_path: Path) -> None:
    assert ANALYZE is not None
    judge = [ANALYZE, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager"]
    done = subprocess.run(
        [*judge, str(here(unit, tmp_path))], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_its_command_runs(unit: Path, tmp_path: Path) -> None:
    (start,) = values(unit, "ExecStart")
    program, *words = start.split()
    assert program == INSTALLED
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words[:1], "--help"],
        cwd=ROOT,
        env={**os.environ, "RELIEF_DATA": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for option in (word for word in words if word.startswith("--")):
        assert option in done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_its_variables_are_settings_and_its_secrets_are_credentials(unit: Path) -> None:
    handed = {value.partition(":")[0] for value in values(unit, "LoadCredential")}
    asked = set()
    for given in values(unit, "Environment"):
        variable, _, value = given.partition("=")
        field = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
        extra = Settings.model_fields[field].json_schema_extra
        secret = isinstance(extra, dict) and bool(extra.get("secret"))
        assert secret == variable.endswith("_FILE"), variable
        if secret:
            assert value == f"%d/{field}"
            asked.add(field)
    assert asked == handed
    needed = {
        "relief-api@": {"database_url", "vault_url", "views_url"},
        "relief-relay": {"read_url", "views_url", "kafka_password"},
        "relief-worker@": {"read_url", "views_url", "kafka_password"},
    }
    assert handed == needed.get(unit.stem, set())
    # a file that is missing keeps a unit from starting, unless there is something in its place
    instead = {value.partition(":")[::2] for value in values(unit, "SetCredential")}
    assert instead == {("kafka_password", "\\n")} & {(one, "\\n") for one in handed}


def test_h11_without_a_password_for_kafka_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The units hand over an empty line where no file is: that must be none, and told as none."""
    (tmp_path / "kafka_password").write_text("\n")
    monkeypatch.setenv("RELIEF_KAFKA_PASSWORD_FILE", str(tmp_path / "kafka_password"))
    monkeypatch.delenv("RELIEF_KAFKA_PASSWORD", raising=False)
    assert kafka_of(Settings(kafka="127.0.0.1:9")).security == Security()
    with pytest.raises(BusSettingsMissing, match="RELIEF_KAFKA_PASSWORD"):
        kafka_of(Settings(kafka="127.0.0.1:9", kafka_security="SASL_SSL", kafka_user="relief"))
    (tmp_path / "kafka_password").write_text("秘密 word\n")
    there = kafka_of(Settings(kafka="127.0.0.1:9", kafka_security="SASL_SSL", kafka_user="relief"))
    assert there.security.password == "秘密 word"


def test_the_settings_file_names_settings() -> None:
    lines = (ROOT / "deploy" / "systemd" / "relief.env").read_text().splitlines()
    names = [found[1] for line in lines if (found := re.match(r"#?(RELIEF_\w+)=", line))]
    assert names
    for name in names:
        extra = Settings.model_fields[name.removeprefix(PREFIX).lower()].json_schema_extra
        assert not (isinstance(extra, dict) and extra.get("secret")), f"{name} is a secret"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_starts_again_unless_it_rests(unit: Path) -> None:
    for name, value in (("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("UMask", "0077")):
        assert values(unit, name) == [value]
    assert int(values(unit, "LimitNOFILE")[0]) >= 1024
    if values(unit, "Type") == ["oneshot"]:
        return
    assert values(unit, "Restart") == ["always"]
    assert values(unit, "RestartPreventExitStatus") == [str(RESTING)]
    longest = max(one.stop_seconds for one in programs(workers=1, api=1, env={}))
    assert float(values(unit, "TimeoutStopSec")[0]) > longest


def test_what_they_log_has_a_bound() -> None:
    """journald rotates by itself; the units' lines have a journal of their own."""
    assert {value for unit in UNITS for value in values(unit, "LogNamespace")} == {"relief"}
    parser = configparser.ConfigParser()
    parser.read(ROOT / "deploy" / "systemd" / "journald@relief.conf", encoding="utf-8")
    assert {"systemmaxuse", "maxretentionsec", "ratelimitburst"} <= set(parser["Journal"])
