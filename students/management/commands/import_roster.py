"""import_roster FILE [--school CODE] --term TERM [--kind roll|aid|guardians] [--apply] [--accept-good]"""

from pathlib import Path

from bureau import jobs
from bureau.command import DONE, DONE_WITH_FAULTS, REFUSED, ContractCommand
from bureau.organisation.models import School, Term
from students.actions import rosters
from students.actions.refusals import Locked
from students.intake.completing import carried_counts
from students.models import Roster

COUNTS = ("rows", "accepted", "rejected", "warned", "skipped", "new", "changed", "unchanged", "absent")


class Command(ContractCommand):
    help = "读入一份花名册；加 --apply 入库。"
    right = "rosters.upload"

    def arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--school", metavar="学校标识码")
        parser.add_argument("--term", required=True)
        parser.add_argument("--kind", choices=Roster.Kind.values, default=Roster.Kind.ROLL)
        parser.add_argument("--apply", action="store_true")
        parser.add_argument("--accept-good", action="store_true")

    def run(self, *, file, school, term, kind, apply, accept_good):
        if not file.is_file():
            self.refuse("no_file", f"没有这个文件：{file}")
        found_term = Term.objects.filter(county=self.county, code=term).first()
        if found_term is None:
            self.refuse("unknown_term", f"没有学期“{term}”。")
        at = None
        if school:
            at = School.objects.filter(county=self.county, code=school).first()
            if at is None:
                self.refuse("unknown_school", f"没有标识码为“{school}”的学校。")
        try:
            roster, is_new = rosters.new_roster(
                path=file, file_name=file.name, term=found_term, kind=kind, school=at, county=self.county, by=self.by
            )
        except Locked as lock:
            self.refuse(lock.code, lock.message)
        if is_new or roster.status == Roster.State.READING:
            jobs.run_now("students.read_roster", by=self.by, county=self.county, roster=roster.pk)
            roster.refresh_from_db()
        else:
            rosters.compare_again(roster=roster)
        if apply and roster.status == Roster.State.STAGED:
            try:
                roster = rosters.apply_roster(roster=roster, by=self.by, accept_good=accept_good)
            except Locked as lock:
                self.refuse(lock.code, lock.message)
            except rosters.NotApplicable as reason:
                self.note(reason.message)
        self.report(_told(roster), _status(roster), _words(roster))


def _told(roster: Roster) -> dict:
    applied = roster.status == Roster.State.APPLIED
    seconds = {name: round(roster.seconds.get(name, 0.0), 3) for name in ("read", "check", "apply")}
    told = {"roster": str(roster.pk)} | {name: getattr(roster, name) for name in COUNTS}
    return told | {
        "applied": applied,
        "file_error": roster.file_error,
        "problems": roster.problems,
        "seconds": seconds,
    }


def _status(roster: Roster) -> int:
    if roster.file_error:
        return REFUSED
    return DONE_WITH_FAULTS if roster.rejected or carried_counts(roster)["rejected"] else DONE


def _words(roster: Roster) -> str:
    if roster.file_error:
        return roster.file_error["message"]
    return (
        f"共 {roster.rows} 行：合格 {roster.accepted}（其中有提示 {roster.warned}），有错误 {roster.rejected}，跳过 {roster.skipped}。"
        f"新增 {roster.new}，有变化 {roster.changed}，无变化 {roster.unchanged}，未出现 {roster.absent}。"
        f"{roster.get_status_display()}。"
    )
