"""What a store is begun for, as its log keeps it: marks set before the first fact, never changed.

A store of one division never becomes that of another, a demo store never one's own, a training
store never a real one.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from api.choosing import Choice
from domain.refusal import Refusal
from eventstore.log import Log

BEGINNING: Final = "beginning"
"""The log's mark of what is begun here, set before the first fact and never changed."""
BEGUN: Final = "begun"
"""The mark of a store whose steps were all done."""
DEMO: Final = "demo"


@dataclass(eq=False)
class DemoStore(Refusal):
    """What is made up and what is real never meet in one store."""

    zh: ClassVar[str] = "这里是演示账本，不能在其中建立自己的账本：请另选数据目录（RELIEF_DATA）"
    en: ClassVar[str] = (
        "This is a demo store: one of your own needs another data folder (RELIEF_DATA)."
    )


@dataclass(eq=False)
class OtherDivision(Refusal):
    """One store is begun for one county, or for one city."""

    zh: ClassVar[str] = "这里已经是 {name} 的账本，不能改为其他区划：请另选数据目录或数据库"
    en: ClassVar[str] = (
        "This is the store of {name}: another division needs another data folder or database."
    )
    name: str


@dataclass(eq=False)
class OtherAdministrator(Refusal):
    """The first administrator is named once; all others are registered by them."""

    zh: ClassVar[str] = "本账本的第一位管理员已登记，登录名为“{login}”；其他人员由其登记"
    en: ClassVar[str] = (
        "The first administrator here is {login}. Everybody else is registered by them."
    )
    login: str


@dataclass(eq=False)
class OtherNature(Refusal):
    """What is practice and what is real never meet in one store, and neither becomes the other."""

    name: str


@dataclass(eq=False)
class IsTraining(OtherNature):
    zh: ClassVar[str] = (
        "这里是{name}的演练账本，永远不能改作正式账本：建立正式账本请另选数据目录（RELIEF_DATA）"
        "或数据库"
    )
    en: ClassVar[str] = (
        "This is the training store of {name} and can never become a real one: that needs another "
        "data folder (RELIEF_DATA) or database."
    )


@dataclass(eq=False)
class IsReal(OtherNature):
    zh: ClassVar[str] = (
        "这里是{name}的正式账本，不能改作演练账本：建立演练账本请另选数据目录（RELIEF_DATA）"
        "或数据库"
    )
    en: ClassVar[str] = (
        "This is the real store of {name} and can never become a training store: that needs "
        "another data folder (RELIEF_DATA) or database."
    )


def not_set_up(log: Log) -> bool:
    """Whether nobody can work here yet: nothing is begun, or what was begun is not finished."""
    if log.mark(BEGUN) is not None:
        return False
    return log.mark(BEGINNING) is not None or (log.mark(DEMO) is None and not log.head())


def begun_here(log: Log) -> Choice | None:
    """What this store is begun for; None: nothing yet, or it came to be in another way."""
    found = log.mark(BEGINNING)
    return msgspec.json.decode(found, type=Choice) if found is not None else None
