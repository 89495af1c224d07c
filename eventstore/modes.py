"""Who may read what lies in a data folder: its owner, and nobody else.

Databases hold names in clear. Folders are 0700 and files 0600 from their first byte, and what an
earlier program left open is closed when the store is opened again.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
PASSED_THROUGH = 0o711
"""Of the folder of a trial: its PostgreSQL runs as another user, and must get to its own folder."""
TRIAL = "postgres"
PRIVATE = ("*.sqlite*", "vault.key*", "seal.key*", "secrets", "secrets/*_url")
"""What in a data folder is nobody else's; databases with what SQLite and we lay beside them."""
READ_OR_WRITTEN, ENTERED = 0o066, 0o011


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner enters; close an older one, and what lies in it, to others.

    What belongs to another user, and a folder that many share (a sticky one), stays as it is.
    Raises what `Path.mkdir` raises.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    if folder.stat().st_mode & stat.S_ISVTX:
        return
    for path, _ in standing_open(folder):
        with suppress(OSError):
            if path != folder:
                path.chmod(FOLDER if path.is_dir() else FILE)
            else:
                path.chmod(PASSED_THROUGH if (folder / TRIAL).is_dir() else FOLDER)


def make_private(path: Path) -> None:
    """Let a file begin as its owner's; whoever opens it then says what is wrong with it.

    It is made and never opened here: SQLite's locks of this process would go when it is closed.
    """
    with suppress(OSError):
        os.mknod(path, FILE | stat.S_IFREG)


def standing_open(folder: Path) -> Iterator[tuple[Path, int]]:
    """What others can read or change in a data folder, the folder included, with its mode."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & READ_OR_WRITTEN:
        yield folder, mode
    for pattern in PRIVATE:
        for path in sorted(folder.glob(pattern)):
            with suppress(FileNotFoundError):
                mode = stat.S_IMODE(path.stat().st_mode)
                if mode & (READ_OR_WRITTEN if path.is_dir() else READ_OR_WRITTEN | ENTERED):
                    yield path, mode
