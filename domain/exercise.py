"""Exercise 演练 and real facts never meet (CAP ``status=Exercise``, domain.md §5)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from domain.refusal import Refusal

AS_THE_STORE: Final[Any] = None
"""``exercise`` where a command does not say it: a training store's is an exercise, else it is in
earnest. It is filled in before anything is decided (`eventstore.deciding.settled`)."""


@dataclass(eq=False)
class TrainingOnly(Refusal):
    """A training store never becomes a real one: nothing in it is in earnest (decision 0061)."""

    zh: ClassVar[str] = (
        "这里是演练账本，所有记录都是演练，不能登记真实业务：真实业务请在正式账本办理"
    )
    en: ClassVar[str] = (
        "This is a training store: everything in it is an exercise. What is real belongs in the "
        "real one."
    )


@dataclass(eq=False)
class ExerciseMixed(Refusal):
    """A real thing was used in an exercise, or an exercise's thing in earnest."""

    zh: ClassVar[str] = "这个{kind}（{id}）的演练标记为 {exercise}，演练与真实业务不得混用"
    en: ClassVar[str] = (
        "For this {kind} ({id}) the mark of an exercise is {exercise}: "
        "real and exercise never meet."
    )
    kind: str
    id: UUID
    exercise: bool


def keep_apart(kind: str, id: UUID, *, exercise: bool, wanted: bool) -> None:
    """Refuse with `ExerciseMixed` unless the thing's ``exercise`` mark is the wanted one."""
    if exercise is not wanted:
        raise ExerciseMixed(kind=kind, id=id, exercise=exercise)
