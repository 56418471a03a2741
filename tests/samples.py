"""Objects for the access matrix: for every URL with arguments, one the account may see and one it may not.

A URL name maps to a function of (world, account). `foreign` is the nearest object out of sight: another school's for a
school, another county's for the county. `own` is None where a role that has the right can have nothing of its own;
`foreign` is None where the argument names no object. A pattern with arguments and without an entry here fails the suite.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from bureau import secrecy
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.jobs.models import Job
from bureau.keys import uuid7
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.models import County, School, Village
from bureau.year.models import Handover, TermClosing, WorkDate
from dropout.models import Case, Episode, ReturnOrder
from students.intake.checkroll import key_of
from students.models import (
    Agency,
    Attachment,
    Bundle,
    Collection,
    Determination,
    Discrepancy,
    Duplicate,
    Enrolment,
    Entry,
    ExchangeToken,
    FieldLine,
    FieldSheet,
    FilledForm,
    GroupFact,
    HeaderMapping,
    Household,
    Leaver,
    Link,
    Membership,
    Merge,
    Movement,
    MovementPaper,
    Person,
    Promotion,
    Register,
    RelocationSite,
    Repeat,
    RollChange,
    RollCheck,
    Roster,
    Schooling,
    Snapshot,
    Student,
    UnlockRequest,
)
from subsidies.models import Appropriation, FundSource, Grant, Objection, Programme, PublicNotice
from tests.cast import World
from tests.factories import AccountFactory, HolidayFactory, TermFactory, VillageFactory

Arguments = dict[str, Any] | None


@dataclass(frozen=True)
class Sample:
    own: Arguments
    foreign: Arguments


Sampler = Callable[[World, Account], Sample]


def _of_schools(argument: str, make: Callable[[School], Any]) -> Sampler:
    """One object at a school in sight, one at a school out of sight."""

    def sample(world: World, account: Account) -> Sample:
        own, foreign = make(world.school), make(world.foreign_school(account))
        return Sample({argument: own.pk}, {argument: foreign.pk})

    return sample


def _clerk(school: School) -> Account:
    return AccountFactory(county=school.county, role=Role.SCHOOL_CLERK, at=school)


def _account_seen(world: World, account: Account) -> Sample:
    return Sample({"account_id": account.pk}, {"account_id": _clerk(world.foreign_school(account)).pk})


def _assignment(school: School):
    return _clerk(school).assignments.get()


def _village(school: School) -> Village:
    return VillageFactory(township=school.township)


def _term(world: World, account: Account) -> Sample:
    return Sample({"term_id": world.term.pk}, {"term_id": TermFactory(county=world.far_county).pk})


def _holiday(world: World, account: Account) -> Sample:
    own, foreign = HolidayFactory(county=world.county), HolidayFactory(county=world.far_county)
    return Sample({"holiday_id": own.pk}, {"holiday_id": foreign.pk})


def _job(world: World, account: Account) -> Sample:
    other = AccountFactory(county=world.far_county, role=Role.SUPERVISOR)
    own, foreign = (Job.objects.create(kind="test", county=one.county, by=one) for one in (account, other))
    return Sample({"job_id": own.pk}, {"job_id": foreign.pk})


def student_at(school: School) -> Student:
    person = Person.objects.create(
        county=school.county, name="张三", name_key="张三", birth_on=date(2016, 5, 1)
    )
    student = Student.objects.create(person=person, county=school.county, hukou_township=school.township)
    Enrolment.objects.create(
        county=school.county, student=student, school=school, is_registered=True, is_present=True, stage="primary",
        entered_in=2022, class_name="1班", started_on=date(2022, 9, 1),
    )  # fmt: skip
    return student


def _roster(school: School) -> Roster:
    return Roster.objects.create(
        county=school.county, term=TermFactory(county=school.county), school=school, kind=Roster.Kind.ROLL,
        status=Roster.State.STAGED, file_name="一年级.xlsx", sha256=uuid7().hex * 2,
        uploaded_by=AccountFactory(county=school.county),
    )  # fmt: skip


def _schooling(school: School) -> Schooling:
    facts = {"school": school, "kind": Schooling.Kind.LENGTH, "stage": "primary", "from_year": 2020}
    return Schooling.objects.get_or_create(**facts, defaults={"county": school.county, "years": 5})[0]


def _repeat(school: School) -> Repeat:
    year = TermFactory(county=school.county).school_year
    enrolment = student_at(school).enrolments.get()
    by = AccountFactory(county=school.county)
    return Repeat.objects.create(county=school.county, enrolment=enrolment, school_year=year, evidence="批件", decided_by=by)


def _promotion(school: School) -> Promotion:
    year = TermFactory(county=school.county).school_year
    return Promotion.objects.create(
        county=school.county, school_year=year, school=school, state=Promotion.State.STAGED, leaves_on=date(2026, 7, 10),
        asked_by=AccountFactory(county=school.county),
    )  # fmt: skip


def _leaver(school: School) -> Leaver:
    year = TermFactory(county=school.county).school_year
    enrolment = student_at(school).enrolments.get()
    Enrolment.objects.filter(pk=enrolment.pk).update(ended_on=date(2026, 7, 10), exit_kind="毕业", is_present=False)
    return Leaver.objects.create(county=school.county, enrolment=enrolment, school_year=year)


def _applied_roster(school: School) -> Roster:
    roster = _roster(school)
    roster.status, roster.applied_by, roster.applied_at = Roster.State.APPLIED, roster.uploaded_by, timezone.now()
    roster.save()
    return roster


def _register(school: School) -> Register:
    return Register.objects.get_or_create(
        county=school.county, name="poverty", defaults={"title": "脱贫户名单"}
    )[0]


def _own_register(world: World, account: Account) -> Sample:
    own, foreign = (
        Register.objects.create(county=county, name="own_1", title="自建", kept_by_officer=True)
        for county in (world.county, world.far_county)
    )
    return Sample({"register_id": own.pk}, {"register_id": foreign.pk})


def _snapshot(school: School) -> Snapshot:
    return Snapshot.objects.create(
        county=school.county, register=_register(school), township=school.township, as_of=date(2026, 10, 1),
        state=Snapshot.State.CLOSED, file_name="名单.xlsx", sha256=uuid7().hex * 2,
        received_by=AccountFactory(county=school.county),
    )  # fmt: skip


def _of_townships(argument: str, make: Callable[[School], Any]) -> Sampler:
    """Lists are seen by the county and by the township: schools have none of their own."""

    def sample(world: World, account: Account) -> Sample:
        foreign = {argument: make(world.foreign_school(account)).pk}
        sees_lists = account.scope.whole_county or account.scope.townships
        return Sample({argument: make(world.school).pk} if sees_lists else None, foreign)

    return sample


def _entry(school: School) -> Entry:
    return Entry.objects.create(
        county=school.county, register=_register(school), township=school.township, listed_from=date(2026, 1, 1),
        name="张三", name_key="张三", recognised_by=uuid7().bytes, row_uuid=uuid7(), digest=uuid7().bytes,
        category="lifted_poor",
    )  # fmt: skip


def _link(school: School) -> Link:
    return Link.objects.create(
        county=school.county,
        entry=_entry(school),
        person=student_at(school).person,
        method="name",
        digest=uuid7().bytes,
    )


def _of_counties(argument: str, make: Callable[[School], Any]) -> Sampler:
    """What only the offices of a county see."""

    def sample(world: World, account: Account) -> Sample:
        own = {argument: make(world.school).pk} if account.scope.whole_county else None
        return Sample(own, {argument: make(world.foreign_school(account)).pk})

    return sample


def _merge(school: School) -> Merge:
    return Merge.objects.create(
        county=school.county, kind=Merge.Kind.MERGE, kept=student_at(school).pk, other=uuid7(), reason="同一人",
        done_by=AccountFactory(county=school.county),
    )  # fmt: skip


def _duplicate(school: School) -> Duplicate:
    first, second = sorted([student_at(school).pk, student_at(school).pk])
    return Duplicate.objects.create(county=school.county, first=first, second=second, why=Duplicate.Why.SCHOOLMATE)


def _household(school: School) -> Household:
    household = Household.objects.create(county=school.county, kind=Household.Kind.POVERTY, number=uuid7().hex)
    Membership.objects.create(household=household, person=student_at(school).person)
    return household


def _discrepancy(school: School) -> Discrepancy:
    return Discrepancy.objects.create(
        county=school.county, rule="R01", subject_kind="person", subject_id=uuid7().hex, student=student_at(school),
        school=school, township=school.township, term=TermFactory(county=school.county), office="school",
        opened_on=date(2026, 10, 2), due_on=date(2026, 10, 20),
    )  # fmt: skip


def _attachment(school: School) -> Attachment:
    """Withdrawn: whoever may see it is told so."""
    return Attachment.objects.create(
        discrepancy=_discrepancy(school), occurrence=1, file_name="证明.pdf", kind="pdf", size=5, sha256=uuid7().hex * 2,
        by=AccountFactory(county=school.county), withdrawn_at=timezone.now(),
    )  # fmt: skip


def _field_sheet(school: School) -> FieldSheet:
    sheet = FieldSheet.objects.create(
        county=school.county, township=school.township, printed_by=AccountFactory(county=school.county)
    )
    FieldLine.objects.create(sheet=sheet, position=1, discrepancy=_discrepancy(school), occurrence=1)
    return sheet


def collection_of(county: County, **facts) -> Collection:
    """A collection of class rolls of all stages in September 2026."""
    given = {"kind": "roll", "opens_on": date(2026, 9, 1), "closes_on": date(2026, 9, 20)} | facts
    return Collection.objects.get_or_create(
        county=county, term=TermFactory(county=county), kind=given.pop("kind"), stage=given.pop("stage", ""), defaults=given
    )[0]


def _collection(world: World, account: Account) -> Sample:
    """Every account of a county may know what is asked of its schools."""
    argument = "collection_id"
    return Sample({argument: collection_of(world.county).pk}, {argument: collection_of(world.far_county).pk})


def _collection_edited(world: World, account: Account) -> Sample:
    sample = _collection(world, account)
    return sample if account.scope.whole_county else Sample(None, sample.foreign)


def _unlock_request(school: School) -> UnlockRequest:
    return UnlockRequest.objects.create(
        collection=collection_of(school.county), school=school, reason="转入三人", asked_by=_clerk(school)
    )


def _form(world: World, account: Account) -> Sample:
    """A filled form is seen by whoever asked for it, and by nobody else."""

    def form(by: Account) -> FilledForm:
        return FilledForm.objects.create(county=world.county, file_name="汇总表.xlsx", fingerprint="f" * 64, asked_by=by)

    return Sample({"form_id": form(account).pk}, {"form_id": form(_clerk(world.school)).pk})


def _token(world: World, account: Account) -> Sample:
    """Tokens concern the whole county: whoever works at one place of it sees none."""

    def token(county: County) -> ExchangeToken:
        return ExchangeToken.objects.create(
            county=county, agency=Agency.objects.get_or_create(county=county, name="县民政局")[0], digest=uuid7().bytes * 2,
            hint="bx_abcdefg", registers=["dibao"], per_minute=60, expires_on=date(2099, 1, 1), created_by=AccountFactory(county=county),
        )  # fmt: skip

    near, far = token(world.county), token(world.far_county)
    whole = account.scope.whole_county
    return Sample({"token_id": near.pk} if whole else None, {"token_id": (far if whole else near).pk})


def _mapping(school: School) -> HeaderMapping:
    return HeaderMapping.objects.get_or_create(
        county=school.county, school=school, sheet="roll", header="娃名", defaults={"attr": "name", "taught_by": _clerk(school)}
    )[0]


def _check(school: School) -> RollCheck:
    """Open, with a class to look at, a child who is to be edited and one who was added."""
    student_at(school)
    check = RollCheck.objects.create(
        county=school.county, school=school, term=TermFactory(county=school.county), opened_by=AccountFactory(county=school.county)
    )  # fmt: skip
    facts = {"stage": "primary", "entered_in": 2022, "class_name": "1班", "boarding": None, "state": ""}
    change = RollChange(check_of=check, kind="add", entered_by=check.opened_by, sealed_uuid=uuid7())
    typed = json.dumps({"name": "李四", **facts})
    change.sealed = secrecy.seal(typed, field="payload", value_id=change.sealed_uuid)
    change.save()
    return check


def _of_checks(argument: str = "", find: Callable[[RollCheck], Any] = lambda check: None) -> Sampler:
    """A check of a school in sight and one of a school out of sight, with what else the address names."""

    def arguments(school: School) -> dict[str, Any]:
        check = _check(school)
        return {"check_id": check.pk} | ({argument: find(check)} if argument else {})

    def sample(world: World, account: Account) -> Sample:
        RollCheck.objects.filter(state="open").update(state="given_up")
        return Sample(arguments(world.school), arguments(world.foreign_school(account)))

    return sample


def _child_of(check: RollCheck) -> Any:
    return check.school.enrolments.order_by("-pk").first().pk


def _bundle(world: World, account: Account) -> Sample:
    """Seen by the county and by whoever sent it."""
    clerk = AccountFactory(county=world.far_county)

    def make(by: Account) -> dict[str, Any]:
        bundle = Bundle.objects.create(
            county=by.county, term=TermFactory(county=by.county), kind="roll", file_name="名册.zip", sha256=uuid7().hex * 2,
            entries=[{"name": "说明.docx", "roster": None, "why": "不是电子表格，没有读取。"}], uploaded_by=by,
        )  # fmt: skip
        return {"bundle_id": bundle.pk}

    return Sample(make(account), make(clerk))


def _group_fact(school: School) -> GroupFact:
    by = _clerk(school)
    return GroupFact.objects.create(
        county=school.county, student=student_at(school), group="left_behind", valid_from=date(2026, 9, 1), source="school",
        checked_on=date(2026, 9, 1), checked_by=by, recorded_by=by,
    )  # fmt: skip


def _site(school: School) -> RelocationSite:
    site = RelocationSite.objects.get_or_create(county=school.county, name=f"{school}安置点", township=school.township)[0]
    site.schools.add(school)
    return site


def _site_edited(world: World, account: Account) -> Sample:
    """Sites are the bureau's to change."""
    own = {"site_id": _site(world.school).pk} if account.scope.whole_county else None
    return Sample(own, {"site_id": _site(world.far_school).pk})


def _movement(school: School) -> Movement:
    stay = student_at(school).enrolments.get()
    return Movement.objects.create(
        county=school.county, enrolment=stay, school=school, kind="out_of_province", place="义乌市稠城一小",
        since_on=date(2026, 9, 10), due_on=date(2026, 9, 24), evidence="转学申请", announced_by=_clerk(school),
    )  # fmt: skip


def _movement_paper(school: School) -> MovementPaper:
    movement = _movement(school)
    return movement.papers.create(kind="letter", file_name="回执.pdf", added_by=movement.announced_by)


def _movement_step(world: World, account: Account) -> Sample:
    own, foreign = _movement(world.school), _movement(world.foreign_school(account))
    return Sample({"movement_id": own.pk, "word": "answer"}, {"movement_id": foreign.pk, "word": "answer"})


def _work_date(world: World, account: Account) -> Sample:
    """The dates are the county's: whoever works at one place of it sees them and changes none."""

    def made(county: County) -> WorkDate:
        days = {"starts_on": date(2026, 9, 10), "due_on": date(2026, 9, 20)}
        return WorkDate.objects.get_or_create(
            county=county, title="困难认定", kind="assess", **days, defaults={"set_by": AccountFactory(county=county)}
        )[0]

    own = {"work_date_id": made(world.county).pk} if account.scope.whole_county else None
    return Sample(own, {"work_date_id": made(world.far_county).pk})


def _term_whole(world: World, account: Account) -> Sample:
    sample = _term(world, account)
    return sample if account.scope.whole_county else Sample(None, sample.foreign)


def _handover(school: School) -> Handover:
    leaving, coming = _clerk(school), _clerk(school)
    return Handover.objects.create(
        county=school.county, leaving=leaving, coming=coming, handed_on=date(2026, 9, 1), done_by=coming
    )


def _closing(school: School) -> TermClosing:
    term, by = TermFactory(county=school.county), AccountFactory(county=school.county)
    return TermClosing.objects.get_or_create(term=term, reopened_at=None, defaults={"closed_on": date(2027, 1, 22), "closed_by": by})[0]


def _school_change(school: School) -> SchoolChange:
    by = AccountFactory(county=school.county)
    return SchoolChange.objects.get_or_create(
        county=school.county, school=school, kind="rename", state="planned",
        defaults={"value": "新名", "effective_on": date(2026, 9, 1), "decision": "云教发〔2026〕1号", "planned_by": by},
    )[0]


def _programme(county: County) -> Programme:
    return Programme.objects.get_or_create(county=county, code="sample", defaults={"name": "样例", "channel": "card", "benefit": "grant"})[0]


def _of_programmes(argument: str = "", find: Callable[[Programme], Any] = lambda programme: None) -> Sampler:
    """A programme of the county and one of another, with what else the address names. Every account may know of them."""

    def arguments(county: County) -> dict[str, Any]:
        programme = _programme(county)
        return {"programme_id": programme.pk} | ({argument: find(programme)} if argument else {})

    def sample(world: World, account: Account) -> Sample:
        TermFactory(county=world.far_county)
        return Sample(arguments(world.county) if account.scope.counties else None, arguments(world.far_county))

    return sample


def _rate(programme: Programme) -> int:
    return programme.rates.get_or_create(from_term=4053, stage="primary", defaults={"amount_fen": 100})[0].pk


def _grant(school: School) -> Grant:
    student = student_at(school)
    return Grant.objects.create(
        county=school.county, student=student, programme=_programme(school.county), term=TermFactory(county=school.county),
        amount_fen=100, name=student.person.name, school=school, reference_on=date(2026, 9, 1), signature=b"",
    )  # fmt: skip


def _notice(school: School) -> PublicNotice:
    return PublicNotice.objects.create(
        county=school.county, programme=_programme(school.county), term=TermFactory(county=school.county), school=school,
        posted_on=date(2026, 10, 12), ends_on=date(2026, 10, 19), lines=[["张三", "1班"]], posted_by=_clerk(school),
    )  # fmt: skip


def _objection(school: School) -> Objection:
    return Objection.objects.create(notice=_notice(school), received_on=date(2026, 10, 13), text="异议", recorded_by=_clerk(school))


def _determination(school: School) -> Determination:
    return Determination.objects.create(
        county=school.county, student=student_at(school), school_year=TermFactory(county=school.county).school_year, school=school,
        tier="general", evidence="重病", valid_from=date(2026, 9, 1), applied_by=_clerk(school),
    )  # fmt: skip


def _appropriation(school: School) -> Appropriation:
    source, _ = FundSource.objects.get_or_create(county=school.county, name="中央", defaults={"level": "central"})
    return Appropriation.objects.create(
        county=school.county, source=source, year=2026, doc_no=uuid7().hex, received_on=date(2026, 9, 1), amount_fen=100,
        available_fen=100, recorded_by=_clerk(school),
    )  # fmt: skip


def _case(school: School) -> Case:
    number = Case.objects.filter(county=school.county).count() + 1
    case = Case.objects.create(
        county=school.county, student=student_at(school), number=number, school=school, township=school.township,
        state=Case.State.ORDERED, opened_on=date(2026, 9, 10), due_on=date(2026, 9, 17),
    )  # fmt: skip
    Episode.objects.create(case=case, opened_on=case.opened_on)
    return case


def _order(school: School) -> ReturnOrder:
    case = _case(school)
    return ReturnOrder.objects.create(
        county=case.county, case=case, episode=case.episodes.get(), township=case.township, series=case.pk.hex, year=2026,
        number=1, guardian="张大山", days=7, issued_on=date(2026, 9, 14), issued_by=_clerk(school),
    )  # fmt: skip


def _case_step(world: World, account: Account) -> Sample:
    own, foreign = _case(world.school), _case(world.foreign_school(account))
    return Sample({"case_id": own.pk, "word": "back"}, {"case_id": foreign.pk, "word": "back"})


_one_case, _one_order = _of_schools("case_id", _case), _of_schools("order_id", _order)
_one_programme, _one_rate = _of_programmes(), _of_programmes("rate_id", _rate)
_account_edited = _of_schools("account_id", _clerk)
_township = _of_schools("township_id", lambda school: school.township)
_one_roster = _of_schools("roster_id", _roster)

SAMPLES: dict[str, Sampler] = {
    "bureau:account": _account_seen,
    "bureau:edit_account": _account_edited,
    "bureau:assign": _account_edited,
    "bureau:reset_password": _account_edited,
    "bureau:disable_account": _account_edited,
    "bureau:enable_account": _account_edited,
    "bureau:reset_second_factor": _account_edited,
    "bureau:end_assignment": _of_schools("assignment_id", _assignment),
    "bureau:township": _township,
    "bureau:edit_township": _township,
    "bureau:add_village": _township,
    "bureau:edit_village": _of_schools("village_id", _village),
    "bureau:school": _of_schools("school_id", lambda school: school),
    "bureau:edit_school": _of_schools("school_id", lambda school: school),
    "bureau:plan_change": _of_schools("school_id", lambda school: school),
    "bureau:school_change": _of_schools("change_id", _school_change),
    "bureau:apply_change": _of_schools("change_id", _school_change),
    "bureau:cancel_change": _of_schools("change_id", _school_change),
    "bureau:undo_change": _of_schools("change_id", _school_change),
    "bureau:hand_over": _account_edited,
    "bureau:handover": _of_schools("handover_id", _handover),
    "bureau:edit_work_date": _work_date,
    "bureau:delete_work_date": _work_date,
    "bureau:term_lists": _term_whole,
    "bureau:close_term": _term_whole,
    "bureau:frozen_figures": _of_counties("closing_id", _closing),
    "bureau:reopen_term": _of_counties("closing_id", _closing),
    "bureau:edit_term": _term,
    "bureau:delete_holiday": _holiday,
    "bureau:job": _job,
    "bureau:cancel_job": _job,
    "students:student": _of_schools("student_id", student_at),
    "students:reveal": _of_schools("student_id", student_at),
    "students:roster_template": lambda world, account: Sample({"kind": "roll"}, None),
    "students:roster": _one_roster,
    "students:roster_errors": _one_roster,
    "students:mark_roster": _one_roster,
    "students:unlock_roster": _one_roster,
    "students:read_roster": _one_roster,
    "students:stand_alone": _one_roster,
    "students:apply_roster": _one_roster,
    "students:discard_roster": _one_roster,
    "students:admit_rows": _one_roster,
    "students:undo_roster": _of_schools("roster_id", _applied_roster),
    "students:teach_headers": _one_roster,
    "students:form": _form,
    "students:filled_form": _form,
    "students:change_mapping": _of_schools("mapping_id", _mapping),
    "students:collection": _collection,
    "students:edit_collection": _collection_edited,
    "students:export_owed": _collection,
    "students:remind": _collection,
    "students:lock_collection": _collection_edited,
    "students:unlock_collection": _collection_edited,
    "students:ask_to_unlock": _collection,
    "students:unlock_request": _of_schools("request_id", _unlock_request),
    "students:answer_unlock": _of_schools("request_id", _unlock_request),
    "students:record_group": _of_schools("student_id", student_at),
    "students:withdraw_group": _of_schools("fact_id", _group_fact),
    "students:adopt_groups": lambda world, account: Sample({"group": "disabled"}, None),
    "students:site": _of_schools("site_id", _site),
    "students:edit_site": _site_edited,
    "students:announce": _of_schools("enrolment_id", lambda school: student_at(school).enrolments.get()),
    "students:movement": _of_schools("movement_id", _movement),
    "students:movement_letter": _of_schools("movement_id", _movement),
    "students:add_movement_paper": _of_schools("movement_id", _movement),
    "students:movement_step": _movement_step,
    "students:movement_paper": _of_schools("paper_id", _movement_paper),
    "students:check": _of_checks(),
    "students:check_class": _of_checks("class_key", lambda check: key_of(("primary", 2022, "1班"))),
    "students:check_pupil": _of_checks("enrolment_id", _child_of),
    "students:check_add": _of_checks(),
    "students:check_added": _of_checks("change_id", lambda check: check.changes.get().pk),
    "students:take_back_change": _of_checks("change_id", lambda check: check.changes.get().pk),
    "students:check_number": _of_checks(),
    "students:send_check": _of_checks(),
    "students:give_up_check": _of_checks(),
    "students:reopen_check": _of_checks(),
    "students:bundle": _bundle,
    "students:open_bundle": _bundle,
    "students:place_file": _bundle,
    "students:apply_bundle": _bundle,
    "students:snapshot": _of_townships("snapshot_id", _snapshot),
    "students:unlock_snapshot": _of_townships("snapshot_id", _snapshot),
    "students:edit_register": _own_register,
    "students:changes": _of_townships("snapshot_id", _snapshot),
    "students:confirm_snapshot": _of_townships("snapshot_id", _snapshot),
    "students:drop_snapshot": _of_townships("snapshot_id", _snapshot),
    "students:read_snapshot": _of_townships("snapshot_id", _snapshot),
    "students:revoke_token": _token,
    "students:decide_link": _of_townships("link_id", _link),
    "students:merge_students": _of_schools("student_id", student_at),
    "students:split_student": _of_schools("student_id", student_at),
    "students:merge": _of_counties("merge_id", _merge),
    "students:undo_merge": _of_counties("merge_id", _merge),
    "students:decide_duplicate": _of_counties("duplicate_id", _duplicate),
    "students:household": _of_townships("household_id", _household),
    "students:discrepancy": _of_schools("discrepancy_id", _discrepancy),
    "students:remove_schooling": _of_schools("schooling_id", _schooling),
    "students:withdraw_repeat": _of_schools("repeat_id", _repeat),
    "students:promotion": _of_schools("promotion_id", _promotion),
    "students:promotion_children": _of_schools("promotion_id", _promotion),
    "students:promotion_again": _of_schools("promotion_id", _promotion),
    "students:apply_promotion": _of_schools("promotion_id", _promotion),
    "students:undo_promotion": _of_schools("promotion_id", _promotion),
    "students:give_up_promotion": _of_schools("promotion_id", _promotion),
    "students:return_leaver": _of_schools("leaver_id", _leaver),
    "students:area": _of_schools("school_id", lambda school: school),
    "students:edit_area": _of_schools("school_id", lambda school: school),
    "students:letters": _of_schools("school_id", lambda school: school),
    **{
        f"subsidies:{page}": _one_programme
        for page in (
            "programme", "edit_programme", "rates", "add_rate", "exclude", "entitled", "export_entitled", "others", "export_others",
            "list_candidates", "step_applied", "step_school_reviewed", "step_in_notice", "step_notice_passed", "step_submitted",
            "step_county_approved", "step_finance_approved",
        )
    },
    "subsidies:edit_rate": _one_rate,
    "subsidies:delete_rate": _one_rate,
    "subsidies:grant": _of_schools("grant_id", _grant),
    "subsidies:leave_one": _of_schools("grant_id", _grant),
    "subsidies:notice": _of_schools("notice_id", _notice),
    "subsidies:object_to": _of_schools("notice_id", _notice),
    "subsidies:take_down": _of_schools("notice_id", _notice),
    "subsidies:answer": _of_schools("objection_id", _objection),
    "subsidies:decide": _of_schools("determination_id", _determination),
    "subsidies:determine": _of_schools("student_id", student_at),
    "subsidies:appropriation": _of_counties("appropriation_id", _appropriation),
    "subsidies:withdraw": _of_counties("appropriation_id", _appropriation),
    "subsidies:close_term": _term,
    "dropout:case": _one_case,
    "dropout:visit": _one_case,
    "dropout:sign": _one_case,
    "dropout:step": _case_step,
    "dropout:report": _of_schools("student_id", student_at),
    "dropout:order": _one_order,
    "dropout:serve_order": _one_order,
    "dropout:cancel_order": _one_order,
    "students:field_sheet": _of_townships("sheet_id", _field_sheet),
    "students:key_sheet": _of_townships("sheet_id", _field_sheet),
    "students:comment": _of_schools("discrepancy_id", _discrepancy),
    "students:attach": _of_schools("discrepancy_id", _discrepancy),
    "students:attachment": _of_schools("attachment_id", _attachment),
    "students:withdraw_attachment": _of_schools("attachment_id", _attachment),
}
