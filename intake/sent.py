"""A list that came by a request: read like a file on a disk, and never on one.

Lists name people with their ID numbers. What an officer sends lies in memory while it is read.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class SentFile:
    """Opened like a path: by one reader at a time, from the beginning."""

    name: str
    descriptor: int

    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO:
        again = os.dup(self.descriptor)
        os.lseek(again, 0, os.SEEK_SET)
        return os.fdopen(again, mode)


ListFile: TypeAlias = Path | SentFile


@contextmanager
def sent_file(name: str, content: bytes) -> Iterator[SentFile]:
    """The content as a file of that name, gone when left. A child process can be given it."""
    with _nameless() as file:
        file.write(content)
        file.flush()
        yield SentFile(name, file.fileno())


def _nameless() -> IO[Any]:
    """Memory with a descriptor; where the system has no such thing, a file without a name."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("relief-list", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()
