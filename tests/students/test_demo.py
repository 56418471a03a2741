"""The demo county: what its files hold, how they read, and what stands on the desks after seeding."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from bureau import jobs
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.audit.models import AuditEvent
from bureau.identity import parse_citizen_id, parse_student_number
from bureau.organisation.models import County, School, Term
from bureau.sheets import ACCEPTED, read
from bureau.sheets.process import here
from students.actions import rosters
from students.demo import AlreadySeeded, files, seed
from students.demo.lists import POVERTY, write_list
from students.demo.rolls import is_careless, write_roll
from students.demo.schools import CLERKS_SCHOOL, LATE_SCHOOL
from students.demo.world import DATES, Maker, World
from students.models import Discrepancy, Enrolment, Entry, Hardship, Roster, Snapshot
from students.sheets import ROSTERS, SHEETS

READ_ON = date(2026, 11, 20)


@pytest.fixture(scope="module")
def world_of_paper() -> World:
    return Maker(900).make()


@pytest.fixture(autouse=True)
def reading_in_this_process(monkeypatch):
    monkeypatch.setattr("bureau.sheets.reader.listen", here)


def test_every_number_is_valid_fictional_and_nobody_elses(world_of_paper):
    people = [p for h in world_of_paper.households for p in (*h.adults, *h.children)]

    numbers = [parse_citizen_id(person.number, today=READ_ON) for person in people]
    school_numbers = [parse_student_number(child.student_number).value for child in world_of_paper.children]

    assert len({number.value for number in numbers}) == len(people)
    assert {number.value[:6] for number in numbers} == {"990101", "990102"}
    assert [(n.born_on, n.sex) for n in numbers] == [(p.birth_on, p.sex) for p in people]
    assert len(set(school_numbers)) == len(school_numbers)


def test_county_has_schools_of_every_stage_and_each_has_pupils(world_of_paper):
    schools = world_of_paper.places.schools
    codes = {school.code for school in schools}

    assert {stage for school in schools for stage in school.stages} == {
        "preschool", "primary", "junior", "senior_general", "vocational", "special",
    }  # fmt: skip
    assert {school.managed_by for school in schools} - {None} <= codes
    assert all(world_of_paper.pupils(school) for school in schools)
    assert sum(len(world_of_paper.pupils(school)) for school in schools) == 900


def test_the_same_county_is_written_byte_for_byte_on_every_machine(tmp_path):
    written = []
    for folder in (tmp_path / "here", tmp_path / "there"):
        world = Maker(200).make()
        files.make_folders(folder)
        files.write_organisation(folder, world)
        write_roll(folder, world, world.places.school(CLERKS_SCHOOL), sound=False)
        write_list(folder, world, "poverty", 1)
        files.write_practice(folder, world)
        written.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})

    assert len(written[0]) == 7
    assert written[0] == written[1]


def test_sound_rolls_are_read_in_full_whatever_their_layout(world_of_paper, tmp_path):
    for school in world_of_paper.places.schools:
        path = write_roll(tmp_path, world_of_paper, school, sound=True)
        reading = read(path, ROSTERS["roll"], today=READ_ON)
        pupils = world_of_paper.pupils(school)
        rows = [row.values for row in reading.rows if row.status == ACCEPTED]

        assert not [p for p in reading.problems if p.level == "error"], school.name
        assert sorted(row["citizen_id"] for row in rows) == sorted(child.number for child in pupils)
        assert Counter(row["birth_on"] for row in rows) == Counter(child.birth_on for child in pupils)
        assert all(row["grade"] for row in rows)


def test_a_careless_roll_has_a_few_errors_and_far_more_sound_rows(world_of_paper, tmp_path):
    careless = [school for school in world_of_paper.places.schools if is_careless(school)]
    assert {CLERKS_SCHOOL, LATE_SCHOOL} <= {school.name for school in careless}

    for school in careless:
        if len(world_of_paper.pupils(school)) <= 2:
            continue
        path = write_roll(tmp_path, world_of_paper, school, sound=False)
        counts = read(path, ROSTERS["roll"], today=READ_ON).counts
        assert 0 < counts["rejected"] <= 0.1 * counts["accepted"] + 1, school.name


@pytest.mark.parametrize("register", ["population", "poverty", "monitored", "dibao"])
def test_lists_lose_nobody_and_change_a_little_from_date_to_date(world_of_paper, tmp_path, register):
    held = []
    for day in (0, 1):
        reading = read(write_list(tmp_path, world_of_paper, register, day), SHEETS[register], today=READ_ON)
        assert reading.file_error is None and reading.counts["rejected"] == 0
        held.append(Counter(row.values.get("name") for row in reading.rows if row.status == ACCEPTED))
    before, after = held

    assert before != after
    assert (before & after).total() > 0.85 * before.total()


def test_unit_lines_above_the_header_are_not_taken_for_a_part_of_it(world_of_paper, tmp_path):
    reading = read(write_list(tmp_path, world_of_paper, "poverty", 0), SHEETS["poverty"], today=READ_ON)

    assert set(reading.tables[0].headers.values()) <= set(POVERTY)


@pytest.fixture
def demo(db, home) -> dict:
    return seed(students=800)


@pytest.mark.slow
def test_seeding_leaves_every_desk_something_to_do(demo, home):
    county = County.objects.get(code="990101")
    found = Counter(Discrepancy.objects.filter(county=county).values_list("rule", "state"))

    assert demo["schools"] == School.objects.count() == 60
    assert demo["students"] == Enrolment.objects.open().values("student").distinct().count()
    assert 760 <= demo["students"] <= 800
    assert Snapshot.objects.closed().count() == 8
    assert Roster.objects.filter(status="applied").count() >= 60
    assert all(found[rule, "new"] for rule in ("R01", "R08", "R25", "R26")), found
    assert found["R25", "closed"] > found["R25", "new"]
    assert found["R25", "accepted"] and found["R01", "closed"]
    assert Entry.objects.filter(link_state="proposed").exists()
    share = Hardship.objects.values("student").distinct().count() / demo["students"]
    assert 0.1 < share < 0.25
    assert AuditEvent.objects.filter(verb="students.settled").exists()

    with pytest.raises(AlreadySeeded):
        seed(students=800)
    _check_accounts(demo["accounts"])
    _check_practice(home / "demo" / "练习", county)


def _check_accounts(told: list[dict[str, str]]) -> None:
    assert {account["role"] for account in told} == set(Role.values) - {Role.OPERATOR}
    for account in told:
        request = RequestFactory().post("/")
        logged_in = authenticate(request, username=account["username"], password=account["password"])
        assert logged_in is not None and not logged_in.must_change_password
        assert account["role"] in logged_in.scope.roles
        assert bool(account["place"]) is not logged_in.scope.whole_county
    clerk = Account.objects.get(username="clerk")
    assert Discrepancy.objects.visible_to(clerk).open().filter(rule="R25").exists()
    district = Account.objects.get(username="district")
    assert Roster.objects.visible_to(district).filter(status="staged").count() == 1


def _check_practice(folder: Path, county: County) -> None:
    """The sound roll brings two newcomers and misses one child; the faulty one says what is wrong."""
    sound, faulty, _, told = sorted(folder.iterdir(), key=lambda path: path.name)
    clerk = Account.objects.get(username="clerk")
    staged = {}
    for path in (sound, faulty):
        roster, is_new = rosters.new_roster(
            path=path,
            file_name=path.name,
            term=Term.objects.get(county=county, code="2026-autumn"),
            kind=Roster.Kind.ROLL,
            school=School.objects.get(name=CLERKS_SCHOOL),
            county=county,
            by=clerk,
        )
        assert is_new
        jobs.run_now("students.read_roster", by=clerk, county=county, roster=roster.pk)
        roster.refresh_from_db()
        staged[path] = roster

    assert staged[sound].rejected == 0
    assert staged[sound].new >= 2  # with those whose first row had an error
    assert staged[sound].absent == 1
    assert staged[faulty].rejected > 0
    assert str(DATES[2]) in told.read_text(encoding="utf-8")
