"""A backup by the server itself, of a store in files: one at a time, into a folder of its own.

Of PostgreSQL a running server makes none: that is done by the database's own means. A backup is
made under another name and has its own when it is whole, so that one that was broken off is no
backup; the next one takes away what is left of it. Whole ones are never taken away here.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from api.errands import Advance, Errand
from api.rehearsing import rehearsed
from domain.rules.base import CHINA
from domain.store import Cause
from eventstore import backup as files
from eventstore.backups_known import BACKED_UP, Made, last_backup, last_tried, note, size_of
from eventstore.clock import machine_now
from eventstore.errors import StoreError, StoreFull, StoreLocked
from eventstore.lineage import begun_by
from eventstore.modes import FOLDER
from eventstore.store import Store

log = structlog.get_logger("relief.errands")
UNFINISHED: Final = ".unfinished"
OURS: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}(-[0-9]+)?")
"""How a backup of the server is called (`_name`)."""
COPIED: Final = (files.LOG, files.VAULT, files.KEY)


class NoRoomForBackup(StoreFull):
    zh = "磁盘空间不够再放一份备份：请清理空间，或设置 RELIEF_BACKUPS 指向另一块磁盘"
    en = "There is no room for another backup. Make room, or let RELIEF_BACKUPS name another disk."


class BackupFolderClosed(StoreError):
    zh = "无法使用存放备份的文件夹：请检查它是否存在、是不是文件夹，以及服务器用户能否读写"
    en = "The folder of backups cannot be used: see that it is a folder that the server may write."


class BackupGoesOn(StoreLocked):
    zh = "另一个进程正在备份，请稍后再试"
    en = "Another process is making a backup. Try again shortly."


class Backups:
    """Backups of one store: what is known of them, and, of files, one more on demand.

    ``data``: the store's folder. ``into``: where the server's own backups go; None where it makes
    none. ``days``: a backup older than that is told as too old. ``left``: bytes of the disk that
    a backup must not take.
    """

    def __init__(self, data: Path, into: Path | None, *, days: float, left: int) -> None:
        self._data = data
        self.into = into
        self.days = days
        self._left = left
        self.errand: Errand[Made] = Errand("backup", self._work)

    def told(self, store: Store) -> dict[str, Any]:
        """As the API and the pages say it; folders by their names alone."""
        last, tried = last_backup(self._data, store.log), last_tried(self._data, store.log)
        first, epoch = rehearsed(store.log), begun_by(store.log)
        standing = self.errand.standing
        failure = standing.failure
        restored = epoch is not None and epoch.cause is Cause.RESTORE
        return {
            "last": last and _plain(last),
            "too_old": last is None or (machine_now() - last.at).total_seconds() > self._seconds,
            "old_after_days": self.days,
            "tried": tried and _plain(tried),
            "rehearsed_at": first and first.at,
            "restored_at": epoch.meta.recorded_at if epoch is not None and restored else None,
            "here": self.into is not None,
            "folder": self.into.name if self.into is not None else None,
            "kept": len(self._whole()),
            "running": standing.running,
            "done": self._copied() if standing.running else 0,
            "of": self._needed(),
            "failure": failure and dict(zip(("zh", "en"), failure, strict=True)),
        }

    @property
    def _seconds(self) -> float:
        return self.days * 24 * 3600

    def _whole(self) -> list[Path]:
        """Finished backups that the server made."""
        with suppress(OSError):  # a folder that cannot be read is told by the next backup
            if self.into is not None and self.into.is_dir():
                return [one for one in self.into.iterdir() if _is_whole(one)]
        return []

    def _needed(self) -> int:
        """Bytes that a backup takes, about: what was written lately may lie beside its file."""
        beside = [f"{name}{end}" for name in (files.LOG, files.VAULT) for end in ("", "-wal")]
        return sum(_bytes(self._data / name) for name in (*beside, files.KEY))

    def _copied(self) -> int:
        assert self.into is not None
        found = 0
        for folder in self.into.glob(f"*{UNFINISHED}"):
            found += sum(_bytes(folder / name) for name in COPIED)
        return min(found, self._needed())

    def _work(self, _: Advance) -> Made:
        into = self.into
        assert into is not None
        try:
            into.mkdir(parents=True, exist_ok=True, mode=FOLDER)
            return self._in_turn(into)
        except OSError as problem:
            if problem.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoomForBackup(str(problem.strerror)) from problem
            log.warning("backup-folder", exc_info=problem)
            raise BackupFolderClosed(str(problem.strerror)) from problem

    def _in_turn(self, into: Path) -> Made:
        """The folder may be one that others use too: it stays as open as it is, and of what lies
        in it only what was begun here goes."""
        with _alone(into):
            for left in into.glob(f"*{UNFINISHED}"):
                if OURS.fullmatch(left.stem) and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
            # The vault's copy is packed once more when what stays behind was taken out of it.
            wanted = self._needed() + _bytes(self._data / files.VAULT)
            if shutil.disk_usage(into).free - wanted < self._left:
                raise NoRoomForBackup(f"{wanted} bytes are wanted")
            return self._made(into)

    def _made(self, into: Path) -> Made:
        at = machine_now()
        name = _name(at, lambda one: not (into / one).exists())
        folder = into / f"{name}{UNFINISHED}"
        try:
            manifest = files.backup(self._data, folder)
            folder.rename(into / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        made = Made(at, manifest.head, size_of(into / name), name)
        note(self._data, BACKED_UP, made)
        return made


def _name(at: datetime, free: Callable[[str], bool]) -> str:
    """By the time in China, for whoever looks into the folder."""
    name = f"{at.astimezone(CHINA):%Y-%m-%d-%H%M%S}"
    number, found = 1, name
    while not free(found):
        number += 1
        found = f"{name}-{number}"
    return found


def _is_whole(folder: Path) -> bool:
    return folder.suffix != UNFINISHED and (folder / files.MANIFEST).exists()


def _bytes(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0


def _plain(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time. Raises `BackupGoesOn`."""
    turn = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise BackupGoesOn("the folder of backups is locked") from problem
        yield
    finally:
        os.close(turn)
