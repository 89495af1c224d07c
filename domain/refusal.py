"""How the domain says no: one named class a rule, with ids and figures, in two languages."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.telling import Names, told, yuan


@dataclass(eq=False)
class Refusal(Exception):
    """A rule said no. Subclasses are dataclasses whose fields are the ids and figures.

    ``zh`` and ``en`` are sentences a village officer understands; they are format strings over
    the fields. ``status`` is the HTTP status the edge answers with.
    """

    status: ClassVar[int] = 409
    zh: ClassVar[str] = "操作被规则拒绝"
    en: ClassVar[str] = "A rule refuses this."

    def __str__(self) -> str:
        return self.sentence("en")

    @classmethod
    def code(cls) -> str:
        """Stable name of the rule, e.g. ``stock-exhausted``: the ``type`` of the HTTP problem."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @property
    def opens_at(self) -> datetime | None:
        """When time alone will have lifted it; None where it takes somebody's deed."""
        return None

    def facts(self) -> dict[str, Any]:
        """The ids and figures of this refusal, as JSON-ready values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def sentence(self, language: str, names: Names | None = None) -> str:
        """What to tell a person: with names where ``names`` has them, never with an id."""
        template = self.zh if language == "zh" else self.en
        return told(template, self.facts(), language, names)


def refusal_of(check: Callable[..., object], *given: Any, **named: Any) -> Refusal | None:
    """What a check that raises would say, as an answer. None if it lets it pass."""
    try:
        check(*given, **named)
    except Refusal as refusal:
        return refusal
    return None


@dataclass(eq=False)
class NotFound(Refusal):
    """No such thing, or not for you: outside a jurisdiction the answer is the same."""

    status: ClassVar[int] = 404
    zh: ClassVar[str] = "找不到这个{kind}，或不在您的辖区内"
    en: ClassVar[str] = "There is no such {kind}, or it is outside your jurisdiction."
    kind: str
    id: UUID


@dataclass(eq=False)
class NotYourRole(Refusal):
    """Inside the jurisdiction, but no post of this officer may do it.

    ``needed``: keys of the roles that may, by commas; empty where nobody may. The sentences say
    them as people do.
    """

    status: ClassVar[int] = 403
    zh: ClassVar[str] = "您的岗位无权办理此事项，需要：{needed}"
    en: ClassVar[str] = "None of your posts may do this. It takes: {needed}."
    needed: str

    def sentence(self, language: str, names: Names | None = None) -> str:
        if not self.needed:
            nobody = ("您的岗位无权办理此事项", "None of your posts may do this.")
            return nobody[0 if language == "zh" else 1]
        return super().sentence(language, names)


@dataclass(eq=False)
class Malformed(Refusal):
    """A value that cannot be what it says it is: names the field, the value and the rule."""

    status: ClassVar[int] = 422
    zh: ClassVar[str] = "“{field}”的值 {value} 不符合要求：{rule_zh}"
    en: ClassVar[str] = "{field} = {value} is not acceptable: {rule_en}"
    field: str
    value: str
    rule_zh: str
    rule_en: str

    def sentence(self, language: str, names: Names | None = None) -> str:
        """Money of a field in fen is said in yuan, and nothing of a value that is not there."""
        facts = self.facts()
        if self.field.endswith("_fen") and re.fullmatch(r"-?\d+", self.value):
            facts["value"] = yuan(int(self.value), language)
        template = self.zh if language == "zh" else self.en
        if not self.value.strip():
            template = template.replace(" = {value}", "").replace("的值 {value} ", "的值")
            facts.pop("value")
        return told(template, facts, language, names)


def missing(field: str) -> Malformed:
    """The refusal of a form without a value it needs."""
    return Malformed(field=field, value="", rule_zh="不能为空", rule_en="it is required")


@dataclass(eq=False)
class AlreadyExists(Refusal):
    zh: ClassVar[str] = "这个{kind}已经存在（{id}）"
    en: ClassVar[str] = "This {kind} ({id}) exists already."
    kind: str
    id: UUID


@dataclass(eq=False)
class IdNotFresh(Refusal):
    """A new thing came under an id that no client may choose, or a derived one under another."""

    status: ClassVar[int] = 422
    zh: ClassVar[str] = "新事项的编号须随机生成，请重新打开页面后再填"
    en: ClassVar[str] = "The id of something new must be made at random (UUID version 4 or 7)."
    kind: str
    id: UUID


@dataclass(eq=False)
class MovedOn(Refusal):
    """Somebody took a step of it since you looked (``If-Match``)."""

    status: ClassVar[int] = 412
    zh: ClassVar[str] = "您打开之后，这个{kind}（{id}）已有新的办理，请核对后再提交"
    en: ClassVar[str] = (
        "This {kind} {id} has gone on since you opened it: look again before you send."
    )
    kind: str
    id: UUID


@dataclass(eq=False)
class ChangedMeanwhile(Refusal):
    """Somebody changed it since you looked (``If-Match``)."""

    status: ClassVar[int] = 412
    zh: ClassVar[str] = "您打开之后，这个{kind}（{id}）已被更新（现为第{version}版），请刷新后再试"
    en: ClassVar[str] = (
        "This {kind} {id} has changed since you saw it (now version {version}). Reload."
    )
    kind: str
    id: UUID
    version: int
