"""Files with certificates for Kafka that cannot be used: told at once, and by their names."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from streams.kafka import BusRefuses, Kafka
from streams.security import Security
from tests.certificates import Authority


@dataclass(frozen=True)
class Files:
    ca: Path
    certificate: Path
    key: Path
    other_key: Path
    locked: Path
    text: Path
    missing: Path
    folder: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    certificate, key = authority.certificate("ours")
    _, other = authority.certificate("other")
    locked, text = folder / "locked.key", folder / "text.pem"
    loaded = load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(
        loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    )
    text.write_text("no certificate")
    return Files(authority.ca, certificate, key, other, locked, text, folder / "none", folder)


WRONG = {
    "no authority": (("missing", None, None), "missing"),
    "a folder for an authority": (("folder", None, None), "folder"),
    "an authority that is none": (("text", None, None), "text"),
    "no certificate": (("ca", "missing", "key"), "missing"),
    "no key": (("ca", "certificate", "missing"), "missing"),
    "a certificate that is none": (("ca", "text", "key"), "text"),
    "another's key": (("ca", "certificate", "other_key"), "other_key"),
    "a key behind a password": (("ca", "certificate", "locked"), "locked"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_cannot_be_used_is_named(
    files: Files, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ssl` says "No such file or directory" of a file that it does not name, and asks the
    terminal for a key's password."""
    given, named = WRONG[case]
    ca, certificate, key = (None if one is None else getattr(files, one) for one in given)
    security = Security("SSL", ca=ca, certificate=certificate, key=key)
    with pytest.raises(BusRefuses) as refused:
        Kafka("127.0.0.1:1", security=security).admin()
    path = str(getattr(files, named))
    assert path in refused.value.zh and path in str(refused.value)
    assert "证书文件" in refused.value.zh


def test_files_that_can_be_used_are_not_refused(files: Files) -> None:
    security = Security("SSL", ca=files.ca, certificate=files.certificate, key=files.key)
    assert security.context() is not None
