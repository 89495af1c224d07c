"""What can be wrong with the place where facts are kept, in words an operator can act on."""

from typing import ClassVar


class StoreError(Exception):
    """The store cannot do it now. Never a rule: nothing was decided and nothing is kept.

    ``zh`` and ``en`` say what to do. ``retry_after`` (seconds) is None when waiting won't help.
    """

    zh: ClassVar[str] = "存储暂不可用"
    en: ClassVar[str] = "The store is not available."
    retry_after: ClassVar[int | None] = 2

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.en} {detail}".strip())
        self.detail = detail


class StoreLocked(StoreError):
    zh = "另一进程正占用账本文件，请稍后重试"
    en = "Another process holds the log file. Try again shortly."


class ReadersBusy(StoreLocked):
    """More is asked at once than there are connections to ask it by. Nobody holds anything."""

    zh = "同时查询的人太多，读取数据的连接都在使用，请稍后重试"
    en = "Too much is asked at once: all connections for reading are busy. Try again shortly."


class StoreFull(StoreError):
    zh = "磁盘已满：拒绝写入，仍可查询；清理空间后自动恢复"
    en = "The disk is full: writes are refused, reading goes on. Free space and it recovers."
    retry_after = 30


class StoreReadOnly(StoreError):
    zh = "账本所在磁盘只读，无法写入"
    en = "The disk that holds the log is read-only."
    retry_after = None


class StoreOutOfHandles(StoreError):
    zh = "本机可同时打开的文件已达上限，请稍后重试；反复出现时请提高系统限制（ulimit -n）"
    en = (
        "The process has as many files open as the system lets it. Try again shortly; if it comes"
        " back, raise the limit (ulimit -n)."
    )


class StoreUnreachable(StoreError):
    zh = "数据库暂时连接不上，已提交的内容不会丢失，请稍后重试"
    en = "The database cannot be reached. Nothing accepted is lost; try again shortly."


class StorePasswordWrong(StoreUnreachable):
    zh = "数据库不接受程序的登录密码：请核对数据库地址中的密码，或请管理员执行 relief db init"
    en = (
        "The database does not accept the program's password. Check the one in its address, or"
        " let an administrator run relief db init."
    )
    retry_after = 30


class StoreNotTrusted(StoreUnreachable):
    zh = (
        "数据库的证书不被信任，程序不与它连接：请核对数据库地址中的 sslrootcert 与主机名，"
        "以及数据库的证书"
    )
    en = (
        "The database's certificate is not trusted, so it is not spoken to. Check sslrootcert and"
        " the host in the database's address, and the certificate of the database."
    )
    retry_after = 30


class StoreNotAdmitted(StoreUnreachable):
    zh = (
        "数据库不接受这样的连接：请核对数据库地址中的 sslmode（是否须用 TLS），"
        "或请管理员检查 pg_hba.conf"
    )
    en = (
        "The database does not take such connections. Check sslmode in its address (does it ask"
        " for TLS?), or let an administrator look at pg_hba.conf."
    )
    retry_after = 30


class StoreDatabaseMissing(StoreUnreachable):
    zh = "服务器上没有这个数据库：请核对数据库地址，或先执行 relief db init"
    en = "There is no such database on the server. Check its address, or run relief db init first."
    retry_after = 30


class StoreAddressWrong(StoreError):
    """``detail`` never quotes the address: the password stands in it."""

    zh = "数据库地址写得不对：请核对 RELIEF_DATABASE_URL、RELIEF_ADMIN_URL 等设置中的地址"
    en = (
        "The database's address cannot be read. Check RELIEF_DATABASE_URL, RELIEF_ADMIN_URL and"
        " their like."
    )
    retry_after = None


class PasswordKept(StoreError):
    zh = (
        "数据库角色已有密码，且与给定的不符，正在使用它的系统会因此中断，未作任何改动："
        "请用写有原密码的 secrets 文件夹再执行；确要更换，请加 --new-passwords"
    )
    en = (
        "A database role has a password already, and not the given one: who works with it would"
        " be cut off. Nothing was changed. Run it again with the folder of secrets that holds the"
        " password, or with --new-passwords if it is to be replaced."
    )
    retry_after = None


class LogPromoted(StoreError):
    """A stand-by took over: which facts it had nobody has said yet, by an epoch of their own.
    Whoever derives something from the log waits for that (decision 0020)."""

    zh = "数据库已由备机接管，账本的新分支尚未登记：请启动至少一个 API 进程；在此之前看板暂停更新"
    en = (
        "PostgreSQL's stand-by took over, and the log's new epoch has not begun: start an API"
        " process. Until then the boards wait."
    )
    retry_after = 1


class CommitUnknown(StoreUnreachable):
    """The reply to a COMMIT was lost: the batch is stored or it is not. Command ids tell."""


class StoreNotMade(StoreError):
    zh = "数据库尚未建立，请先执行 relief db init"
    en = "The database has not been made. Run relief db init first."
    retry_after = None


class StoreTooOld(StoreError):
    zh = "数据库的表属于旧版本，不能直接使用：请停止旧版程序并备份，再用本版程序执行 relief db init"
    en = (
        "The tables are those of an older version. Stop its programs, back up, and run relief db"
        " init with this one."
    )
    retry_after = None


class StoreNotBegun(StoreError):
    zh = "数据目录中还没有账本：请检查 RELIEF_DATA，或先执行 relief init、relief demo"
    en = "There is no store in the data folder. Check RELIEF_DATA, or begin: relief init or demo."
    retry_after = None


class StoreUnsafe(StoreError):
    zh = "数据库登录的权限过大，程序拒绝启动"
    en = "The program refuses to start with so much power over its own log."
    retry_after = None


class StoreForbidden(StoreError):
    zh = "数据库登录缺少所需的权限，请检查连接地址或重新执行 relief db init"
    en = "The database role lacks a right it needs. Check the address, or run relief db init."
    retry_after = None


class StoreTooNew(StoreError):
    zh = "账本由更新版本的程序建立，请升级程序后再打开"
    en = "A newer version of the program made this store. Upgrade the program to open it."
    retry_after = None


class FactsUnsealed(StoreError):
    zh = "账本只收有封印的记录，未写入：写入的程序版本过旧，请升级并重启"
    en = (
        "The log takes no facts without a seal, and nothing was written: the program is older than"
        " the store. Upgrade it and start it again."
    )
    retry_after = None


class StreamForged(StoreError):
    """``detail`` is the position."""

    zh = (
        "这件事的账里有一条不是程序写入的记录，已停止办理：请立即报告管理员，"
        "运行 relief audit verify 查明是第几条"
    )
    en = (
        "Among the facts of this thing is one that the program has not written, and nothing is"
        " decided on it. Tell an administrator at once; relief audit verify says which."
    )
    retry_after = None


class LogForged(StoreError):
    """``detail`` is the position."""

    zh = (
        "账本里有一条不是程序写入的记录，查明以前不签检查点、不出证明：请运行 relief audit verify"
        " 查明，再用 relief audit disown 登记为不计入"
    )
    en = (
        "The log holds a row that the program has not written. Nothing is signed or proven until"
        " it is cleared up: relief audit verify tells more, relief audit disown ends it. It is row"
    )
    retry_after = None


class StoreDamaged(StoreError):
    zh = "账本文件损坏或不完整，请从备份恢复（relief restore）"
    en = "The store's file is damaged or cut short. Restore it from a backup (relief restore)."
    retry_after = None


class NotABackup(StoreDamaged):
    zh = "这个目录里没有完整的备份：请核对路径（relief backup 写入的目录中有 backup.json）"
    en = (
        "There is no finished backup in this folder. Check the path: a folder that relief backup"
        " wrote holds a backup.json."
    )


class KeyMissing(StoreDamaged):
    zh = "这里没有密库的钥匙文件 vault.key，没有它密库打不开：请放回保存的那一份"
    en = "The vault's key file (vault.key) is missing; without it the vault cannot be read."


class KeyForeign(StoreDamaged):
    zh = "这里的 vault.key 不是这个密库的钥匙，未作任何改动：请放回正确的那一份"
    en = "This vault.key is another vault's. Nothing was changed: put the right one there."


class VaultOlder(StoreDamaged):
    """The vault is of before the log's batches were sealed: nobody could check them with it."""

    zh = (
        "这份密库是账本升级之前备份的，与升级之后的账本不配：请用与账本同时备份的密库；"
        "确实没有的，用 relief audit reseal 重新加封"
    )
    en = (
        "This vault was backed up before the store was upgraded and does not fit a log of"
        " afterwards. Use the vault that was backed up together with the log; where there is none,"
        " relief audit reseal seals the log anew."
    )


class SealsHold(StoreError):
    """Nothing is to be sealed anew: what a seal tells could only be lost by it."""

    zh = "现有封印可以用这份密库核对，不需要、也不能重新加封：请运行 relief audit verify"
    en = "The seals can be checked with this vault and are not made anew: run relief audit verify."
    retry_after = None


class RotationBrokenOff(StoreDamaged):
    """The vault is under the new key already, and the old one still lies in its place."""

    zh = "更换密库钥匙（vault.key）时中断：请停止服务，再执行一次 relief vault rotate"
    en = (
        "The exchange of the vault's key was broken off. Stop every process and run"
        " relief vault rotate again."
    )


class StoreReplaced(StoreError):
    """Another file lies where the opened one was: what is written now would be in neither."""

    zh = "账本文件在运行中被替换或移走，已停止读写：请重启服务；恢复备份前请先停止服务"
    en = (
        "The store's file was replaced or moved away while it was open; nothing is read or written."
        " Start the service again, and stop it before you put a backup back."
    )
    retry_after = None


class StoreUnfinished(StoreError):
    zh = "这里的账本复制到一半，请再次执行 relief log copy"
    en = "This store is half of a copy. Run relief log copy again."
    retry_after = None


class VaultInUse(StoreError):
    zh = "还有程序正在使用密库，未作任何改动：请先停止所有服务"
    en = "Something else has the vault open. Nothing was changed. Stop every process first."
    retry_after = None


class CopyRefused(StoreError):
    zh = "目标中已有别的内容，未作任何改动"
    en = "The target holds something else. Nothing was changed."
    retry_after = None


class CopyDiffers(StoreError):
    zh = "复制后两边不一致：请停止正在使用源账本的服务，再次执行"
    en = "Source and copy differ. Stop whatever writes to the source, and run it again."
    retry_after = None


class IndexBehind(StoreError):
    """Names cannot be looked for yet: an answer would leave people out."""

    zh = "姓名索引正在建立，暂不能按姓名查找，请稍后再试"
    en = "The index of names is being built: people cannot be looked for by name yet."


class StoreClosed(StoreError):
    zh = "服务正在停止，请稍后重试"
    en = "The service is stopping. Try again shortly."


class UnknownTopic(StoreError):
    zh = "账本中有本程序不认识的事件类型"
    en = "The log holds an event type that this program does not know."
    retry_after = None


class CommandIdReused(Exception):
    """The same command id came again with another body or from another actor."""

    zh: ClassVar[str] = "该请求编号已用于另一内容，请使用新的编号"
    en: ClassVar[str] = "This command id was used for something else. Use a new one."


def error_named(name: str) -> type[StoreError]:
    """The kind of error that another process has named; `StoreError` for one not known here."""
    waiting: list[type[StoreError]] = [StoreError]
    for kind in waiting:
        if kind.__name__ == name:
            return kind
        waiting += kind.__subclasses__()
    return StoreError
