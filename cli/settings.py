"""All settings, frozen: from ``RELIEF_…`` variables, then ``relief.toml``, then these defaults.

Nobody else reads the environment (the kill tests' fault switch apart). What is secret may come by
file: ``RELIEF_DATABASE_URL_FILE`` names a file that holds what ``RELIEF_DATABASE_URL`` would.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from domain.world import Role

PREFIX = "RELIEF_"


def secret(description: str) -> Any:
    """A setting that is never shown, and may come by file."""
    return Field(None, repr=False, description=description, json_schema_extra={"secret": True})


class FileSource(PydanticBaseSettingsSource):
    """Secrets by file, as container engines give them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        extra = field.json_schema_extra
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if not path or not isinstance(extra, dict) or not extra.get("secret"):
            return None, field_name, False
        return Path(path).read_text(encoding="utf-8").strip(), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """What an operator may set. Each field is ``RELIEF_<NAME>``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file="relief.toml", frozen=True, extra="ignore"
    )

    data: Path = Field(Path("var"), description="Folder of log, vault and views")
    host: str = Field("127.0.0.1", description="Address to serve on")
    port: int = Field(
        8080, ge=0, le=65535, description="Port; the next free one if it is taken, but in a cluster"
    )
    public_url: str = Field(
        "", description="Address under which officers reach the pages, for links; unset: host, port"
    )
    secure_cookies: bool = Field(False, description="Set where the pages are served over HTTPS")
    after_wait_seconds: float = Field(5.0, gt=0, le=60, description="How long `after=` may wait")
    clock_leap_seconds: float = Field(
        300, gt=0, description="A machine's clock that leaps further is not believed"
    )
    clock_gap_days: float = Field(
        30, gt=0, description="A start so long after the newest fact is told"
    )
    disk_left_bytes: int = Field(
        512 * 1024 * 1024, ge=0, description="With less of the disk left doctor objects"
    )
    backup_days: float = Field(7, gt=0, description="Doctor objects to a last backup that is older")
    follower: Literal["process", "thread"] = Field(
        "process", description="Where a server on one machine folds: beside itself, or in itself"
    )
    backups: Path | None = Field(
        None, description="Folder of backups that the server makes; unset: backups in `data`"
    )
    checkup_seconds: float = Field(
        30, gt=0, description="How long the page of the system waits before it looks again"
    )
    watch_seconds: float = Field(
        30, ge=0, description="Between two readings of the whole log for changes by hand; 0: none"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    trusted_proxies: str = Field(
        "", description="Proxies whose X-Forwarded-For is believed: addresses, networks, by commas"
    )
    header_bytes: int = Field(
        32 * 1024, ge=1024, description="Bytes of a request's first line and headers"
    )
    headers: int = Field(100, ge=10, description="Headers of a request")
    header_seconds: float = Field(10.0, gt=0, description="Until a request's headers have come")
    body_seconds: float = Field(30.0, gt=0, description="Until a body has come, however slowly")
    body_bytes_a_second: int = Field(
        4 * 1024, ge=1, description="Beyond that a body has to come at this rate"
    )
    request_seconds: float = Field(
        60.0, gt=0, description="Until a request is answered; live boards are not meant"
    )
    unread_seconds: float = Field(
        30.0, gt=0, description="How long a client may leave an answer unread"
    )
    connections: int = Field(1_000, ge=1, description="Open connections of one process")
    connections_an_address: int = Field(
        500, ge=1, description="Open connections of one address that is no trusted proxy"
    )
    body_bytes: int = Field(1024 * 1024, ge=4096, description="Bytes of a command's body")
    bulk_body_bytes: int = Field(
        4 * 1024 * 1024, ge=4096, description="Bytes of the body of a command with many rows"
    )
    held_body_bytes: int = Field(
        64 * 1024 * 1024,
        ge=64 * 1024,
        description="Bytes of large bodies that one process has in hand at a time",
    )
    rows: int = Field(2_000, ge=1, description="Rows of one command (households, areas, grants)")
    facts_a_command: int = Field(20_000, ge=100, description="Facts that one command may make")
    rows_a_batch: int = Field(
        4_000, ge=1, description="Rows of commands that are committed together"
    )
    snapshot_facts: int = Field(
        500, ge=1, description="Facts of one thing after which its state is kept anew beside them"
    )
    after_ahead: int = Field(
        0, ge=0, description="How far beyond the log's head `after=` may lie before it is refused"
    )
    boards: int = Field(500, ge=1, description="Live boards open at a time in one process")
    boards_an_officer: int = Field(20, ge=1, description="Live boards of one officer at a time")
    reports_an_hour: int = Field(
        20_000, ge=1_000, description="Reports and dispatches of one officer; never nothing"
    )
    streams_an_hour: int = Field(
        5_000, ge=1, description="New things (households, cases, funds …) one officer may begin"
    )
    contests_an_hour: int = Field(
        40, ge=1, description="People claimed by others whom one officer may register"
    )
    streams_an_hour_of_role: dict[Role, PositiveInt] = Field(
        {Role.VILLAGE_REPORTER: 2_000},
        description="Likewise for who has no post but of this role, as JSON",
    )
    unsealings_an_hour: int = Field(
        60, ge=1, description="Openings of personal data by one officer"
    )
    searches_a_minute: int = Field(120, ge=1, description="Searches by name of one officer")
    log_ins_waiting: int = Field(16, ge=1, description="Log-ins that wait for their turn")
    import_bytes: int = Field(
        8 * 1024 * 1024, ge=4096, description="Bytes of a household list that is sent"
    )
    import_rows: int = Field(20_000, ge=1, description="Rows of a household list that is sent")
    imports_an_officer: int = Field(3, ge=1, description="Lists of one officer that are under way")
    imports_waiting: int = Field(20, ge=1, description="Lists of the store that are under way")
    address_failures: int = Field(
        20, ge=1, description="Failed log-ins of one address in ten minutes"
    )

    second_factor_roles: frozenset[Role] = Field(
        frozenset(), description="Posts whose log-ins must have a second factor, as JSON"
    )

    oidc_issuer: str = Field(
        "", description="Address of an identity provider (OpenID Connect) to log in by; unset: none"
    )
    oidc_client_id: str = Field("", description="Under which name it knows this program")
    oidc_client_secret: str | None = secret("What it knows the program by; unset: PKCE alone")
    oidc_name: str = Field("统一身份认证", description="Its name on the button, in Chinese")
    oidc_name_en: str = Field("the identity platform", description="Likewise in English")
    oidc_login_claim: str = Field(
        "preferred_username", description="Which of its claims is an officer's log-in name"
    )
    oidc_login_claim_trusted: bool = Field(
        False, description="Whoever it names so is connected to that log-in name at once"
    )
    oidc_only_roles: frozenset[Role] = Field(
        frozenset(), description="Posts whose log-ins are by the provider alone, as JSON"
    )
    oidc_second_factors: frozenset[str] = Field(
        frozenset(),
        description="Its `acr` or `amr` values that count as a second factor, as JSON",
    )

    database_url: str | None = secret("PostgreSQL with the log (role relief_app); unset: SQLite")
    vault_url: str | None = secret("PostgreSQL with the vault (role relief_vault)")
    views_url: str | None = secret("PostgreSQL with the views (role relief_views)")
    read_url: str | None = secret(
        "PostgreSQL with the log for relay and workers (role relief_read); unset: database_url"
    )
    kafka: str | None = Field(None, description="Kafka's bootstrap servers, host:port,…")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How Kafka is spoken to; SSL means TLS"
    )
    kafka_ca: Path | None = Field(
        None, description="PEM file: who signs Kafka's certificates; unset: the machine's own list"
    )
    kafka_certificate: Path | None = Field(
        None, description="PEM file: our own certificate, where Kafka asks for one"
    )
    kafka_key: Path | None = Field(None, description="PEM file: the key of that certificate")
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How we log in to Kafka, where kafka_security says SASL"
    )
    kafka_user: str | None = Field(None, description="Our user at Kafka")
    kafka_password: str | None = secret("Its password")
    kafka_replication: int = Field(1, ge=1, description="Copies that Kafka keeps of each topic")
    kafka_min_insync: int = Field(
        0, ge=0, description="Copies that must have a message; 0: two where there are two"
    )
    kafka_frames_days: float = Field(
        3.0, gt=0, description="How long Kafka keeps relief.frames; older facts come from the log"
    )
    kafka_events_days: float = Field(
        7.0, gt=0, description="How long Kafka keeps relief.events: consumers must be faster"
    )
    events_topic: bool = Field(
        False, description="Send each fact to relief.events too, for other systems"
    )
    process: str = Field("", description="Name of this process in a cluster; `relief up` gives it")
    health_host: str = Field("127.0.0.1", description="Address of `/health` and `/metrics`")
    health_port: int = Field(
        0, ge=0, le=65535, description="Their port; 0: any free one, none for `serve`"
    )
    i_know_the_role_can_rewrite_the_log: bool = Field(
        False, description="Start even as a superuser, owner, or with UPDATE on facts"
    )

    admin_url: str | None = secret("PostgreSQL's administrator, for `relief db init` alone")
    app_password: str | None = secret("For relief_app, in `relief db init`; unset: made")
    vault_password: str | None = secret("For relief_vault, likewise")
    views_password: str | None = secret("For relief_views, likewise")
    read_password: str | None = secret("For relief_read, likewise")

    @property
    def log_url(self) -> str | None:
        """Where relay and workers read the log: they write no facts, and need no right to."""
        return self.read_url or self.database_url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, FileSource(settings_cls), toml


class SettingsWrong(Exception):
    """A setting cannot be what it says. What stands there is not told: it may be a secret."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def read_settings() -> Settings:
    """The settings, or `SettingsWrong`: in every command the first that is asked for."""
    try:
        return Settings()
    except ValidationError as problem:
        wrong = [(_named(one["loc"]), one["msg"]) for one in problem.errors(include_input=False)]
        names = "、".join(dict.fromkeys(name for name, _ in wrong))
        en = "; ".join(f"{name}: {message}" for name, message in wrong)
        raise SettingsWrong(f"设置 {names} 的值不符合要求", en) from None
    except SettingsError as problem:
        found = re.search(r'field "(\w+)"', str(problem))
        name = _named((found[1],) if found else ())
        raise SettingsWrong(f"设置 {name} 的值不是有效的 JSON", f"{name}: no JSON") from None
    except tomllib.TOMLDecodeError as problem:
        raise SettingsWrong("relief.toml 不是有效的 TOML 文件", f"relief.toml: {problem}") from None
    except OSError as problem:
        raise SettingsWrong(
            f"不能读取设置所指的文件 {problem.filename}",
            f"A file that the settings name cannot be read: {problem.filename}",
        ) from None


def _named(place: tuple[int | str, ...]) -> str:
    return f"{PREFIX}{place[0]}".upper() if place else "RELIEF_…"
