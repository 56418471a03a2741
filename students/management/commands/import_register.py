"""import_register FILE --register NAME --as-of DATE [--scope CODE] [--partial]"""

from pathlib import Path

from bureau import jobs
from bureau.command import DONE, DONE_WITH_FAULTS, REFUSED, ContractCommand, day
from bureau.organisation.models import Township
from students.actions import registers
from students.intake.known import register_named, register_names
from students.models import Snapshot

COUNTS = ("rows", "accepted", "rejected", "warned", "skipped", "added", "removed", "changed", "same")


class Command(ContractCommand):
    help = "导入一期部门名单：与前后期比较，并匹配到学生。"
    right = "registers.import"

    def arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--register", required=True)
        parser.add_argument("--as-of", required=True, metavar="DATE", type=day)
        parser.add_argument("--scope", metavar="乡镇代码")
        parser.add_argument("--partial", action="store_true")

    def run(self, *, file, register, as_of, scope, partial):
        if not file.is_file():
            self.refuse("no_file", f"没有这个文件：{file}")
        if register not in register_names(self.county):
            self.refuse("unknown_register", f"没有名单“{register}”。可用：{'、'.join(register_names(self.county))}")
        township = None
        if scope and scope != self.county.code:
            township = Township.objects.filter(county=self.county, code=scope).first()
            if township is None:
                self.refuse("unknown_scope", f"没有代码为“{scope}”的乡镇。")
        snapshot, is_new = registers.new_snapshot(
            path=file,
            file_name=file.name,
            register=register_named(self.county, register),
            as_of=as_of,
            county=self.county,
            township=township,
            partial=partial,
            by=self.by,
        )
        if is_new or snapshot.state == Snapshot.State.READING:
            jobs.run_now(
                "students.read_register", by=self.by, county=self.county, snapshot=snapshot.pk, register=register
            )
            snapshot.refresh_from_db()
        self.report(_told(snapshot), _status(snapshot), _words(snapshot))


def _told(snapshot: Snapshot) -> dict:
    told = {"snapshot": str(snapshot.pk)} | {name: getattr(snapshot, name) for name in COUNTS}
    return told | registers.row_verdicts(snapshot) | {
        "file_error": snapshot.file_error,
        "problems": snapshot.problems,
        "seconds": snapshot.seconds,
    }


def _status(snapshot: Snapshot) -> int:
    if snapshot.file_error:
        return REFUSED
    return DONE_WITH_FAULTS if snapshot.rejected else DONE


def _words(snapshot: Snapshot) -> str:
    if snapshot.file_error:
        return snapshot.file_error["message"]
    return (
        f"共 {snapshot.rows} 行：合格 {snapshot.accepted}，有错误 {snapshot.rejected}，跳过 {snapshot.skipped}。"
        f"与前后期相比：新增 {snapshot.added}，退出 {snapshot.removed}，变更 {snapshot.changed}，不变 {snapshot.same}。"
    )
