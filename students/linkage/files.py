"""The file of a person: every row that refers to him. Two files become one, or one becomes two, row by row.

What refers to a person, a student or an enrolment is found by asking the models, so the tables of other rooms move along.
Two rows that cannot stand side by side become one. Source: docs/rules/registers.md, “merging and splitting”.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from bureau.identity.names import names_agree
from students.linkage.ledger import Ledger, clashes, every, values_of
from students.models import (
    Discrepancy,
    Duplicate,
    Enrolment,
    Entry,
    Guardianship,
    Hardship,
    Identifier,
    Link,
    Membership,
    Merge,
    Person,
    RosterRow,
    Student,
)

ONE_EACH = (Identifier.Kind.CITIZEN_ID, Identifier.Kind.STUDENT_NUMBER)
ANSWERS = (Link.State.PROPOSED, Link.State.UNDECIDED, Link.State.REJECTED, Link.State.CONFIRMED)
STAY_FACTS = ("major", "agricultural", "programme_years", "internship", "boarding", "state", "class_name")
NOUNS = {
    model._meta.db_table: word
    for model, word in (
        (Identifier, "证件与号码"),
        (Enrolment, "学籍与就读"),
        (Entry, "名单记录"),
        (Hardship, "困难身份"),
        (Membership, "家庭户"),
        (Guardianship, "监护人"),
        (RosterRow, "花名册行"),
        (Discrepancy, "待核实问题"),
        (Link, "身份匹配"),
    )
}


def references(model: type[models.Model]) -> list[models.Field]:
    """Fields of any table that refer to rows of this kind; a student's own row is not one of them."""
    related = (one for one in model._meta.get_fields(include_hidden=True) if one.auto_created and not one.concrete)
    managed = (one for one in related if (one.one_to_many or one.one_to_one) and one.related_model._meta.managed)
    return [one.field for one in managed if one.field.model is not Student]


def merge_files(ledger: Ledger, *, kept: Person, other: Person, number: UUID | None, on: date) -> None:
    """Everything of `other` goes to `kept`, and `other` is there no more.

    `number` is the citizen ID (its key) that stays in force where both have one; the other one is closed on `on`, and
    still leads to the child. Birth date and sex follow the number that stays.
    """
    joining = _Joining(ledger, kept, other)
    joining.numbers(number, on)
    joining.facts()
    joining.student()
    joining.guardians(on)
    joining.hardships()
    joining.answers()
    joining.questions()
    joining.doubts()
    for model, key in ((Student, other.pk), (Person, other.pk)):
        for reference in references(model):
            joining.move(reference, key, kept.pk)
    for row in RosterRow.objects.filter(person_id=other.pk).only("person_id"):
        ledger.change(row, person_id=kept.pk)
    for model in (Student, Person):
        if row := every(model).filter(pk=other.pk).first():
            ledger.delete(row)


class _Joining:
    """One merging; `kept` and `other` are changed as the steps go."""

    def __init__(self, ledger: Ledger, kept: Person, other: Person) -> None:
        self.ledger, self.kept, self.other = ledger, kept, other

    def numbers(self, chosen: UUID | None, on: date) -> None:
        """One citizen ID and one 学籍号 stay in force; a number both have stays once."""
        mine = list(Identifier.objects.filter(person=self.kept, valid_to=None))
        theirs = list(Identifier.objects.filter(person=self.other, valid_to=None))
        held = {(i.kind, bytes(i.index)) for i in mine}
        for kind in ONE_EACH:
            own = [i for i in mine if i.kind == kind and not i.derived]
            brought = [i for i in theirs if i.kind == kind and not i.derived]
            if own and brought:
                losing = own if chosen in {i.pk for i in brought} else brought
                for number in losing:
                    self.ledger.change(number, valid_to=on, still_used=True)
        for number in theirs:
            if (number.kind, bytes(number.index)) in held and number.valid_to is None:
                self.ledger.change(number, valid_to=on)
        if chosen in {i.pk for i in theirs}:
            self.ledger.change(
                self.kept, birth_on=self.other.birth_on or self.kept.birth_on, sex=self.other.sex or self.kept.sex
            )

    def facts(self) -> None:
        """What the kept file does not know it learns; another name is remembered as a former one."""
        kept, other = self.kept, self.other
        names = [*kept.former_names, other.name, *other.former_names]
        former = [name for name in dict.fromkeys(names) if names_agree(name, kept.name) != "same"]
        self.ledger.change(
            kept, former_names=former, birth_on=kept.birth_on or other.birth_on, sex=kept.sex.strip("0") or other.sex,
            ethnicity=kept.ethnicity or other.ethnicity,
        )  # fmt: skip

    def student(self) -> None:
        theirs = Student.objects.filter(pk=self.other.pk).first()
        if theirs is None:
            return
        mine = Student.objects.filter(pk=self.kept.pk).first()
        facts = ("hukou_township_id", "hukou_village_id", "hukou_outside", "hukou_text", "number_due_on")
        if mine is None:
            given = {name: getattr(theirs, name) for name in facts}
            self.ledger.create(Student(person_id=self.kept.pk, county_id=self.kept.county_id, **given))
            return
        told = {"hukou_text": mine.hukou_text or theirs.hukou_text}
        if mine.hukou_township_id is None and not mine.hukou_outside:
            told |= {name: getattr(theirs, name) for name in facts[:3]}
        numbered = Identifier.objects.filter(
            person__in=[self.kept, self.other], valid_to=None, derived=False, kind__in=["citizen_id", "document"]
        )
        told["number_due_on"] = None if numbered.exists() else mine.number_due_on or theirs.number_due_on
        self.ledger.change(mine, **told)

    def guardians(self, on: date) -> None:
        """A guardian both files name stays once; what only the other knows of him goes over."""
        mine = {g.name: g for g in Guardianship.objects.filter(student=self.kept.pk, valid_to=None)}
        for guardian in Guardianship.objects.filter(student=self.other.pk, valid_to=None):
            twin = mine.get(guardian.name)
            if twin is None:
                continue
            told: dict[str, Any] = {"relation": twin.relation or guardian.relation}
            for what in ("number", "phone"):
                if getattr(twin, f"{what}_sealed") is None and getattr(guardian, f"{what}_sealed") is not None:
                    told |= {f"{what}_{part}": getattr(guardian, f"{what}_{part}") for part in ("id", "sealed", "index")}
            self.ledger.change(twin, **told)
            self.ledger.change(guardian, valid_to=on)

    def hardships(self) -> None:
        """Hardships of one category whose days overlap are one, from the first day of both to the last."""
        mine = list(Hardship.objects.filter(student=self.kept.pk).order_by("valid_to", "pk"))
        for hardship in Hardship.objects.filter(student=self.other.pk):
            alike = [h for h in mine if h.category == hardship.category and overlap(h, hardship)]
            if twin := next((h for h in alike if h.valid_to is None), alike[0] if alike else None):
                self._fold(hardship, twin)

    def answers(self) -> None:
        """“Not the same” about a row of one file and the other child is answered otherwise by the merge itself."""
        files = {self.kept.pk, self.other.pk}
        refused = Link.objects.filter(status=Link.State.REJECTED, person__in=files, entry__person__in=files)
        for link in refused.select_related("entry"):
            if link.entry.person_id != link.person_id:
                self.ledger.delete(link)

    def questions(self) -> None:
        """A 待核实问题 about the other child is about this one now; where this one has it already, it ends by itself."""
        for question in Discrepancy.objects.filter(student=self.other.pk):
            about = question.subject_id
            for old, new in ((self.other.pk.hex, self.kept.pk.hex), (str(self.other.pk), str(self.kept.pk))):
                about = about.replace(old, new)
            if clashes(values_of(question) | {"subject_id": about}, Discrepancy, but=question.pk) is None:
                self.ledger.change(question, subject_id=about)

    def doubts(self) -> None:
        first, second = sorted([self.kept.pk, self.other.pk])
        for doubt in Duplicate.objects.filter(Q(first=self.other.pk) | Q(second=self.other.pk)):
            if (doubt.first, doubt.second) == (first, second):
                self.ledger.change(doubt, state=Duplicate.State.MERGED)
            else:
                self.ledger.delete(doubt)

    def move(self, reference: models.Field, old: Any, new: Any) -> None:
        """Rows that refer to one row refer to another; those that cannot stand beside one already there become one."""
        for row in every(reference.model).filter(**{reference.attname: old}).order_by("pk"):
            twin = clashes(values_of(row) | {reference.attname: new}, reference.model, but=row.pk)
            if twin is None:
                self.ledger.change(row, **{reference.attname: new})
            else:
                self._fold(row, twin)

    def _fold(self, row: models.Model, twin: models.Model) -> None:
        combine = COMBINED.get(type(row))
        if combine:
            self.ledger.change(twin, **combine(twin, row))
        for reference in references(type(row)):
            self.move(reference, row.pk, twin.pk)
        if isinstance(row, Enrolment):
            for staged in RosterRow.objects.filter(enrolment_id=row.pk).only("enrolment_id"):
                self.ledger.change(staged, enrolment_id=twin.pk)
        self.ledger.delete(row)


def overlap(one: Hardship, other: Hardship) -> bool:
    """Whether two spans share a day; both ends are inclusive."""
    return (one.valid_to or date.max) >= other.valid_from and (other.valid_to or date.max) >= one.valid_from


def _one_stay(stay: Enrolment, other: Enrolment) -> dict[str, Any]:
    """Two open stays at one school: 在籍 or 在校 where either says so, facts from the one who is there."""
    leading, following = (other, stay) if other.is_present and not stay.is_present else (stay, other)
    told = {}
    for name in STAY_FACTS:
        first, second = getattr(leading, name), getattr(following, name)
        told[name] = second if first in (None, "") else first
    cohort = leading if leading.stage and leading.entered_in else following
    return told | {
        "stage": cohort.stage, "entered_in": cohort.entered_in, "repeat_offset": cohort.repeat_offset,
        "is_registered": stay.is_registered or other.is_registered,
        "is_present": stay.is_present or other.is_present,
        "registered_by_xueji": stay.registered_by_xueji or other.registered_by_xueji,
        "started_on": _earlier(stay.started_on, other.started_on),
        "roll_id": max(filter(None, (stay.roll_id, other.roll_id)), default=None),
    }  # fmt: skip


def _one_hardship(hardship: Hardship, other: Hardship) -> dict[str, Any]:
    ends = (hardship.valid_to, other.valid_to)
    return {
        "valid_from": min(hardship.valid_from, other.valid_from),
        "valid_to": None if None in ends else max(ends),
        "evidence": hardship.evidence or other.evidence,
    }


def _one_membership(membership: Membership, other: Membership) -> dict[str, Any]:
    return {
        "relation": membership.relation or other.relation,
        "valid_from": _earlier(membership.valid_from, other.valid_from),
    }


def _one_answer(link: Link, other: Link) -> dict[str, Any]:
    """The plainer answer of the two stands."""
    if ANSWERS.index(Link.State(other.status)) <= ANSWERS.index(Link.State(link.status)):
        return {}
    names = ("status", "reason", "decided_by_id", "decided_at", "digest", "method", "score", "evidence", "differs")
    return {name: getattr(other, name) for name in names}


COMBINED = {Enrolment: _one_stay, Hardship: _one_hardship, Membership: _one_membership, Link: _one_answer}


def _earlier(one: date | None, other: date | None) -> date | None:
    """The first day known: an empty one is “from the beginning” for a membership, not known for a stay."""
    return min(filter(None, (one, other)), default=None)


@dataclass
class Chosen:
    """What goes to the new file when one is split, as keys."""

    enrolments: set[UUID] = field(default_factory=set)
    entries: set[int] = field(default_factory=set)
    identifiers: set[UUID] = field(default_factory=set)
    guardianships: set[int] = field(default_factory=set)
    hardships: set[int] = field(default_factory=set)
    whereabouts: set[int] = field(default_factory=set)
    memberships: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any(vars(self).values())


def split_file(ledger: Ledger, *, person: Person, new: Person, chosen: Chosen, on: date, by) -> None:
    """`new` comes to be with the chosen rows; what was said about these rows goes with them.

    A list row that goes is a human answer: it is the new child's, and not the old one's, until the row says otherwise.
    """
    ledger.create(new)
    known = Student.objects.get(pk=person.pk)
    entries = list(Entry.objects.filter(person=person, pk__in=chosen.entries).order_by("pk"))
    home = next((entry for entry in entries if entry.township_id), None)
    ledger.create(
        Student(
            person_id=new.pk, county_id=new.county_id, hukou_outside=known.hukou_outside if home is None else False,
            hukou_township_id=home.township_id if home else known.hukou_township_id,
            hukou_village_id=home.village_id if home else known.hukou_village_id, hukou_text="",
        )
    )  # fmt: skip
    for rows in _chosen_rows(person, chosen):
        for row in rows:
            owner = "student_id" if hasattr(row, "student_id") else "person_id"
            ledger.change(row, **{owner: new.pk})
    for entry in entries:
        _answer(ledger, entry, person=person, new=new, by=by)
        _number_of_row(ledger, entry, new)
    for row in RosterRow.objects.filter(person_id=person.pk, enrolment_id__in=chosen.enrolments).only("person_id"):
        ledger.change(row, person_id=new.pk)
    keys = {form for key in chosen.enrolments for form in (key.hex, str(key))}
    about_stays = Q(subject_kind="enrolment", subject_id__in=keys)
    for question in Discrepancy.objects.filter(about_stays | Q(entry__in=chosen.entries, subject_kind="entry"), student=person.pk):
        ledger.change(question, student_id=new.pk)
    _number_is_due(ledger, new, on)


def _chosen_rows(person: Person, chosen: Chosen) -> Iterable[models.QuerySet]:
    student = Student.objects.get(pk=person.pk)
    yield student.enrolments.filter(pk__in=chosen.enrolments)
    yield person.identifiers.filter(pk__in=chosen.identifiers)
    yield student.guardianships.filter(pk__in=chosen.guardianships)
    yield student.hardships.filter(pk__in=chosen.hardships)
    yield student.whereabouts.filter(pk__in=chosen.whereabouts)
    yield person.memberships.filter(pk__in=chosen.memberships)


def _answer(ledger: Ledger, entry: Entry, *, person: Person, new: Person, by) -> None:
    ledger.change(entry, person_id=new.pk, link_state=Entry.LinkState.LINKED, link_method="confirmed")
    digest = bytes(entry.identity or entry.digest)
    known = {link.person_id: link for link in Link.objects.filter(entry=entry)}
    told = {"digest": digest, "reason": "档案拆分", "decided_by_id": by.pk, "decided_at": timezone.now()}
    for whose, status in ((person.pk, Link.State.REJECTED), (new.pk, Link.State.CONFIRMED)):
        if link := known.get(whose):
            ledger.change(link, status=status, **told)
        else:
            ledger.create(
                Link(county_id=entry.county_id, entry=entry, person_id=whose, method="split", status=status, **told)
            )


def _number_of_row(ledger: Ledger, entry: Entry, new: Person) -> None:
    """The new child's own number, where his row gives one that is nobody's."""
    if entry.citizen_index is None or new.identifiers.filter(kind="citizen_id", valid_to=None).exists():
        return
    same = Identifier.objects.filter(county=entry.county_id, kind="citizen_id", index=entry.citizen_index)
    if not same.leading().exists() and not Identifier.objects.filter(pk=entry.citizen_uuid).exists():
        ledger.create(
            Identifier(
                pk=entry.citizen_uuid, county_id=entry.county_id, person=new, kind="citizen_id",
                sealed=entry.citizen_sealed, index=entry.citizen_index,
            )
        )  # fmt: skip


def _number_is_due(ledger: Ledger, new: Person, on: date) -> None:
    """A child at school without a number has it to bring (先入册、证件待补)."""
    at_school = Enrolment.objects.open().filter(student=new.pk).exists()
    numbered = new.identifiers.filter(kind__in=["citizen_id", "document"], valid_to=None, derived=False).exists()
    if at_school and not numbered:
        due = on + timedelta(days=new.county.number_days)
        ledger.change(Student.objects.get(pk=new.pk), number_due_on=due)


def left_on(person: UUID, merge: Merge) -> list[tuple[str, int]]:
    """What hangs on a split-off file beyond what was put there: (noun, how many). Such a split is not taken back."""
    own: dict[str, set[str]] = {}
    for table, key in merge.effects.values_list("table", "key"):
        own.setdefault(table, set()).add(key)
    found = []
    for model in (Student, Person):
        for reference in references(model):
            rows = every(reference.model).filter(**{reference.attname: person})
            if reference.model is Entry:
                rows = rows.filter(link_method="confirmed")  # what the program linked it links anew
            if reference.model is Link:
                rows = rows.exclude(status=Link.State.PROPOSED)
            if reference.model is Discrepancy:
                rows = rows.filter(pk__in=Discrepancy.objects.worked_on().values("pk"))
            keys = {str(key) for key in rows.values_list("pk", flat=True)}
            if more := keys - own.get(reference.model._meta.db_table, set()):
                found.append((str(reference.model._meta.verbose_name), len(more)))
    return found
