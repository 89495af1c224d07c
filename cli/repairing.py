"""`relief doctor --repair`: what is derived from the log is made again from it."""

from enum import StrEnum

from cli.compose import open_store
from cli.settings import Settings


class Repair(StrEnum):
    """What can be made again from the log."""

    SEARCH = "search"
    ERASURES = "erasures"


def repair(settings: Settings, what: Repair) -> tuple[str, str]:
    """Make it again from the log; what was done, in both languages."""
    store = open_store(settings)
    try:
        if what is Repair.SEARCH:
            store.effects.erase()
            store.effects.rebuild()
            return "姓名索引已按账本重建", "The index of names was built again from the log."
        done = store.effects.erase_again()
        return (
            f"已按账本重新销毁 {done} 名人员的密钥和索引",
            f"Keys and index rows of {done} erased persons were destroyed again.",
        )
    finally:
        store.close()
