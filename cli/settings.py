"""All settings, frozen: from ``RELIEF_…`` variables, then ``relief.toml``, then these defaults.

Nobody else reads the environment (the kill tests' fault switch apart).
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """What an operator may set. Each field is ``RELIEF_<NAME>``."""

    model_config = SettingsConfigDict(
        env_prefix="RELIEF_", toml_file="relief.toml", frozen=True, extra="ignore"
    )

    data: Path = Field(Path("var"), description="Folder of log, vault and views")
    host: str = Field("127.0.0.1", description="Address to serve on")
    port: int = Field(8080, ge=0, le=65535, description="Port; the next free one if it is taken")
    secure_cookies: bool = Field(False, description="Set where the pages are served over HTTPS")
    after_wait_seconds: float = Field(5.0, gt=0, le=60, description="How long `after=` may wait")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
