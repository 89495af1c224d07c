"""Places, depots, items and lots to choose from at the goods desk."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.concurrency import run_in_threadpool

from api.words import Words, rule_for
from domain.rules.items import Items
from web.formats import Formats
from web.forms.form import Begun, Matter, Option
from web.i18n import catalog
from web.picking.places import areas_below
from web.picking.words import in_words

OFFERED = 12
"""Depots that stand in a form at most: those that have most of what is asked for."""

own_places = areas_below


def own_place(field: str) -> Begun:
    """The officer's own area, until another one is chosen."""

    async def found(matter: Matter) -> dict[str, Any]:
        return {field: next(iter(matter.desk.caller.areas(matter.known["roles"])))}

    return found


async def items(matter: Matter) -> list[Option]:
    """The catalogue in force for the officer's area, with the unit of each."""
    desk = matter.desk
    area, *_ = desk.caller.areas()
    rule = await run_in_threadpool(rule_for, desk.caller, Items, area, desk.now)
    return await in_words(
        matter,
        lambda words: [
            Option(one.key, words.item(one.key), words.unit(one.key))
            for one in (rule.items if rule else ())
        ],
    )


async def depots(matter: Matter) -> list[Option]:
    """Depots that have some of what is asked for, with what is free there; with enough first."""

    def told(words: Words) -> list[Option]:
        return [
            Option(
                depot["area"],
                depot["name"] or matter.t("stock.depot"),
                matter.t("desk.comma").join(
                    f"{units:,} {words.counted(item, units)}"
                    for item, units in depot["free"].items()
                )
                + (f" · {matter.t('stock.enough')}" if not depot["short"] else "")
                + (f" · {matter.t('stock.brings_back')}" if depot["below"] else ""),
            )
            for depot in matter.known["depots"][:OFFERED]
        ]

    return await in_words(matter, told)


async def lines_asked(matter: Matter) -> dict[str, Any]:
    """What is asked for, to be sent as it is or changed."""
    lines = matter.known["one"]["lines"]
    return {"lines": [{"item": line["item"], "quantity": line["quantity"]} for line in lines]}


async def lots_sent(matter: Matter) -> list[Option]:
    """The lots of the load, each with what left of it."""

    def told(words: Words) -> list[Option]:
        return [
            Option(
                row["lot"],
                matter.t(
                    "stock.lot_sent",
                    item=words.item(row["item"]),
                    document=row["document_no"],
                    units=f"{row['units']:,}",
                ),
            )
            for row in matter.known["one"]["cargo"]
        ]

    return await in_words(matter, told)


async def all_good(matter: Matter) -> dict[str, Any]:
    """Every lot as it left, until somebody has counted otherwise."""
    cargo = matter.known["one"]["cargo"]
    counts = [
        {"lot": row["lot"], "good": row["units"], "damaged": 0, "missing": 0} for row in cargo
    ]
    return {"counts": counts}


def _held(lot: Mapping[str, Any]) -> int:
    return int(lot["available"] + lot["reserved"])


def _lot(matter: Matter, lot: Mapping[str, Any]) -> Option:
    t = matter.t
    said = t("stock.lot_held", units=f"{_held(lot):,}", free=f"{lot['available']:,}")
    received = Formats(catalog(matter.language)).day(date.fromisoformat(lot["received_on"]))
    return Option(lot["lot"], f"{lot['document_no']} · {received}", said)


async def lots_here(matter: Matter) -> list[Option]:
    """The lots of the stockpile that are, or were, on its shelf."""
    return [_lot(matter, lot) for lot in matter.known["one"]["lots"]]


async def free_lots(matter: Matter) -> list[Option]:
    """Lots of which something is free."""
    return [_lot(matter, lot) for lot in matter.known["one"]["lots"] if lot["available"]]


async def all_there(matter: Matter) -> dict[str, Any]:
    """Every lot that should be there, with what the books say."""
    lots = matter.known["one"]["lots"]
    return {"counts": [{"lot": lot["lot"], "found": _held(lot)} for lot in lots if _held(lot)]}
