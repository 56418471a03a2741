"""学籍, rolls and the police list against each other: R02 to R07, and R32."""

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from students.models import Absence, Enrolment, Entry, Movement, RosterSchool, Snapshot, Student, Whereabouts
from students.rules.matter import NO_ENTRY, NOWHERE, Matter, by_enrolment, by_person, stays

WAITING_ELSEWHERE = [Whereabouts.Kind.SUSPENDED, Whereabouts.Kind.HOME_TEACHING, Whereabouts.Kind.CORRECTIVE]
MOVES = ("转出", "转入", "休学", "复学", "出国", "死亡", "离校")  # 学籍异动 that need a paper; graduation needs none


def not_on_the_police_list(matter: Matter) -> list[QuerySet]:
    """R02: 在籍 and of school age, not known to be registered elsewhere, and on no police list that covers him."""
    heard = Snapshot.objects.closed().filter(
        Q(township=None) | Q(township=OuterRef("hukou_township")),
        county=matter.county, register__name="population", partial=False, as_of__lte=matter.as_of,
    )  # fmt: skip
    listed = stays(matter, "population").filter(person=OuterRef("person_id"))
    registered = Enrolment.objects.filter(student=OuterRef("pk"), is_registered=True, ended_on=None, school__isnull=False)
    first, last = matter.births
    strangers = Student.objects.filter(
        Exists(registered), Exists(heard), ~Exists(listed), county=matter.county, hukou_outside=False
    ).of_school_age(from_birth=first, to_birth=last)
    return [_by_student(strangers, proof="registered, not on the police list")]


def particulars_differ(matter: Matter) -> list[QuerySet]:
    """R03: the police list has another name, sex or birth date than the school. The compared values are the evidence."""
    listed = stays(matter, "population").filter(person__student__isnull=False)
    name = ~Q(name_key="") & ~Q(name_key=F("person__name_key"))
    sex = Q(sex__in=["1", "2"], person__sex__in=["1", "2"]) & ~Q(sex=F("person__sex"))
    birth = Q(birth_on__isnull=False, person__birth_on__isnull=False) & ~Q(birth_on=F("person__birth_on"))
    at_school = Enrolment.objects.open().filter(student=OuterRef("person_id"), school__isnull=False)
    differing = listed.filter(name | sex | birth).filter(Exists(at_school))
    said = Concat(
        _said(name, "姓名", "name", "person__name"),
        _said(sex, "性别", "sex", "person__sex"),
        _said(birth, "出生日期", Cast("birth_on", CharField()), Cast("person__birth_on", CharField())),
        output_field=CharField(),
    )
    return [
        differing.order_by()
        .annotate(
            kind=Value("entry", CharField()),
            key=Cast("id", CharField()),
            of_category=Value("", CharField()),
            compared=said,
            at=NOWHERE,
        )
        .values_list("kind", "key", "person_id", "id", "of_category", "compared", "at")
    ]


def dead_and_on_the_roll(matter: Matter) -> list[QuerySet]:
    """R04: on a list of deaths up to the day, and still 在籍 or 在校. A list of deaths only ever grows."""
    dead = Entry.objects.on("deaths").filter(county=matter.county, listed_from__lte=matter.as_of)
    on_a_roll = Enrolment.objects.open().filter(student=OuterRef("person_id"))
    return [by_person(dead.filter(person__student__isnull=False).filter(Exists(on_a_roll)), proof="on the roll")]


def registered_not_present(matter: Matter) -> list[QuerySet]:
    """R05 在籍不在校: 在籍 at a school that says he is not there; 休学, 送教, 专门学校 and a move in time explain it."""
    waiting = Whereabouts.objects.covering(matter.as_of).filter(student=OuterRef("student"), kind__in=WAITING_ELSEWHERE)
    missing = _told_twice(matter).filter(is_registered=True, is_present=False)
    missing = missing.exclude(state__contains="休学").filter(~Exists(waiting))
    missing = missing.filter(~Exists(Movement.objects.in_time(matter.as_of).filter(enrolment=OuterRef("pk"))))
    elsewhere = Exists(Enrolment.objects.filter(student=OuterRef("student"), is_present=True, ended_on=None))
    proof = Case(When(elsewhere, then=Value("present elsewhere")), default=Value("present nowhere"), output_field=CharField())
    return [by_enrolment(missing, proof=proof)]


def present_not_registered(matter: Matter) -> list[QuerySet]:
    """R06 在校无籍: on the class roll of a school whose 学籍 export does not have him; a 学籍 on its way in time is no fault."""
    guests = _told_twice(matter).filter(is_registered=False, is_present=True)
    arriving = Movement.objects.in_time(matter.as_of)
    taken = arriving.filter(state="claimed", enrolment__student=OuterRef("student"), to_school=OuterRef("school"))
    written_for = arriving.filter(kind="from_outside", enrolment=OuterRef("pk"))
    guests = guests.filter(~Exists(taken), ~Exists(written_for))
    elsewhere = Exists(Enrolment.objects.filter(student=OuterRef("student"), is_registered=True, ended_on=None))
    proof = Case(
        When(elsewhere, then=Value("registered elsewhere")), default=Value("registered nowhere"), output_field=CharField()
    )
    return [by_enrolment(guests, proof=proof)]


def registered_twice(matter: Matter) -> list[QuerySet]:
    """R07 重复学籍: 在籍 at two schools or more; each of them is asked."""
    registered = Enrolment.objects.filter(county=matter.county, is_registered=True, ended_on=None, school__isnull=False)
    many = registered.order_by().values("student").annotate(schools=Count("pk")).filter(schools__gt=1).values("student")
    return [by_enrolment(registered.filter(student__in=many), proof="registered at another school too")]


def moved_without_paper(matter: Matter) -> list[QuerySet]:
    """R32 异动无佐证: suspended or gone, and neither evidence of whereabouts, nor an explained absence, nor a new school;
    a suspension that has run out; and a change announced with neither words nor papers. One row per enrolment."""
    here = Enrolment.objects.filter(county=matter.county, school__isnull=False)
    suspended = here.filter(ended_on=None, state__contains="休学")
    gone = here.filter(ended_on__isnull=False, ended_on__lte=matter.as_of, exit_kind__in=MOVES)
    shown = Whereabouts.objects.filter(student=OuterRef("student"), withdrawn_at=None).exclude(evidence="")
    announced = Movement.objects.standing().filter(enrolment=OuterRef("pk"))
    proved = announced.exclude(pk__in=Movement.objects.without_paper(matter.as_of).values("pk"))
    unproved = Q(Exists(announced.without_paper(matter.as_of)))
    lapsed = Q(Exists(announced.lapsed(matter.as_of)))
    explained = Absence.objects.filter(enrolment=OuterRef("pk"), state__in=["explained", "claimed"]).exclude(evidence="")
    received = Enrolment.objects.open().filter(student=OuterRef("student")).exclude(pk=OuterRef("pk"))
    without = ~Q(Exists(shown)) & ~Q(Exists(explained)) & ~Q(Exists(proved))
    return [
        by_enrolment(here.filter(lapsed), proof="suspended beyond its last day"),
        by_enrolment(here.filter(unproved).filter(~lapsed), proof="announced without paper"),
        by_enrolment(suspended.filter(without).filter(~lapsed, ~unproved), proof="suspended without paper"),
        by_enrolment(gone.filter(without).filter(~Exists(received)).filter(~unproved), proof="left without paper"),
    ]


def _told_twice(matter: Matter) -> QuerySet:
    """Enrolments not ended at schools that have both a 学籍 export and a class roll: only there the two can differ."""
    exported = Entry.objects.on("xueji").filter(county=matter.county, omitted_on=None, school__isnull=False)
    rolls = RosterSchool.objects.filter(kind="roll", latest=True)
    return Enrolment.objects.filter(
        Q(school__in=exported.order_by().values("school")) & Q(school__in=rolls.values("school")),
        county=matter.county, ended_on=None,
    )  # fmt: skip


def _by_student(students: QuerySet, *, proof: str) -> QuerySet:
    return (
        students.order_by()
        .annotate(
            kind=Value("student", CharField()),
            key=Cast("person_id", CharField()),
            stay=NO_ENTRY,
            of_category=Value("", CharField()),
            proof=Value(proof, CharField()),
            at=NOWHERE,
        )
        .values_list("kind", "key", "person_id", "stay", "of_category", "proof", "at")
    )


def _said(differs: Q, what: str, on_the_list, at_school) -> Case:
    text = Concat(Value(f"{what}："), on_the_list, Value("／"), at_school, Value("；"), output_field=CharField())
    return Case(When(differs, then=text), default=Value(""), output_field=CharField())
