"""Two files that are one person are merged, one file that is two is split; both are looked at first and can be taken back.

Source: docs/rules/registers.md, “merging and splitting”.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from bureau import audit
from bureau.identity.names import name_key, names_agree, pinyin_key
from bureau.organisation.models import County
from students.actions import reconciling
from students.actions.linking import link_waiting
from students.actions.registers import newest_as_of
from students.linkage.duplicates import seek
from students.linkage.files import ONE_EACH, Chosen, left_on, merge_files, overlap, split_file
from students.linkage.ledger import Ledger, give_back
from students.models import (
    Discrepancy,
    Duplicate,
    Entry,
    Identifier,
    Link,
    Merge,
    Person,
    Student,
)
from students.rules import RULES


class NotMerged(Exception):
    """It cannot be merged, split or taken back so; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Conflict:
    """Something the two files say differently. `grave`: two people may well be behind it."""

    code: str
    text: str
    grave: bool = False


# What other rooms know that two files cannot be one while it lasts: (kept, other) -> words. Plugged in by `AppConfig.ready()`.
HINDRANCES: list[Callable[[Student, Student], Iterable[str]]] = []


def hindrances(kept: Student, other: Student) -> list[str]:
    return [words for knows in HINDRANCES for words in knows(kept, other)]


def conflicts(kept: Student, other: Student) -> list[Conflict]:
    """What speaks against one person, and what cannot stay as it is; the gravest first."""
    return sorted(_conflicts(kept, other), key=lambda found: not found.grave)


def _conflicts(kept: Student, other: Student) -> Iterable[Conflict]:
    mine, theirs = kept.person, other.person
    for words in hindrances(kept, other):
        yield Conflict("hindered", words, grave=True)
    if numbers_in_force(kept) and numbers_in_force(other):
        yield Conflict("numbers", "两份档案的身份证号不同。请选定保留哪一个，另一个停用，但名单、花名册上再写它时仍认作本人。", grave=True)
    if all(_numbers(one, Identifier.Kind.STUDENT_NUMBER) for one in (kept, other)):
        yield Conflict("student_numbers", "两份档案的学籍号不同，保留前一份的，另一个停用。")
    names = [mine.name, *mine.former_names]
    if all(names_agree(theirs.name, name) == "different" for name in names):
        yield Conflict("names", f"姓名不同：{mine.name}、{theirs.name}。后者记为曾用名。", grave=True)
    if mine.birth_on and theirs.birth_on and mine.birth_on != theirs.birth_on:
        yield Conflict("births", "出生日期不同，随保留的身份证号。", grave=True)
    if {mine.sex, theirs.sex} == {"1", "2"}:
        yield Conflict("sexes", "性别不同，随保留的身份证号。", grave=True)
    yield from _lists_with_both(kept, other)
    yield from _schools(kept, other)
    for hardship in other.hardships.all():
        if any(one.category == hardship.category and overlap(one, hardship) for one in kept.hardships.all()):
            yield Conflict("hardships", f"“{hardship.get_category_display()}”登记了两次，时间重叠，合成一段。")
    first, second = sorted([kept.pk, other.pk])
    if Duplicate.objects.filter(first=first, second=second, state=Duplicate.State.DIFFERENT).exists():
        yield Conflict("answered", "曾认定这两份档案不是同一人。", grave=True)


def _lists_with_both(kept: Student, other: Student) -> Iterable[Conflict]:
    listed = Entry.objects.filter(omitted_on=None)
    theirs = listed.filter(person=other.pk).exclude(register__name="xueji").values("register")
    both = listed.filter(person=kept.pk, register__in=theirs).order_by("register")
    for title in both.values_list("register__title", flat=True).distinct():
        yield Conflict("listed_twice", f"《{title}》现在把他们列为两个人。", grave=True)


def _schools(kept: Student, other: Student) -> Iterable[Conflict]:
    mine = list(kept.enrolments.open().select_related("school"))
    for stay in other.enrolments.open().select_related("school"):
        same = [one for one in mine if stay.school_id and one.school_id == stay.school_id]
        if same:
            yield Conflict("same_school", f"在{stay.school}有两条在读记录，合成一条。")
        elif mine:
            place = stay.school or stay.outside_school
            yield Conflict("two_schools", f"合并后同时在{mine[0].school or mine[0].outside_school}和{place}就读，将按重复学籍核实。")


def numbers_in_force(student: Student) -> list[Identifier]:
    """His own citizen IDs in force: none or one."""
    return _numbers(student, Identifier.Kind.CITIZEN_ID)


def _numbers(student: Student, kind: str) -> list[Identifier]:
    return list(Identifier.objects.filter(person=student.pk, kind=kind, derived=False, valid_to=None).order_by("pk"))


@transaction.atomic
def merge(*, kept: Student, other: Student, reason: str, by, number: UUID | None = None) -> Merge:
    """Two files become one: everything of `other` goes to `kept`. A comparison is asked for.

    Where both have a citizen ID in force, `number` says whose stays. Raises NotMerged.
    """
    if not reason.strip():
        raise NotMerged("reason_required", "请写明合并的理由。")
    if kept.pk == other.pk:
        raise NotMerged("same", "这是同一份档案。")
    if kept.county_id != other.county_id:
        raise NotMerged("other_county", "两份档案不在同一个县，不能合并。")
    County.objects.select_for_update(no_key=True).get(pk=kept.county_id)
    found = {student.pk: student for student in Student.objects.filter(pk__in=[kept.pk, other.pk]).select_related("person")}
    if len(found) < 2:
        raise NotMerged("gone", "其中一份档案已经合并到别的档案，请刷新后再看。")
    kept, other = found[kept.pk], found[other.pk]
    if words := hindrances(kept, other):
        raise NotMerged("hindered", words[0])
    choices = {i.pk for one in (kept, other) for i in numbers_in_force(one)}
    if len(choices) > 1 and number not in choices:
        raise NotMerged("number_required", "两份档案的身份证号不同，请选定保留哪一个。")
    done = Merge.objects.create(
        county=kept.county, kind=Merge.Kind.MERGE, kept=kept.pk, other=other.pk, reason=reason[:400], done_by=by
    )
    ledger = Ledger(done)
    merge_files(ledger, kept=kept.person, other=other.person, number=number, on=timezone.localdate())
    ledger.close()
    audit.record(by=by, verb="students.merged", subject=done, county=done.county, detail={"rows": sum(ledger.counts.values())})
    _compare(done, by)
    return done


@transaction.atomic
def split(
    *, student: Student, chosen: Chosen, name: str, sex: str, birth_on: date | None, reason: str, by
) -> Merge:
    """One file becomes two: the chosen rows go to a new one. Raises NotMerged."""
    if not reason.strip():
        raise NotMerged("reason_required", "请写明拆分的理由。")
    if not chosen.enrolments and not chosen.entries:
        raise NotMerged("nothing_chosen", "请至少选一条学籍与就读，或一条名单记录，归入新的档案。")
    County.objects.select_for_update(no_key=True).get(pk=student.county_id)
    student = Student.objects.filter(pk=student.pk).select_related("person__county").first()
    if student is None:
        raise NotMerged("gone", "这份档案已经合并到别的档案，请刷新后再看。")
    if not _something_stays(student, chosen):
        raise NotMerged("nothing_left", "原档案也要留下至少一条学籍与就读，或一条名单记录。")
    new = Person(
        county=student.person.county, name=name, name_key=name_key(name), pinyin=pinyin_key(name)[:200], sex=sex,
        birth_on=birth_on,
    )  # fmt: skip
    done = Merge.objects.create(
        county=student.county, kind=Merge.Kind.SPLIT, kept=student.pk, other=new.pk, reason=reason[:400], done_by=by
    )
    ledger = Ledger(done)
    split_file(ledger, person=student.person, new=new, chosen=chosen, on=timezone.localdate(), by=by)
    first, second = sorted([student.pk, new.pk])
    ledger.create(
        Duplicate(
            county=student.county, first=first, second=second, why=Duplicate.Why.SPLIT,
            state=Duplicate.State.DIFFERENT, reason="档案拆分", decided_by=by, decided_at=timezone.now(),
        )
    )  # fmt: skip
    ledger.close()
    audit.record(by=by, verb="students.split", subject=done, county=done.county, detail={"rows": sum(ledger.counts.values())})
    _compare(done, by)
    return done


def _something_stays(student: Student, chosen: Chosen) -> bool:
    stays = student.enrolments.exclude(pk__in=chosen.enrolments)
    listed = Entry.objects.filter(person=student.pk).exclude(pk__in=chosen.entries)
    return stays.exists() or listed.exists()


def obstacles(done: Merge) -> list[str]:
    """What stands in the way of taking it back, and what to do; empty when nothing does."""
    if done.undone_at:
        return ["已经撤销。"]
    found = []
    later = Merge.objects.standing().of(done.kept, done.other).filter(pk__gt=done.pk).count()
    if later:
        found.append(f"之后又有 {later} 次合并或拆分涉及这些档案，请先撤销后来的。")
    elif not Student.objects.filter(pk=done.kept).exists():
        found.append("保留的档案已不在（它的花名册可能已撤销入库），不能恢复。")
    closed = done.effects.filter(table=Identifier._meta.db_table, before__valid_to=None, before__has_key="valid_to")
    numbers = Identifier.objects.filter(pk__in=list(closed.values_list("key", flat=True)), kind__in=ONE_EACH, derived=False)
    for number in numbers:
        taken = Identifier.objects.filter(
            county=done.county_id, kind=number.kind, index=number.index, derived=False, valid_to=None
        )
        if taken.exclude(pk=number.pk).exists():
            found.append(f"停用的{number.get_kind_display()}现在登记在别人名下，请先核对是谁的。")
    if done.kind == Merge.Kind.SPLIT and not found:
        found += [f"拆出的档案上后来又有“{noun}”{count} 条，请改用合并。" for noun, count in left_on(done.other, done)]
    return found


@transaction.atomic
def undo(*, done: Merge, reason: str, by) -> Merge:
    """Everything as it was before; rows changed or added since keep what they say now. Raises NotMerged."""
    done = Merge.objects.select_for_update(of=["self"]).select_related("county").get(pk=done.pk)
    if not reason.strip():
        raise NotMerged("reason_required", "请写明撤销的理由。")
    County.objects.select_for_update(no_key=True).get(pk=done.county_id)
    if hindering := obstacles(done):
        raise NotMerged("blocked", hindering[0])
    if done.kind == Merge.Kind.SPLIT:
        _empty(done.other)
    give_back(done)
    if done.kind == Merge.Kind.MERGE:
        _let_go(done)
    done.undone_by, done.undone_at, done.undo_reason = by, timezone.now(), reason[:400]
    done.save(update_fields=["undone_by", "undone_at", "undo_reason"])
    if as_of := newest_as_of(done.county):
        link_waiting(county=done.county, as_of=as_of)
    audit.record(by=by, verb="students.merge_undone", subject=done, county=done.county)
    _compare(done, by)
    return done


NOBODY = {"person": None, "link_state": Entry.LinkState.UNLINKED, "link_method": ""}


def _empty(person: UUID) -> None:
    """What the program itself hung on a split-off file goes: it is linked and compared anew."""
    Entry.objects.filter(person=person).exclude(link_method="confirmed").update(**NOBODY)
    Link.objects.filter(person=person, status=Link.State.PROPOSED).delete()
    own = Discrepancy.objects.filter(Q(subject_id__contains=person.hex) | Q(subject_id__contains=str(person)), student=person)
    own.exclude(pk__in=Discrepancy.objects.worked_on().values("pk")).delete()
    Duplicate.objects.filter(Q(first=person) | Q(second=person)).delete()


def _let_go(done: Merge) -> None:
    """List rows the merged file drew in since by a number that is the other child's again are linked anew."""
    numbers = Identifier.objects.filter(person=done.other).leading().values("index")
    drawn = Entry.objects.filter(person=done.kept).exclude(link_method="confirmed")
    drawn.filter(Q(citizen_index__in=numbers) | Q(number_index__in=numbers)).update(**NOBODY)


def _compare(done: Merge, by) -> None:
    inputs = {source for rule in RULES.values() for source in rule.inputs}
    reconciling.ask(county=done.county, by=by, inputs=inputs, cause=f"merge:{done.pk}:{bool(done.undone_at)}")


@transaction.atomic
def seek_duplicates(*, county: County, by) -> int:
    """Look through the county for files that may be of one person; how many pairs wait."""
    County.objects.select_for_update(no_key=True).get(pk=county.pk)
    waiting = seek(county)
    audit.record(by=by, verb="students.duplicates_sought", subject=county, county=county, detail={"count": waiting})
    return waiting


@transaction.atomic
def decide(*, duplicate: Duplicate, answer: str, reason: str, by) -> Duplicate:
    """“Not the same” or “cannot tell yet” about two files; “the same” is said by merging them."""
    states = {"no": Duplicate.State.DIFFERENT, "undecided": Duplicate.State.UNDECIDED}
    duplicate = Duplicate.objects.select_for_update().get(pk=duplicate.pk)
    if duplicate.state == Duplicate.State.MERGED:
        raise NotMerged("merged", "这两份档案已经合并。")
    duplicate.state, duplicate.reason = states[answer], reason[:200]
    duplicate.decided_by, duplicate.decided_at = by, timezone.now()
    duplicate.save()
    audit.record(by=by, verb="students.duplicate_decided", subject=duplicate, county=duplicate.county, detail={"answer": answer})
    return duplicate


def survivor_of(person: UUID) -> UUID | None:
    """Where the file of a merged person is now, through as many merges as there were."""
    key = person
    while found := Merge.objects.standing().filter(kind=Merge.Kind.MERGE, other=key).values_list("kept", flat=True).first():
        key = found
    return None if key == person else key
