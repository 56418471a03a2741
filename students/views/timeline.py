"""A child's history on one line, and what each register says about it today."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils import timezone

from bureau.access.models import Account
from bureau.money import format_yuan
from students.desk import period
from students.models import (
    AidLine,
    Attachment,
    Comment,
    Discrepancy,
    Entry,
    Link,
    Register,
    Sighting,
    Snapshot,
    Student,
)
from students.panels import PANELS, Event
from students.rules import RULES
from students.sheets.categories import LABELS
from students.views.neighbours import concealed

KINDS = {
    "list": "名单",
    "enrolment": "学籍与就读",
    "aid": "学校资助名册",
    "hardship": "困难身份",
    "whereabouts": "去向",
    "discrepancy": "待核实问题",
}

STATE_TONES = {
    Discrepancy.State.NEW: "red",
    Discrepancy.State.ASSIGNED: "blue",
    Discrepancy.State.FIXED: "amber",
}


def events_of(student: Student, account: Account) -> list[Event]:
    """Everything dated that the account may read about the child, newest first."""
    events = [
        *_stays(student),
        *_enrolments(student, account),
        *_aid_lines(student, account),
        *_hardships(student),
        *_whereabouts(student),
        *_discrepancies(student, account),
    ]
    for panel in PANELS:
        if panel.events is not None:
            events += panel.events(student, account)
    return sorted(events, key=lambda event: event.on, reverse=True)


def _stays(student: Student):
    for entry in Entry.objects.filter(person=student.pk).select_related("register", "township"):
        category = entry.get_category_display()
        detail = "，".join(filter(None, [category, entry.register.office, str(entry.township or "")]))
        yield Event(entry.listed_from, "list", f"列入{entry.register.title}", detail, entry.listed_to)
        if entry.listed_to:
            yield Event(entry.listed_to, "list", f"退出{entry.register.title}", category, tone="grey")


def _enrolments(student: Student, account: Account):
    for enrolment in concealed(student.enrolments.select_related("school"), account):
        place = enrolment.school or enrolment.outside_school or "县外学校"
        facts = [enrolment.class_name]
        facts += ["在籍"] if enrolment.is_registered else []
        facts += ["在校"] if enrolment.is_present else []
        facts += ["住校"] if enrolment.boarding else []
        facts += [enrolment.major, enrolment.internship]
        if enrolment.started_on:
            yield Event(
                enrolment.started_on,
                "enrolment",
                f"就读{place}",
                "，".join(filter(None, facts)),
                enrolment.ended_on,
            )
        if enrolment.ended_on:
            why = "，".join(filter(None, [enrolment.exit_kind, enrolment.destination]))
            yield Event(enrolment.ended_on, "enrolment", f"离开{place}", why, tone="amber")


def _aid_lines(student: Student, account: Account):
    """What schools claimed or paid for the child, as their aid rosters state it; not yet judged by anybody."""
    may_open = account.may("rosters.view")
    lines = AidLine.objects.visible_to(account).applied().filter(row__person_id=student.pk)
    for line in lines.select_related("row__roster", "row__school").order_by("row"):
        roster = line.row.roster
        facts = [line.programme, line.term_text, f"{format_yuan(line.amount_fen)} 元"]
        facts += [LABELS.get(line.hardship, ""), f"收款人{line.holder_name}" if line.holder_name else ""]
        yield Event(
            timezone.localtime(roster.applied_at).date(),
            "aid",
            f"{line.row.school}资助名册（第 {line.row.row} 行）",
            "，".join(filter(None, facts)),
            tone="green",
            url=roster.get_absolute_url() if may_open else "",
        )


def _hardships(student: Student):
    for hardship in student.hardships.select_related("register"):
        source = f"依据{hardship.register.title}" if hardship.register else hardship.evidence
        title = f"登记困难身份：{hardship.get_category_display()}"
        yield Event(hardship.valid_from, "hardship", title, source, hardship.valid_to, tone="amber")


def _whereabouts(student: Student):
    for known in student.whereabouts.filter(withdrawn_at=None):
        title = f"去向：{known.get_kind_display()}" + (f"（{known.place}）" if known.place else "")
        yield Event(
            known.valid_from, "whereabouts", title, f"佐证：{known.evidence}", known.valid_to, tone="green"
        )


def _discrepancies(student: Student, account: Account):
    for found in Discrepancy.objects.visible_to(account).filter(student=student):
        rule = RULES.get(found.rule)
        title = rule.title if rule else found.rule
        detail = f"{found.get_state_display()}，{found.get_office_display()}承办" + (
            f"。{found.note}" if found.note else ""
        )
        tone = STATE_TONES.get(found.state, "grey")
        yield Event(
            found.opened_on, "discrepancy", title, detail, found.closed_on, tone, found.get_absolute_url()
        )
    seen = {"discrepancy__student": student, "discrepancy__in": Discrepancy.objects.visible_to(account)}
    for said in Comment.objects.filter(**seen).select_related("discrepancy", "by"):
        yield _remark(said, "留言", said.text)
    for hung in Attachment.objects.filter(**seen, withdrawn_at=None).select_related("discrepancy", "by"):
        yield _remark(hung, "附件", hung.file_name)


def _remark(remark: Comment | Attachment, what: str, text: str) -> Event:
    found = remark.discrepancy
    title = f"{RULES[found.rule].title if found.rule in RULES else found.rule}：{what}"
    on = timezone.localdate(remark.at)
    return Event(on, "discrepancy", title, f"{remark.by}：{text}", tone="grey", url=found.get_absolute_url())


@dataclass(frozen=True)
class Standing:
    """What one register says about a child on a day: four answers that are never folded into one."""

    register: Register
    verdict: str
    tone: str
    why: str
    snapshot: Snapshot | None = None
    seen: Sighting | None = None
    asked: bool = False

    @property
    def issue(self) -> str:
        """The list the verdict rests on."""
        return f"{period(self.snapshot.as_of)}名单（{_day(self.snapshot.as_of)}）" if self.snapshot else ""

    @property
    def row(self) -> str:
        """Where that list shows the child."""
        if self.seen is None:
            return ""
        sheets = self.seen.snapshot.sheets
        sheet = sheets[self.seen.sheet] if self.seen.sheet < len(sheets) else None
        return (f"“{sheet}”" if sheet else "") + f"第 {self.seen.row} 行"


def standings(student: Student, day: date) -> list[Standing]:
    """On the list, not on it, waiting for somebody to recognise the child, or impossible to tell; one per register.

    Each with the list it rests on and, where a list shows the child, the row.
    """
    stays: dict[int, list[Entry]] = {}
    for entry in Entry.objects.filter(person=student.pk).order_by("listed_from", "pk"):
        stays.setdefault(entry.register_id, []).append(entry)
    asked = Link.objects.filter(person=student.pk, status=Link.State.PROPOSED).select_related("entry").order_by("score", "-pk")
    proposed = {link.entry.register_id: link.entry for link in asked}
    scope = Q(township=None) | Q(township=student.hukou_township_id)
    newest = {
        snapshot.register_id: snapshot
        for snapshot in Snapshot.objects.closed()
        .filter(scope, county=student.county_id, partial=False)
        .order_by("as_of")
    }
    return [
        _standing(
            register,
            stays.get(register.pk, []),
            newest.get(register.pk),
            proposed.get(register.pk),
            student,
            day,
        )
        for register in Register.objects.filter(county=student.county_id).order_by("id")
    ]


def _standing(register, stays, snapshot, proposed, student, day) -> Standing:
    current = [s for s in stays if s.listed_from <= day and (s.listed_to is None or s.listed_to >= day)]
    if current:
        kinds = "、".join(dict.fromkeys(s.get_category_display() for s in current if s.category))
        since = min(s.listed_from for s in current)
        seen = _last_seen(current[-1])
        shown_by = seen.snapshot if seen else snapshot
        return Standing(register, "在册", "blue", f"{kinds + '，' if kinds else ''}自{_day(since)}", shown_by, seen)
    if proposed is not None:
        seen = _last_seen(proposed)
        why = "名单中有疑似本人的记录，等待身份匹配认定"
        return Standing(register, "待认定", "amber", why, seen.snapshot if seen else snapshot, seen, asked=True)
    if snapshot is None:
        return Standing(register, "无法核对", "grey", "尚未收到覆盖其户籍地的名单")
    if student.hukou_outside and not stays:
        return Standing(register, "无法核对", "grey", "外县户籍，名单在户籍地", snapshot)
    if stays:
        seen = _last_seen(stays[-1])
        last = f"，最后见于{period(seen.snapshot.as_of)}名单" if seen else ""
        return Standing(register, "已退出", "grey", f"在册至{_day(stays[-1].listed_to)}{last}", snapshot, seen)
    return Standing(register, "不在册", "grey", "名单上没有匹配到本人的记录", snapshot)


def _last_seen(entry: Entry) -> Sighting | None:
    return entry.sightings.select_related("snapshot").order_by("snapshot__as_of", "pk").last()


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
