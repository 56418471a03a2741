"""Linking: after every import all waiting rows are matched again; what is left over is proposed to a human."""

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from bureau import audit
from bureau.jobs import Job
from bureau.organisation.models import County
from bureau.sheets.grades import school_year_of
from students.linkage.automatic import assign, link_by_family, link_by_hints, link_by_number
from students.linkage.creating import create_students
from students.linkage.embedded import remember_embedded
from students.linkage.households import note_waiting_rows, remember_households
from students.linkage.residue import propose
from students.linkage.whereabouts import remember_whereabouts
from students.models import Enrolment, Entry, Leaver, Link, Register, Sighting, Snapshot, Student
from students.models.turning import Lengths
from students.rules import school_age_births


def link_waiting(*, county: County, as_of: date, after: Snapshot | None = None, parted: Collection[UUID] = ()) -> None:
    """Match every waiting row of the county's lists again, and make known the children lists may make known.

    `as_of` is the newest list's day: it decides who is of school age, never the clock. `after` is the list just read,
    `parted` whose rows it changed so that they are somebody else's. Call inside a transaction: it holds the county, so
    that two imports at once do not make the same child known twice.
    """
    County.objects.select_for_update().get(pk=county.pk)
    note_waiting_rows(county)
    conflicts = _link_exactly(county)
    propose(county, as_of=as_of, conflicts=conflicts)
    turning_six = as_of.year  # who is six by this year's 31 August may be asked for before the school year begins
    if create_students(county, births=school_age_births(county, school_year=turning_six, as_of=as_of)):
        propose(county, as_of=as_of, conflicts=_link_exactly(county))
    _remember_hukou(county)
    remember_households(county, parted=parted, late=after)
    remember_embedded(county)
    remember_whereabouts(county)


def _link_exactly(county: County) -> list:
    conflicts = link_by_number(county)
    link_by_hints(county)
    link_by_family(county)
    return conflicts


def counts(entries) -> dict[str, int]:
    """How many of these entries are linked, proposed, unlinked, and linked by a human."""
    confirmed = Exists(Link.objects.filter(entry=OuterRef("pk"), status=Link.State.CONFIRMED))
    return entries.aggregate(
        linked=Count("pk", filter=Q(link_state="linked")),
        proposed=Count("pk", filter=Q(link_state="proposed")),
        unlinked=Count("pk", filter=Q(link_state="unlinked")),
        confirmed=Count("pk", filter=Q(confirmed)),
    )


def on_newest_lists(county: County, register: str | None = None):
    """Sightings on the newest closed list of each register and scope."""
    snapshots = Snapshot.objects.closed().filter(county=county)
    if register:
        snapshots = snapshots.filter(register__name=register)
    newer = Snapshot.objects.closed().filter(
        Q(as_of__gt=OuterRef("as_of")) | Q(as_of=OuterRef("as_of"), received_at__gt=OuterRef("received_at")),
        Q(township=OuterRef("township")) | Q(township=None),
        register=OuterRef("register"),
        partial=False,
    )
    return Sighting.objects.filter(snapshot__in=snapshots.filter(~Exists(newer)))


STATUS = {"yes": Link.State.CONFIRMED, "no": Link.State.REJECTED, "undecided": Link.State.UNDECIDED}


@transaction.atomic
def decide(*, link: Link, answer: str, reason: str, by) -> Link:
    """Record a human answer to a proposal: `yes`, `no` or `undecided`. It stands until the row says something else.

    A `yes` taken back unlinks the row.
    """
    link = _decide(link, STATUS[answer], reason, by)
    _follow([link])
    audit.record(by=by, verb="students.link_decided", subject=link, detail={"answer": answer})
    return link


@transaction.atomic
def decide_many(*, links: Iterable[Link], answer: str, reason: str, by) -> int:
    """The same answer to many proposals; how many were still waiting for one. One audit line for each county.

    A row that proposes several children is left out: which of them it is, is a question of its own.
    """
    waiting = Link.objects.alone().filter(pk__in=[link.pk for link in links]).order_by("pk")
    decided = [_decide(link, STATUS[answer], reason, by) for link in waiting]
    for county in _follow(decided):
        detail = {"answer": answer, "count": len(decided)}
        audit.record(by=by, verb="students.links_decided", subject=county, county=county, detail=detail)
    return len(decided)


def _follow(decided: list[Link]) -> Iterable[County]:
    """What the rows now linked say of households and whereabouts; the counties concerned."""
    counties = {link.county_id: link.county for link in decided}
    linked = {link.person_id for link in decided if link.status == Link.State.CONFIRMED}
    parted = {link.person_id for link in decided if link.was_confirmed}
    for county in counties.values() if linked or parted else ():
        remember_households(county, of=linked, parted=parted)
        remember_whereabouts(county)
    return counties.values()


def _decide(link: Link, status: str, reason: str, by) -> Link:
    link = Link.objects.select_for_update().select_related("entry").get(pk=link.pk)
    link.was_confirmed = link.status == Link.State.CONFIRMED != status
    if link.was_confirmed:
        linked_so = Entry.objects.filter(pk=link.entry_id, person=link.person_id, link_method="confirmed")
        linked_so.update(person=None, link_state="unlinked", link_method="")
    link.status, link.reason, link.decided_by, link.decided_at = status, reason, by, timezone.now()
    link.digest = bytes(link.entry.identity or link.entry.digest)
    link.save(update_fields=["status", "reason", "decided_by", "decided_at", "digest"])
    others = Link.objects.filter(entry=link.entry, status=Link.State.PROPOSED)
    if status == Link.State.CONFIRMED:
        assign([(link.entry_id, link.person_id)], method="confirmed")
        others.delete()
    elif not others.exists():
        Entry.objects.filter(pk=link.entry_id, person=None).update(link_state="unlinked")
    return link


def register_enrolments(*, snapshot: Snapshot) -> None:
    """A 学籍 export says who is 在籍: at each school it lists, its children are and all others are not.

    Call inside the closing transaction, after linking. Source: docs/rules/students.md, “registered and present”.
    """
    listed = {}
    entries = Entry.objects.filter(sightings__snapshot=snapshot, person__student__isnull=False, school__isnull=False)
    told_since = _schools_of_newer_lists(snapshot)
    for entry in entries.order_by("pk").iterator(5_000):
        if entry.school_id not in told_since:
            listed[entry.person_id, entry.school_id] = entry
    schools = {school for _, school in listed}
    here = Enrolment.objects.filter(county=snapshot.county, school__in=schools, ended_on=None)
    known = {(e.student_id, e.school_id): e for e in here.iterator(5_000)}
    lengths, year = Lengths(snapshot.county), school_year_of(snapshot.as_of)
    graduated = Leaver.objects.filter(county=snapshot.county, enrolment__school__in=schools)
    finished = set(graduated.values_list("enrolment__student", "enrolment__school", "enrolment__stage"))
    changed, new = [], []
    for key, entry in listed.items():
        enrolment = known.get(key)
        if enrolment is None and (*key, entry.stage) in finished:
            continue  # the export has not turned yet; who finished here does not come back by it
        if enrolment is None:
            enrolment = Enrolment(
                county=snapshot.county,
                student_id=entry.person_id,
                school_id=entry.school_id,
                started_on=snapshot.as_of,
            )
            new.append(enrolment)
        else:
            changed.append(enrolment)
        enrolment.is_registered = not _has_left(entry.status_text)
        enrolment.registered_by_xueji = True
        enrolment.state = entry.status_text[:20] or enrolment.state
        if entry.entered_in:
            stage, entered_in, years = lengths.told(entry.school_id, entry.stage, entry.entered_in, year)
            enrolment.stage, enrolment.entered_in = stage, entered_in - enrolment.repeat_offset
            enrolment.programme_years = enrolment.programme_years or years
            enrolment.class_name = entry.class_name or enrolment.class_name
    for key, enrolment in known.items():
        if key not in listed and enrolment.is_registered and not snapshot.partial:
            enrolment.is_registered, enrolment.registered_by_xueji = False, True
            changed.append(enrolment)
    Enrolment.objects.bulk_create(new, batch_size=1_000)
    columns = ["is_registered", "registered_by_xueji", "state", "stage", "entered_in", "class_name", "programme_years"]
    Enrolment.objects.bulk_update(changed, columns, batch_size=500)


def _schools_of_newer_lists(snapshot: Snapshot) -> set:
    """Schools a newer complete export has spoken of: one that arrives late does not overrule it."""
    newer = Snapshot.objects.closed().filter(register=snapshot.register, as_of__gt=snapshot.as_of, partial=False)
    if not newer.exists():
        return set()
    shown = Entry.objects.filter(Exists(Sighting.objects.filter(entry=OuterRef("pk"), snapshot__in=newer)))
    return set(shown.order_by().values_list("school_id", flat=True).distinct())


LEFT_WORDS = ("转出", "毕业", "结业", "退学", "死亡", "辍学", "离校")


def _has_left(status: str) -> bool:
    return any(word in status for word in LEFT_WORDS)


def _remember_hukou(county: County) -> None:
    """Where children are registered whose schools did not say so: the police list does, whichever file came first."""
    registers = list(Register.objects.filter(county=county, name="population"))
    listed = Entry.objects.filter(register__in=registers, person__isnull=False, township__isnull=False)
    if not listed.exists():
        return
    rows = listed.filter(person=OuterRef("pk"))
    newest = rows.order_by(F("omitted_on").desc(nulls_first=True), "-pk").values("pk")[:1]
    unknown = Student.objects.filter(county=county, hukou_township=None, pk__in=listed.values("person"))
    unknown = unknown.annotate(row=Subquery(newest))
    row = Entry.objects.filter(pk=OuterRef("row"))
    unknown.exclude(row=None).update(
        hukou_township=Subquery(row.values("township")), hukou_village=Subquery(row.values("village")), hukou_outside=False
    )


def link_all(*, county: County, by, job: Job | None = None) -> dict[str, int]:
    """Match all waiting rows again as of the newest list, and say how the newest lists stand."""
    newest = Snapshot.objects.closed().filter(county=county).order_by("-as_of").first()
    if newest:
        with transaction.atomic():
            link_waiting(county=county, as_of=newest.as_of)
            audit.record(by=by, verb="students.linked", subject=county)
    return counts(Entry.objects.filter(pk__in=on_newest_lists(county).values("entry")))
