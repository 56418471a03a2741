"""`python -m tests.students.doomed VERB …`: one process with an installation of its own, which may be told to die.

DIE_AT=n: it is killed with SIGKILL just before its n-th SQL statement, wherever that falls: in a transaction, between
two, while the lease is held.
"""

import json
import os
import signal
import sys
from datetime import date
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now

SCHOOL, TERM = "3599010001", "2026-autumn"
OCTOBER, NOVEMBER = "2026-10-10", "2026-11-10"


def main(verb: str, folder: str, *arguments: str) -> None:
    django.setup()
    place = Path(folder)
    if verb == "prepare":
        prepare(place)
        for step in arguments:
            command(step, place)
    elif verb == "run":
        counting = Counting(int(os.environ.get("DIE_AT", "0")))
        with connection.execute_wrapper(counting):
            command(arguments[0], place)
        print(json.dumps(counting.seen))
    elif verb == "recover":
        from tests.students.picture import picture

        recover(arguments[0], place)
        print(json.dumps(picture(), ensure_ascii=False))


class Counting:
    """Counts statements, and ends this process when the fatal one comes."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.seen = fatal, 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def command(job: str, place: Path) -> None:
    try:
        call_command(*COMMANDS[job](place), "--json")
    except SystemExit as stop:
        if stop.code:
            raise


COMMANDS = {
    "first roster": lambda place: ["import_roster", str(place / "roll1.csv"), "--school", SCHOOL, "--term", TERM, "--apply"],
    "roster": lambda place: ["import_roster", str(place / "roll2.csv"), "--school", SCHOOL, "--term", TERM, "--apply"],
    "first register": lambda place: ["import_register", str(place / "list1.csv"), "--register", "population", "--as-of", OCTOBER],
    "register": lambda place: ["import_register", str(place / "list2.csv"), "--register", "population", "--as-of", NOVEMBER],
    "poverty": lambda place: ["import_register", str(place / "poor.csv"), "--register", "poverty", "--as-of", OCTOBER],
    "reconcile": lambda place: ["reconcile", "--term", TERM],
}


def prepare(place: Path) -> None:
    """A county with a school, its rolls and lists as files; two rounds differ in everything a round can differ in."""
    from bureau.organisation.models import County, School, SchoolYear, Term, Township
    from tests.students.factories import citizen_id, write_list

    call_command("migrate", "--skip-checks", "--verbosity=0")
    county = County.objects.create(code="990101", name="云岭县")
    township = Township.objects.create(county=county, code="990101101", name="城关镇")
    School.objects.create(county=county, township=township, code=SCHOOL, name="城关镇小学", stages=["primary"])
    year = SchoolYear.objects.create(county=county, starts_in=2026)
    Term.objects.create(county=county, school_year=year, code=TERM, starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 22))

    def child(n: int, **more: str) -> dict[str, str]:
        return {"姓名": f"{'赵钱孙李周吴郑王冯陈'[n % 10]}{'甲乙丙丁'[n // 10]}", "身份证号": citizen_id(date(2016, 5, n % 28 + 1), n + 1)} | more

    def pupil(n: int, **more: str) -> dict[str, str]:
        usual = {"年级": "三年级", "班级": "1班", "学籍状态": "在籍", "联系电话": f"138{n:08}", "户口所在地": "云岭县城关镇"}
        return child(n) | usual | more

    def resident(n: int, **more: str) -> dict[str, str]:
        return child(n, 户号=str(n // 2), 乡镇="城关镇", **more)

    write_list(place / "roll1.csv", [pupil(n) for n in range(20)])
    write_list(place / "roll2.csv", [pupil(n, **({"班级": "2班"} if n % 3 else {})) for n in range(5, 25)])
    write_list(place / "list1.csv", [resident(n) for n in range(30)])
    damaged = child(3)["身份证号"][:15] + "000"
    rows = [resident(n, **({"街路巷": "新街"} if n % 4 else {})) for n in range(6, 36)]
    write_list(place / "list2.csv", [*rows, resident(3) | {"身份证号": damaged}])
    write_list(place / "poor.csv", [child(n, 户类型="脱贫户", 户编号=str(n)) for n in range(10, 40)])


def recover(job: str, place: Path) -> None:
    """What people and machines do after a crash: the command once more, and the sweeper and a worker for what is left.

    They come when the dead process's lease has run out; here the clock is put forward instead of waiting 45 seconds.
    """
    from bureau import jobs

    jobs.Job.objects.filter(state="running", lease_until__isnull=False).update(lease_until=Now())
    command(job, place)
    jobs.sweep()
    for waiting in jobs.Job.objects.filter(state="queued").order_by("id"):
        jobs.run(waiting.pk)


if __name__ == "__main__":
    main(*sys.argv[1:])
