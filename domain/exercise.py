"""Exercise 演练 and real facts never meet (CAP ``status=Exercise``, domain.md §5)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.refusal import Refusal


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
