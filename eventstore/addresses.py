"""PostgreSQL's addresses, read without connecting: one refusal for all that cannot be read."""

from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from eventstore.errors import StoreAddressWrong


def url_of(address: str) -> URL:
    """As SQLAlchemy has it. Raises `StoreAddressWrong`, which does not quote the password in it."""
    try:
        return make_url(address)
    except (ArgumentError, ValueError):
        raise StoreAddressWrong from None


def split(address: str) -> SplitResult:
    """Its parts as they are written. Raises `StoreAddressWrong`."""
    url_of(address)
    try:
        return urlsplit(address)
    except ValueError:
        raise StoreAddressWrong from None
