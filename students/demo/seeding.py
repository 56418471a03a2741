"""Loads the demo county through the actions people use: places, accounts, rolls, lists, comparisons, some of it settled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from bureau import jobs
from bureau.access.actions import operator_of
from bureau.access.models import Account
from bureau.door import steps
from bureau.organisation.actions import import_organisation
from bureau.organisation.models import County, School, Term
from bureau.organisation.plan import read_plan
from students.actions import registers, rosters
from students.demo import files
from students.demo.lists import write_list
from students.demo.people import open_accounts
from students.demo.rolls import has_corrected, is_careless, write_roll
from students.demo.schools import CLERKS_SCHOOL, CODE, LATE_SCHOOL, Places
from students.demo.schools import School as PlannedSchool
from students.demo.settled import settle_first, settle_second
from students.demo.world import DATES, Maker, World
from students.intake.known import register_named
from students.models import Enrolment, Roster

TERM = "2026-autumn"
SENT_BY = {
    "population": "县公安局",
    "poverty": "县农业农村局",
    "monitored": "县农业农村局",
    "dibao": "县民政局",
}
Tell = Callable[[str], None]


class AlreadySeeded(Exception):
    """The demo county is in the database; it is made once and never over people's work."""


def seed(*, students: int = 20_000, progress: Tell = lambda words: None) -> dict[str, Any]:
    """Make and load the demo county; what a newcomer needs to know to log in. Raises AlreadySeeded.

    The files stay in `BUREAU_HOME/demo`, with a few nobody has loaded, so that they can be uploaded by hand.
    """
    if County.objects.filter(code=CODE).exists():
        raise AlreadySeeded(CODE)
    home = settings.BUREAU_HOME / "demo"
    progress("正在编写演示县的名册和名单…")
    world = Maker(students).make()
    files.make_folders(home)
    county = _organise(files.write_organisation(home, world))
    accounts = open_accounts(county, world.places)
    _load_rolls(county, home, world, progress)
    for day, folder in enumerate((files.FIRST, files.SECOND)):
        for name, office in SENT_BY.items():
            progress(f"正在导入{register_named(county, name).title}（{DATES[day]:%Y年%m月%d日}）…")
            _load_list(county, name, day, write_list(home / folder, world, name, day), office)
        progress("正在比对…")
        _compare(county)
        if day == 0:
            settle_first(county, world)
            _compare(county)
    settle_second(county)
    steps.run_all(progress=progress)
    files.write_practice(home, world)
    return {
        "students": Enrolment.objects.open().filter(county=county).values("student").distinct().count(),
        "schools": len(world.places.schools),
        "accounts": accounts,
    }


def _organise(path: Path) -> County:
    return import_organisation(
        plan=read_plan(path.read_bytes()),
        by_name="operator",
        account_of=lambda name, county: operator_of(county),
    )


def _load_rolls(county: County, home: Path, world: World, progress: Tell) -> None:
    """A roll of every school; some careless schools have corrected theirs, and one correction waits to be confirmed."""
    schools = {school.code: school for school in School.objects.filter(county=county)}
    sender = _senders(world.places)
    for number, planned in enumerate(world.places.schools):
        if number % 10 == 0:
            progress(f"正在导入花名册 {number}/{len(schools)}…")
        careless = is_careless(planned)
        if not world.pupils(planned):
            continue  # a demo of a handful of children
        by, school = sender(planned), schools[planned.code]
        _load_roll(school, write_roll(home / files.ROLLS, world, planned, sound=not careless), by=by)
        if careless and has_corrected(planned):
            _load_roll(school, write_roll(home / files.CORRECTED, world, planned, sound=True), by=by)
        elif planned.name == LATE_SCHOOL:
            path = write_roll(home / files.CORRECTED, world, planned, sound=True)
            _load_roll(school, path, by=by, apply=False)


def _senders(places: Places) -> Callable[[PlannedSchool], Account]:
    """Who uploads a school's roll: its own clerk, the 中心校 above it, else the bureau's 基教股."""
    named = {
        account.username: account
        for account in Account.objects.filter(username__in=("clerk", "district", "basic"))
    }
    central = places.school(CLERKS_SCHOOL)
    managed = {school.code for school in places.managed_by(central)}

    def sender(school: PlannedSchool) -> Account:
        return named["clerk" if school == central else "district" if school.code in managed else "basic"]

    return sender


def _load_roll(school: School, path: Path, *, by: Account, apply: bool = True) -> None:
    county = school.county
    term = Term.objects.get(county=county, code=TERM)
    roster, _ = rosters.new_roster(
        path=path, file_name=path.name, term=term, kind=Roster.Kind.ROLL, school=school, county=county, by=by
    )
    jobs.run_now("students.read_roster", by=by, county=county, roster=roster.pk)
    if apply:
        rosters.apply_roster(roster=roster, by=by, accept_good=True)


def _load_list(county: County, name: str, day: int, path: Path, office: str) -> None:
    by = Account.objects.get(username="basic" if name == "population" else "aid")
    snapshot, _ = registers.new_snapshot(
        path=path,
        file_name=path.name,
        register=register_named(county, name),
        as_of=DATES[day],
        county=county,
        township=None,
        partial=False,
        by=by,
        received_from=office,
    )
    jobs.run_now("students.read_register", by=by, county=county, snapshot=snapshot.pk, register=name)


def _compare(county: County) -> None:
    jobs.run_now("students.reconcile", by=Account.objects.get(username="aid"), county=county, term=TERM)
