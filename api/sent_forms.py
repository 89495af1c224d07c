"""A form with one file, as browsers send lists: kept in memory, within the limits.

Starlette would put a file of more than a megabyte on the disk; lists name people with their ID
numbers, so it stays in memory here, and is counted among the large bodies that a process holds.
"""

import hashlib
import re
import unicodedata

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.bodies import Holding, too_large
from api.problems import ApiProblem

KIND = "multipart/form-data"
WITHOUT_FILE = "application/x-www-form-urlencoded"


async def sent_form(
    request: Request, most: int, setting: str, holding: Holding, *, fields: int
) -> FormData:
    """The form with at most one file and so many fields.

    413 beyond ``most`` bytes, or where the size is not announced; 415 for what is no form; 400 for
    a broken one; 503 while too much is being sent at once.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in (KIND, WITHOUT_FILE):
        raise ApiProblem(415, "not-multipart", f"请以 {KIND} 提交", f"Send the form as {KIND}.")
    announced = request.headers.get("content-length", "")
    if not announced.isdigit() or int(announced) > most:
        raise too_large(most, setting)
    holding.grow(int(announced))
    if kind == WITHOUT_FILE:
        return await request.form(max_fields=fields, max_part_size=most)
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=1, max_fields=fields, max_part_size=most
    )
    parser.spool_max_size = most + 1
    try:
        return await parser.parse()
    except MultiPartException as problem:
        raise ApiProblem(
            400, "form-broken", "提交的表单不完整，请重新提交", "The form is broken: send it again."
        ) from problem


async def file_of(form: FormData) -> tuple[str, bytes]:
    """The file's name, as it may be shown, and content; both empty where none was chosen."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        return "", b""
    return plain_file_name(file.filename or ""), await file.read()


def plain_file_name(name: str) -> str:
    """The name alone, without the folders that some programs send along, and without what nobody
    sees: a mark of direction in it shows a program as a list.

    >>> plain_file_name("C:\\\\名单\\\\a.csv"), plain_file_name("x\\u202evsc.exe.csv")
    ('a.csv', 'xvsc.exe.csv')
    """
    last = re.split(r"[/\\]", name)[-1]
    return "".join(one for one in last if unicodedata.category(one)[0] != "C").strip()


def digest_of(content: bytes) -> str:
    """By which a second step knows the file of the first."""
    return hashlib.sha256(content).hexdigest()
