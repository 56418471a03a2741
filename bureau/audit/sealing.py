"""Numbering and chaining committed audit events, and checking that nobody touched them.

Events are written without waiting for each other; the sealer takes the committed ones every minute, gives each the next
number and a seal over itself and the seal before. What is cut off the end leaves the chain itself whole, so the
newest seal also goes to a file outside the database, and to paper: the supervisor's daily sheet shows `head()`.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from bureau.audit import macs
from bureau.audit.models import AuditEvent
from bureau.audit.recording import canonical

ROWS_PER_ROUND = 2000
CHAIN_LOCK = 0x61756469  # any number, the same for every sealer


@dataclass(frozen=True)
class Head:
    """The newest seal: enough to tell later whether the log up to here is still the same."""

    seal_no: int = 0
    seal: bytes = b""

    def __str__(self) -> str:
        return f"{self.seal_no}:{self.seal.hex()}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Raises ValueError for anything but number:hex."""
        number, _, digits = text.strip().partition(":")
        return cls(int(number), bytes.fromhex(digits))


@dataclass(frozen=True)
class Fault:
    """The first place where the log is not what was written. `id` is the row's, where there is one."""

    code: str
    message: str
    seal_no: int | None
    id: int | None


def head() -> Head:
    newest = AuditEvent.objects.sealed().values_list("seal_no", "seal").last()
    return Head(newest[0], bytes(newest[1] or b"")) if newest else Head()


def seal() -> int:
    """Seal what is committed and not sealed yet; how many. Any number of sealers make one chain without gaps."""
    count = 0
    while sealed := _seal_a_round():
        count += sealed
    return count


@transaction.atomic
def _seal_a_round() -> int:
    if connection.vendor == "postgresql":  # SQLite's transaction is the only writer as it is
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = head()
    events = list(AuditEvent.objects.unsealed()[:ROWS_PER_ROUND])
    for event in events:
        last = Head(last.seal_no + 1, macs.mac(_link(last, event, last.seal_no + 1)))
        event.seal_no, event.seal = last.seal_no, last.seal
    if events:
        AuditEvent.objects.bulk_update(events, ["seal_no", "seal"], batch_size=200)
        transaction.on_commit(lambda: _witness(last))
    return len(events)


def verify(
    paper: Head | None = None, *, progress: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Check every event, sealed or not, against its code, its neighbours, the heads on file and `paper`.

    `progress(done)` is called every few thousand events; what it raises ends the check.
    Gives `{"checked", "unsealed", "head", "first_fault"}`; the fault nearest the beginning of the log comes first.
    """
    witnessed = {known.seal_no: known.seal for known in [*_heads_on_file(), *([paper] if paper else [])]}
    checked, last, fault = 0, Head(), None
    for event in AuditEvent.objects.sealed().iterator(chunk_size=ROWS_PER_ROUND):
        if fault := _fault_of(event, last, witnessed):
            break
        checked, last = checked + 1, Head(event.seal_no, bytes(event.seal))
        if checked % ROWS_PER_ROUND == 0:
            progress(checked)
    if fault is None and witnessed and max(witnessed) > last.seal_no:
        fault = Fault("cut_off", "日志末尾的记录被删除，或数据库被换成旧的副本", last.seal_no + 1, None)
    unsealed = 0
    for event in AuditEvent.objects.unsealed().iterator(chunk_size=ROWS_PER_ROUND):
        unsealed += 1
        if fault is None and not macs.is_genuine(event.mac, canonical(event)):
            fault = Fault("changed", "未封存的记录被改动，或不是由本系统写入", None, event.pk)
    return {
        "checked": checked + unsealed,
        "unsealed": unsealed,
        "head": str(last),
        "first_fault": asdict(fault) if fault else None,
    }


def _fault_of(event: AuditEvent, last: Head, witnessed: dict[int, bytes]) -> Fault | None:
    number = last.seal_no + 1
    if event.seal_no != number:
        return Fault("missing", f"第{number}号记录缺失", number, None)
    if not macs.is_genuine(event.mac, canonical(event)):
        return Fault("changed", f"第{number}号记录被改动，或不是由本系统写入", number, event.pk)
    if not macs.is_genuine(event.seal, _link(last, event, number)):
        return Fault(
            "out_of_chain",
            f"第{number}号记录与前一号不衔接：顺序被改动，或前面的记录被替换",
            number,
            event.pk,
        )
    if number in witnessed and witnessed[number] != bytes(event.seal):
        return Fault("rewritten", f"第{number}号记录与留存的封条不符：日志被截断后重写", number, event.pk)
    return None


def _link(last: Head, event: AuditEvent, number: int) -> str:
    return f"{last.seal.hex()}|{number}|{event.pk}|{bytes(event.mac).hex()}"


def _heads_file() -> Path:
    return Path(settings.BUREAU_HOME) / "audit-heads.txt"


def _witness(newest: Head) -> None:
    with _heads_file().open("a", encoding="ascii") as file:
        file.write(f"{newest}\n")


def _heads_on_file() -> Iterator[Head]:
    """A line cut short by a crash is no witness."""
    path = _heads_file()
    if path.exists():
        with path.open(encoding="ascii", errors="replace") as file:
            for line in file:
                if line.endswith("\n") and len(line.partition(":")[2]) > 64:
                    yield Head.parse(line)
