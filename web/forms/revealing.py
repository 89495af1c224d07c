"""Forms that say why names and numbers are looked at in full (`web.pages.in_full`)."""

from collections.abc import Mapping
from typing import Final

from domain.commands import households as h
from domain.commands import revealing as r
from domain.world import Command
from web.forms.form import Form

WHY: Final = {"reason": "in_full.why"}

FORMS: Mapping[type[Command], Form] = {
    h.RevealHousehold: Form(
        says={
            "reason": (
                "in_full.check_identity",
                "in_full.check_card",
                "in_full.visit",
                "in_full.answer_question",
                "in_full.audit",
            )
        },
        labels=WHY,
        hint="in_full.hint",
        next="/households/{id}/in-full",
    ),
    r.RevealCaller: Form(
        says={"reason": ("in_full.call_back", "in_full.find_place", "in_full.audit")},
        labels=WHY,
        hint="in_full.hint",
        next="/dispatch/incidents/{id}/in-full",
    ),
    r.RevealObjection: Form(
        says={"reason": ("in_full.settle", "in_full.answer_question", "in_full.audit")},
        labels=WHY,
        hint="in_full.hint",
        next="/lists/{village_list}/objections/{objection}/in-full",
    ),
}
