"""What two files say, side by side, fact by fact; and the rows of one file that can be told apart when it is split."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from bureau import secrecy
from students.forms import current_school_year
from students.models import Discrepancy, Entry, Guardianship, Identifier, Membership, Student

ENDED = "（已结束）"


@dataclass(frozen=True)
class Fact:
    """One heading with what each file says under it. `agrees` is None where one file says nothing."""

    label: str
    kept: list[str]
    other: list[str]
    note: str = ""

    @property
    def agrees(self) -> bool | None:
        return None if not self.kept or not self.other else set(self.kept) == set(self.other)


def side_by_side(kept: Student, other: Student, *, account) -> list[Fact]:
    """Both files, each fact in the words of a page; numbers are masked, and where they differ is told."""
    year = current_school_year(account, timezone.localdate())
    mine, theirs = _facts(kept, year), _facts(other, year)
    notes = {"身份证号": difference(opened(kept), opened(other))}
    return [Fact(label, mine[label], theirs[label], notes.get(label, "")) for label in mine]


def _facts(student: Student, year: int) -> dict[str, list[str]]:
    person = student.person
    numbers = Identifier.objects.filter(person=person, valid_to=None).order_by("derived", "pk")
    kinds = (Identifier.Kind.CITIZEN_ID, Identifier.Kind.STUDENT_NUMBER, Identifier.Kind.CERTIFICATE)
    told = {kind: [masked(n) for n in numbers if n.kind == kind and not n.derived] for kind in kinds}
    return {
        "姓名": [person.name, *(f"曾用名{name}" for name in person.former_names)],
        "性别": [person.get_sex_display()] if person.sex in ("1", "2") else [],
        "出生日期": [day(person.birth_on)] if person.birth_on else [],
        "身份证号": told[Identifier.Kind.CITIZEN_ID],
        "学籍号": told[Identifier.Kind.STUDENT_NUMBER],
        "残疾人证号": told[Identifier.Kind.CERTIFICATE],
        "户籍": ["外县"] if student.hukou_outside else [p for p in [f"{student.hukou_township or ''}{student.hukou_village or ''}"] if p],
        "学籍与就读": [stay_words(stay, year) for stay in student.enrolments.select_related("school").order_by("-started_on", "pk")],
        "名单记录": [entry_words(entry) for entry in entries_of(student)],
        "监护人": [guardian_words(g) for g in Guardianship.objects.filter(student=student, valid_to=None).order_by("pk")],
        "家庭户": [membership_words(m) for m in memberships_of(student)],
        "困难身份": [span(h.get_category_display(), h.valid_from, h.valid_to) for h in student.hardships.order_by("valid_from")],
        "去向": [span(w.get_kind_display(), w.valid_from, w.valid_to) for w in student.whereabouts.filter(withdrawn_at=None)],
        "待核实问题": [f"未办结 {count} 件" for count in [Discrepancy.objects.open().filter(student=student).count()] if count],
    }  # fmt: skip


def entries_of(student: Student):
    return Entry.objects.filter(person=student.pk).select_related("register", "school").order_by("register", "listed_from")


def memberships_of(student: Student):
    return Membership.objects.filter(person=student.pk).select_related("household").order_by("household__kind", "pk")


def stay_words(stay, year: int) -> str:
    facts = [stay.grade(year) + stay.class_name, "在籍" * stay.is_registered, "在校" * stay.is_present]
    since = f"{day(stay.started_on)}起" if stay.started_on else ""
    return f"{stay.school or stay.outside_school}" + _listed([*facts, since]) + (ENDED if stay.ended_on else "")


def entry_words(entry: Entry) -> str:
    facts = [entry.get_category_display() if entry.category else "", entry.name, f"户主{entry.head_name}" if entry.head_name else ""]
    facts.append(str(entry.school or ""))
    return span(f"{entry.register.title}{_listed(facts)}", entry.listed_from, entry.listed_to)


def guardian_words(guardian: Guardianship) -> str:
    return f"{guardian.name}（{guardian.relation}）" if guardian.relation else guardian.name


def membership_words(membership: Membership) -> str:
    household = membership.household
    head = f"，户主{household.head_name}" if household.head_name else ""
    return f"{household.get_kind_display()}{head}{_listed([membership.relation])}" + (ENDED if membership.valid_to else "")


def span(what: str, start: date, end: date | None) -> str:
    return f"{what}，{day(start)}起" + (f"至{day(end)}" if end else "")


def day(on: date | None) -> str:
    return f"{on.year}年{on.month}月{on.day}日" if on else ""


def _listed(facts: list[str]) -> str:
    said = "，".join(filter(None, facts))
    return f"（{said}）" if said else ""


def opened(student: Student) -> str:
    """The citizen ID in force, for the time of a comparison; empty without one."""
    own = Identifier.objects.filter(person=student.pk, kind="citizen_id", derived=False, valid_to=None).first()
    return _open(own) if own else ""


def difference(one: str, other: str) -> str:
    """Where two numbers differ, in words that show neither."""
    if not one or not other or one == other:
        return ""
    if len(one) != len(other):
        return "位数不同"
    places = [n + 1 for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    named = "、".join(map(str, places)) if len(places) <= 4 else f"{places[0]} 位起的 {len(places)} 位"
    return f"第 {named} 位不同" if len(places) <= 4 else f"第 {named}不同"


MASKS = {Identifier.Kind.PHONE: secrecy.mask_phone, Identifier.Kind.ACCOUNT: secrecy.mask_account}
UNSHOWN = (Identifier.Kind.ADDRESS, Identifier.Kind.DOCUMENT)


def masked(number: Identifier) -> str:
    return "" if number.kind in UNSHOWN else MASKS.get(number.kind, secrecy.mask_id)(_open(number))


def _open(number: Identifier) -> str:
    return secrecy.open_sealed(bytes(number.sealed), field=number.kind, value_id=number.pk)
