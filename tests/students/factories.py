"""Rows of the first floor for tests, and lists and rolls as files that go in by the actions users use."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import factory
from factory.django import DjangoModelFactory

from bureau import jobs, secrecy
from bureau.access.models import Account
from bureau.identity.names import name_key, pinyin_key
from bureau.keys import uuid7
from bureau.organisation.models import County, School, Stage, Term, Township
from students.actions import registers, rosters
from students.intake.known import register_named
from students.models import (
    Category,
    Discrepancy,
    Enrolment,
    Entry,
    Hardship,
    Identifier,
    Person,
    Roster,
    Snapshot,
    Student,
    Whereabouts,
)
from tests.factories import AccountFactory, CountyFactory, SchoolFactory, TermFactory

CATEGORY_OF = {"poverty": Category.LIFTED_POOR, "monitored": Category.MARGINAL_RISK, "dibao": Category.DIBAO}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def citizen_id(born: date, sequence: int = 1) -> str:
    """A valid number of the fictional county; an odd `sequence` is a boy's."""
    body = f"990101{born:%Y%m%d}{sequence:03}"
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(WEIGHTS, body, strict=True)) % 11]


def child_name(n: int) -> str:
    return "赵钱孙李周吴郑王冯陈"[n % 10] + "甲乙丙丁戊己庚辛壬癸"[n // 10 % 10] + "山川河海"[n // 100 % 4]


class PersonFactory(DjangoModelFactory):
    class Meta:
        model = Person

    county = factory.SubFactory(CountyFactory)
    name = factory.Sequence(child_name)
    name_key = factory.LazyAttribute(lambda person: name_key(person.name))
    pinyin = factory.LazyAttribute(lambda person: pinyin_key(person.name))
    birth_on = date(2016, 5, 1)


class StudentFactory(DjangoModelFactory):
    """A child of ten who is in no school: `StudentFactory(name="张三", born=date(…), number="9901…", at=school)`."""

    class Meta:
        model = Student
        skip_postgeneration_save = True

    class Params:
        name = factory.Sequence(child_name)
        born = date(2016, 5, 1)

    county = factory.SubFactory(CountyFactory)
    person = factory.SubFactory(
        PersonFactory,
        county=factory.SelfAttribute("..county"),
        name=factory.SelfAttribute("..name"),
        birth_on=factory.SelfAttribute("..born"),
    )

    @factory.post_generation
    def number(student, create, number, **kwargs):
        if number:
            give_number(student.person, number)

    @factory.post_generation
    def at(student, create, school, **kwargs):
        if school:
            EnrolmentFactory(student=student, school=school)


def give_number(person: Person, number: str, kind: str = Identifier.Kind.CITIZEN_ID, *, derived: bool = False) -> Identifier:
    pk = uuid7()
    return Identifier.objects.create(
        pk=pk, county=person.county, person=person, kind=kind, derived=derived,
        sealed=secrecy.seal(number, field=kind, value_id=pk), index=secrecy.blind(number, field=kind),
    )  # fmt: skip


class EnrolmentFactory(DjangoModelFactory):
    """In the third year of primary school, 在籍 and 在校."""

    class Meta:
        model = Enrolment

    student = factory.SubFactory(StudentFactory)
    county = factory.SelfAttribute("student.county")
    school = factory.SubFactory(SchoolFactory)
    stage = Stage.PRIMARY
    entered_in = 2024
    class_name = "1班"
    is_registered = True
    is_present = True
    started_on = date(2024, 9, 1)


class SnapshotFactory(DjangoModelFactory):
    """A closed list of the whole county: `SnapshotFactory(name="dibao", as_of=date(…))`."""

    class Meta:
        model = Snapshot

    class Params:
        name = "poverty"

    county = factory.SubFactory(CountyFactory)
    register = factory.LazyAttribute(lambda snapshot: register_named(snapshot.county, snapshot.name))
    as_of = date(2026, 10, 12)
    state = Snapshot.State.CLOSED
    file_name = "名单.csv"
    sha256 = factory.LazyFunction(lambda: uuid7().hex * 2)
    received_by = factory.SubFactory(AccountFactory, county=factory.SelfAttribute("..county"))


class EntryFactory(DjangoModelFactory):
    """A stay on a list: `EntryFactory(on="dibao", listed=(first, last), student=…, category=…)`; last None: still on it."""

    class Meta:
        model = Entry

    class Params:
        on = "poverty"
        listed = (date(2026, 3, 1), None)
        student = None

    county = factory.SubFactory(CountyFactory)
    register = factory.LazyAttribute(lambda entry: register_named(entry.county, entry.on))
    listed_from = factory.LazyAttribute(lambda entry: entry.listed[0])
    listed_to = factory.LazyAttribute(lambda entry: entry.listed[1])
    person = factory.LazyAttribute(lambda entry: entry.student.person if entry.student else None)
    link_state = factory.LazyAttribute(lambda entry: "linked" if entry.person else "unlinked")
    name = factory.LazyAttribute(lambda entry: entry.person.name if entry.person else "李小明")
    name_key = factory.LazyAttribute(lambda entry: name_key(entry.name))
    birth_on = date(2016, 5, 1)
    category = factory.LazyAttribute(lambda entry: CATEGORY_OF.get(entry.on, ""))
    recognised_by = factory.LazyFunction(lambda: uuid7().bytes)
    row_uuid = factory.LazyFunction(uuid7)
    digest = factory.LazyFunction(lambda: uuid7().bytes)
    payload_sealed = factory.LazyAttribute(lambda entry: secrecy.seal("{}", field="payload", value_id=entry.row_uuid))


class HardshipFactory(DjangoModelFactory):
    class Meta:
        model = Hardship

    student = factory.SubFactory(StudentFactory)
    county = factory.SelfAttribute("student.county")
    category = Category.LIFTED_POOR
    valid_from = date(2026, 3, 1)
    recorded_by = factory.SubFactory(AccountFactory, county=factory.SelfAttribute("..county"))


class WhereaboutsFactory(DjangoModelFactory):
    class Meta:
        model = Whereabouts

    student = factory.SubFactory(StudentFactory)
    county = factory.SelfAttribute("student.county")
    kind = Whereabouts.Kind.OUT_OF_PROVINCE
    evidence = "就读证明"
    valid_from = date(2026, 8, 1)
    recorded_by = factory.SubFactory(AccountFactory, county=factory.SelfAttribute("..county"))


class RosterFactory(DjangoModelFactory):
    """An applied class roll of one school, without rows."""

    class Meta:
        model = Roster

    school = factory.SubFactory(SchoolFactory)
    county = factory.SelfAttribute("school.county")
    term = factory.SubFactory(TermFactory)
    kind = Roster.Kind.ROLL
    status = Roster.State.APPLIED
    file_name = "花名册.csv"
    sha256 = factory.LazyFunction(lambda: uuid7().hex * 2)
    uploaded_by = factory.SubFactory(AccountFactory, county=factory.SelfAttribute("..county"))


class DiscrepancyFactory(DjangoModelFactory):
    class Meta:
        model = Discrepancy

    student = factory.SubFactory(StudentFactory)
    county = factory.SelfAttribute("student.county")
    rule = "R01"
    subject_kind = "student"
    subject_id = factory.LazyAttribute(lambda difference: difference.student.pk.hex)
    term = factory.SubFactory(TermFactory)
    office = "township"
    opened_on = date(2026, 10, 13)
    due_on = date(2026, 10, 22)


Rows = Sequence[Mapping[str, object]]


def write_list(path: Path, rows: Rows) -> Path:
    """A CSV file of these rows; its header is what the rows name, in the order they name it."""
    headers = list(dict.fromkeys(header for row in rows for header in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, headers, restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


class Office:
    """Sends files into one county the way a page or a command does, the job done at once."""

    def __init__(self, county: County, term: Term, folder: Path, by: Account) -> None:
        self.county, self.term, self.folder, self.by = county, term, folder, by

    def file(self, rows: Rows) -> Path:
        return write_list(self.folder / "upload.csv", rows)

    def roll(
        self, rows: Rows | Path, *, school: School | None = None, term: Term | None = None, kind: str = "roll"
    ) -> Roster:
        """A roster, read and staged."""
        path = rows if isinstance(rows, Path) else self.file(rows)
        roster, is_new = rosters.new_roster(
            path=path, file_name=path.name, term=term or self.term, kind=kind, school=school,
            county=self.county, by=self.by,
        )  # fmt: skip
        if is_new:
            jobs.run_now("students.read_roster", by=self.by, county=self.county, roster=roster.pk)
            roster.refresh_from_db()
        return roster

    def enrol(self, rows: Rows | Path, **more) -> Roster:
        """A roster, read and applied."""
        return rosters.apply_roster(roster=self.roll(rows, **more), by=self.by)

    def list(
        self, register: str, rows: Rows | Path, *, on: date = date(2026, 10, 12), township: Township | None = None,
        partial: bool = False,
    ) -> Snapshot:  # fmt: skip
        """A list of another office, read, compared, linked and closed (or refused)."""
        path = rows if isinstance(rows, Path) else self.file(rows)
        snapshot, is_new = registers.new_snapshot(
            path=path, file_name=path.name, register=register_named(self.county, register), as_of=on,
            county=self.county, township=township, partial=partial, by=self.by,
        )  # fmt: skip
        if is_new:
            jobs.run_now(
                "students.read_register", by=self.by, county=self.county, snapshot=snapshot.pk, register=register
            )
            snapshot.refresh_from_db()
        return snapshot

    def reconcile(self, *rules: str, on: date | None = None, term: Term | None = None) -> dict[str, dict[str, int]]:
        """Counts of each rule after one run."""
        job = jobs.run_now(
            "students.reconcile", by=self.by, county=self.county, term=(term or self.term).code,
            rules=list(rules) or None, as_of=on and on.isoformat(),
        )  # fmt: skip
        return job.result["rules"]


def codes(file: Roster | Snapshot, level: str | None = None) -> list[str]:
    """Codes of the problems of a file, in its order."""
    return [problem["code"] for problem in file.problems if level in (None, problem["level"])]

