"""Bytes as text that an address or a cookie may carry: base64url without padding (RFC 4648 §5).

The last character of such a text has bits that stand for nothing. The standard library ignores
them, so that four or sixteen texts mean the same bytes. Here one text means them: what was changed
on its way by a single character is refused, always.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def text_of(some: bytes) -> str:
    return urlsafe_b64encode(some).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    """The bytes whose text this is. Raises `ValueError` where `text_of` makes it of none."""
    some = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if text_of(some) != text:
        raise ValueError("not the text of any bytes")
    return some
