"""What a difference compared, in words: the evidence it rests on, and both sides as they stand today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils import timezone

from bureau.templatetags.bureau import date_cn
from students.desk import period
from students.models import Category, Discrepancy, Entry, Sighting, Snapshot

EVIDENCE = {
    "enrolled nowhere": "本县没有他的就读记录",
    "off every roll": "花名册、学籍都不再列他",
    "not found": "未匹配到本人",
    "not recorded": "没有登记过",
    "present elsewhere": "在另一所学校在校",
    "present nowhere": "没有学校报他在校",
    "registered elsewhere": "学籍在另一所学校",
    "registered nowhere": "没有学校有他的学籍",
    "registered at another school too": "在另一所学校也有学籍",
    "entered": "新列入名单",
    "left": "不再列入名单",
    "suspended without paper": "休学没有佐证",
    "left without paper": "离校没有佐证",
    "not in grade one": "没有一年级的就读记录",
    "kindergarten, not in grade one": "上过幼儿园，没有一年级的就读记录",
}
DATED = {
    "left": "{}离校后没有新的就读记录",
    "finished primary school": "{}小学毕业后没有初中的就读记录",
    "finished junior school": "{}初中毕业后没有登记去向",
    "proof until": "去向佐证{}到期",
    "recorded until": "登记到{}为止",
    "recorded from": "登记自{}起",
}
SPEAK_FOR_THEMSELVES = {"R03"}  # their evidence is the compared values; rooms add theirs


def evidence_in_words(found: Discrepancy) -> str:
    """The compared values as the rule left them; nothing where the rule's own words say it all."""
    if found.rule in SPEAK_FOR_THEMSELVES:
        return found.evidence
    if found.subject_kind == "account":
        return "领款账号相同"
    return "；".join(filter(None, (_part(part) for part in found.evidence.split("; "))))


def _part(part: str) -> str:
    what, _, day = part.rpartition(" ")
    if what in DATED and len(day) == 10:
        return DATED[what].format(date_cn(date.fromisoformat(day)))
    return EVIDENCE.get(part, "")


@dataclass(frozen=True)
class Line:
    """One fact on both sides."""

    what: str
    listed: str
    known: str


def compared(found: Discrepancy) -> list[Line]:
    """Both sides of R01, R08, R13, R25 and R26 as they stand today, with the list and its date; of others nothing."""
    if found.rule in ("R01", "R08", "R13"):
        return [
            Line("在册、就读", _listed(found.entry), _schooling(found)),
            Line("去向", "名单不写去向", _whereabouts(found)),
        ]
    if found.rule in ("R25", "R26"):
        label = dict(Category.choices).get(found.category, "困难身份")
        listed = _listed(found.entry) if found.rule == "R25" else _left(found)
        return [Line(label, listed, _hardships(found))]
    return []


def _listed(entry: Entry | None) -> str:
    if entry is None:
        return "名单记录已删除"
    category = f"（{entry.get_category_display()}）" if entry.category else ""
    return f"{entry.register.title}{category}，{_span(entry.listed_from, entry.listed_to)}{_shown_by(entry)}"


def _shown_by(entry: Entry) -> str:
    """The newest list that shows the row. It is looked up, never kept: the next list of the same changes no evidence."""
    seen = Sighting.objects.filter(entry=entry).select_related("snapshot").order_by("-snapshot__as_of", "-pk").first()
    return f"，见{_issue(seen.snapshot)}" if seen else ""


def _left(found: Discrepancy) -> str:
    """R26: the newest list that covers the child and does not hold him."""
    held = [h for h in found.student.hardships.all() if h.category == found.category and h.register_id]
    registers = {hardship.register_id for hardship in held}
    scopes = Q(township=None) | Q(township__in={hardship.scope_township_id for hardship in held} - {None})
    newest = Snapshot.objects.closed().filter(scopes, register__in=registers, partial=False)
    last = newest.select_related("register").defer("problems", "tables").order_by("-as_of", "-pk").first()
    told = f"{last.register.title}{_issue(last)}没有本人" if last else "名单上没有本人"
    if found.entry is None:
        return told
    if found.entry.person_id != found.student_id:
        return f"{told}；原来那一行现在不是他的"
    return f"{told}；原来{_span(found.entry.listed_from, found.entry.listed_to)}"


def _schooling(found: Discrepancy) -> str:
    if found.student is None:
        return "未匹配到本人"
    if found.student.current:
        return "；".join(f"{_school(stay)}{_standing(stay)}" for stay in found.student.current)
    last = found.student.enrolments.filter(ended_on__isnull=False).select_related("school").order_by("-ended_on").first()
    if last is None:
        return "本县没有就读记录"
    return f"{date_cn(last.ended_on)}离开{_school(last)}{f'（{last.exit_kind}）' if last.exit_kind else ''}，以后没有就读记录"


def _whereabouts(found: Discrepancy) -> str:
    known = found.student.whereabouts.filter(withdrawn_at=None).order_by("-valid_from", "-pk") if found.student else ()
    today = timezone.localdate()
    return "；".join(
        f"{one.get_kind_display()}{f'，{one.place}' if one.place else ''}，{_span(one.valid_from, one.valid_to)}"
        f"{'（已到期）' if one.valid_to and one.valid_to < today else ''}"
        for one in known
    ) or "没有登记"  # fmt: skip


def _hardships(found: Discrepancy) -> str:
    held: Iterable = found.student.hardships.select_related("register").order_by("-valid_from") if found.student else ()
    same = [
        f"{_span(one.valid_from, one.valid_to)}{f'（依据{one.register.title}）' if one.register else ''}"
        for one in held
        if one.category == found.category
    ]
    return "；".join(same) or "没有登记"


def _school(stay) -> str:
    return str(stay.school or stay.outside_school or "县外学校")


def _standing(stay) -> str:
    words = {(True, True): "在籍在校", (True, False): "在籍不在校", (False, True): "在校不在籍"}
    return words.get((stay.is_registered, stay.is_present), "名册、学籍都不再列他")


def _span(first: date, last: date | None) -> str:
    return f"{date_cn(first)}起" + (f"，至{date_cn(last)}" if last else "，现仍有效")


def _issue(snapshot: Snapshot) -> str:
    return f"{period(snapshot.as_of)}名单（{date_cn(snapshot.as_of)}）"
