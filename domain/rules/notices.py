"""Public notices 公示: how long they hang, what they show, when they come down (domain.md §6)."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

import msgspec

from domain.rules.base import Key, Problem

Days = Annotated[int, msgspec.Meta(ge=1, le=365)]
PublicField = Literal["name_masked", "village", "group", "programme", "persons", "amount", "goods"]


class Notices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``minimum_days`` is the floor under what a programme's standard asks for.

    ``withdraw_after_days``: days after its end at which a notice leaves the web by itself.
    ``shown``: the only fields a notice may carry; names always by `domain.masking.mask_name`.
    """

    KIND: ClassVar[str] = "notices"

    minimum_days: Days
    withdraw_after_days: Annotated[int, msgspec.Meta(ge=0, le=3650)]
    shown: tuple[PublicField, ...]
    never_shown: tuple[Key, ...] = ()

    def ends_at(self, posted_at: datetime, days: int) -> datetime:
        """The first moment at which a notice posted for so many days is over (whole 24 h)."""
        return posted_at + timedelta(days=max(days, self.minimum_days))

    def withdraw_at(self, ends_at: datetime) -> datetime:
        """When the notice leaves the web; its hash stays in the log for the auditor."""
        return ends_at + timedelta(days=self.withdraw_after_days)

    def problems(self) -> list[Problem]:
        if "name_masked" in self.shown:
            return []
        return [Problem("shown", "公示必须含脱敏姓名", "a notice must show the masked name")]
