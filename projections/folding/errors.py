"""What can be wrong between the log and its views."""

from eventstore.errors import StoreError, StoreLocked

MOST_PARKED_IN_A_ROW = 9
STOPPED = MOST_PARKED_IN_A_ROW + 1
"""Kept in place of the number of streams in a row: the view stands still before the tenth."""


class ViewsError(StoreError):
    """The views cannot go on until somebody has looked. The log is not touched by it."""

    retry_after = None


class TooManyParked(ViewsError):
    """Ten different streams in a row could not be folded: the program is wrong, not the facts."""

    zh = "连续十个不同的业务流无法处理，已停止更新看板：请升级或修复程序后再启动"
    en = (
        "Ten different streams in a row could not be folded, so the views stop here. "
        "Repair or upgrade the program, then start it again."
    )

    def __init__(self, detail: str = "", *, view: str = "", position: int = 0) -> None:
        """``view`` stands before the fact at ``position``: that of the tenth stream."""
        super().__init__(detail)
        self.view, self.position = view, position


class AnotherRebuild(StoreLocked):
    zh = "另一个进程正在重建看板，请等它结束后再执行"
    en = "Another rebuild of the views is under way. Wait until it has ended, then run this again."
    retry_after = None


class ReadersInTheWay(StoreLocked):
    zh = "一直有查询在读看板，重建好的看板无法换上；原看板照常使用，请稍后再执行"
    en = (
        "Queries read the views all the time, so the rebuilt ones cannot go live. The old ones "
        "answer as before. Run this again later."
    )
    retry_after = None


class PartitionsDiffer(ViewsError):
    zh = "看板库的分区数与账本不一致：请检查 RELIEF_VIEWS_URL 是否指向同一套系统"
    en = "The views were made for another number of partitions. Check RELIEF_VIEWS_URL."


class ViewsOfAnotherVersion(ViewsError):
    zh = "看板库由另一版本的程序维护：请让全部进程使用同一版本后再启动"
    en = "Another version of the program keeps the views. Let all processes be of one version."


class ViewsNewer(ViewsOfAnotherVersion):
    """An older program would replace what a newer one has built."""

    zh = (
        "看板由较新版本的程序建立，本程序版本较旧，已停止，看板未动：请改用较新的程序；"
        "确需退回旧版本的，先移走看板库（单机：views.sqlite；集群：PostgreSQL 的 views 模式），"
        "看板会由账本重建"
    )
    en = (
        "A newer version of the program built the views; this one is older and leaves them alone. "
        "Use the newer program. To go back on purpose, first move the views away (views.sqlite, or "
        "the schema views in PostgreSQL): they are built again from the log."
    )


class ViewsOfAnotherLog(StoreError):
    """Tried again: followers and workers then ask which log it is, and views of another one begin
    anew."""

    zh = "看板是由另一本账或其另一分支得出的，将由账本重建"
    en = "The views were folded from another log, or another epoch of it. They begin anew."
    retry_after = 1


class CannotFold(ViewsError):
    """A rebuild met a fact that a view cannot fold. ``relief parked drop`` lets it leave it out."""

    zh = "重建时有一条记录无法处理，原看板保持不变：请修复程序，或用 relief parked drop 登记放弃"
    en = "A rebuild met a fact that a view cannot fold; the live views stay as they are."


class ScratchUnsafe(ViewsError):
    """Somebody else could write into the folder of the part files, and so into the views."""

    zh = "重建所用的临时目录属于他人或可被他人进入，已停止：请删除该目录后再试"
    en = "The folder for a rebuild's files is not this user's alone. Remove it, then try again:"
