"""The way of a case: verified, assigned, visited, brought back, watched, struck off; or excluded, handed over, aged out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from bureau import audit, states
from bureau.access.models import Account
from bureau.organisation.models import County, Term
from bureau.organisation.terms import term_on
from bureau.states import Transition
from dropout.actions.steps import NotDone, State, When, check_day, locked, needed, take
from dropout.models import Case, Episode, SignOff, TeamMember, Visit
from dropout.models.cases import ENDED, VERIFIED
from dropout.models.deadlines import Stage, counted
from students.models import Enrolment, Whereabouts
from students.rules import school_age_births

IN_SCHOOL = "in_school"
WHY_EXCLUDED = [
    (IN_SCHOOL, "在本县就读（名册、学籍漏登或证件有误）"),
    *(choice for choice in Whereabouts.Kind.choices if choice[0] not in ("deferred", "suspended", "home_teaching")),
]
FOR_EVER = ("abroad", "deceased", "hukou_error", "duplicate", "moved_out", "graduated_early")
AWAY = ("home_teaching", "blended_vocational", "corrective", "elsewhere", "special_school")  # no class roll here has them


@transaction.atomic
def assign(
    *, cases: QuerySet[Case], government: Account | None, education: Account | None, today: date, by: Account
) -> tuple[int, int]:
    """Give open cases to one person on each line; those still suspected are being verified from now on. (given, left).

    A person must see the cases he is given. Raises NotDone.
    """
    if not government and not education:
        raise NotDone("nobody", "请至少选一名责任人。")
    chosen = list(cases.order_by().select_for_update(of=["self"]).values_list("pk", "state"))
    keys = [pk for pk, state in chosen if state not in ENDED]
    mine = Case.objects.filter(pk__in=keys)
    for person in filter(None, (government, education)):
        if not person.is_active or not person.may("dropout.work"):
            raise NotDone("may_not", f"{person}没有办理控辍保学的权限，请另选一人。")
        if unseen := len(keys) - Case.objects.visible_to(person).filter(pk__in=keys).count():
            raise NotDone("elsewhere", f"其中 {unseen} 件不在{person}的范围内，请分乡镇、分学校交办。")
    leads = {k: v for k, v in (("government_lead", government), ("education_lead", education)) if v}
    if keys:
        mine.update(**leads)
        fresh = mine.filter(state=State.SUSPECTED)
        first = fresh.select_related("county").first()
        if first:
            due = counted(first.county, Stage.VERIFYING, today)
            states.move(fresh, to=State.VERIFYING, by=by, effective_on=today, also={"due_on": due})
        audit.record(by=by, verb="dropout.assigned", county=by.county, detail={"count": len(keys)})
    return len(keys), len(chosen) - len(keys)


@dataclass(frozen=True)
class Leaving:
    """What verification found of a leaving: 失学 or 辍学, since when, from where, why."""

    kind: str
    left_on: date
    reason: str
    evidence: str
    grade: str = ""


@transaction.atomic
def confirm(*, case: Case, leaving: Leaving, when: When, by: Account) -> None:
    """Verified: the child is out of school. Raises NotDone."""
    case, episode = locked(case, State.VERIFYING)
    check_day(case, episode, when)
    evidence = needed(leaving.evidence, "evidence_required", "请写明核查的佐证。")
    if leaving.left_on > when.on:
        raise NotDone("left_later", "失辍学时间不能晚于确认日期。")
    facts = {
        "kind": leaving.kind, "left_on": leaving.left_on, "grade": leaving.grade, "confirmed_on": when.on, "evidence": evidence,
    }  # fmt: skip
    take(case, episode, to=State.CONFIRMED, when=when, by=by, reason=evidence, also={"reason": leaving.reason}, facts=facts)
    audit.record(by=by, verb="dropout.confirmed", subject=case)


@transaction.atomic
def exclude(
    *, case: Case, why: str, evidence: str, when: When, by: Account, place: str = "", valid_to: date | None = None
) -> None:
    """Not out of school after all: where the child is, with evidence. It stands in his file as his whereabouts.

    Evidence of being taught elsewhere ends with the term, to be looked at again. Raises NotDone.
    """
    case, episode = locked(case, State.VERIFYING, *VERIFIED)
    check_day(case, episode, when)
    if why not in dict(WHY_EXCLUDED):
        raise NotDone("why_required", "请选择排除的类别。")
    evidence = needed(evidence, "evidence_required", "没有佐证不能排除。")
    if why == IN_SCHOOL and not Enrolment.objects.open().filter(student=case.student_id).exists():
        raise NotDone("not_on_a_roll", "花名册、学籍里都还没有他。请先由学校登记，再排除。")
    if why != IN_SCHOOL:
        term: Term | None = term_on(case.county, when.on)
        until = None if why in FOR_EVER else valid_to or (term.ends_on if term and term.ends_on >= when.on else when.on)
        if until and until < when.on:
            raise NotDone("ended_already", "有效期不能早于排除的日期。")
        Whereabouts.objects.create(
            county=case.county, student_id=case.student_id, kind=why, place=place[:200], evidence=evidence[:400],
            valid_from=when.on, valid_to=until, recorded_by=by,
        )  # fmt: skip
    reason = f"{dict(WHY_EXCLUDED)[why]}：{evidence}"
    take(case, episode, to=State.EXCLUDED, when=when, by=by, reason=reason, facts={"evidence": evidence[:400]})
    audit.record(by=by, verb="dropout.excluded", subject=case, detail={"explained": why})


@transaction.atomic
def hand_over(*, case: Case, place: str, letter: str, when: When, by: Account) -> None:
    """The child belongs to another county, which has accepted him by letter. Raises NotDone."""
    case, episode = locked(case, State.VERIFYING, *VERIFIED)
    check_day(case, episode, when)
    place, letter = needed(place, "place_required", "请写明移交给哪个县。"), needed(letter, "evidence_required", "请写明对方的接收函。")
    take(case, episode, to=State.TRANSFERRED, when=when, by=by, reason=f"{place}：{letter}", facts={"evidence": letter[:400]})
    audit.record(by=by, verb="dropout.handed_over", subject=case)


@transaction.atomic
def place(*, case: Case, placement: str, placed_at: str, evidence: str, when: When, by: Account) -> None:
    """特教、送教、随班安置 is decided; the child is taught once it is in place. Raises NotDone."""
    case, episode = locked(case, State.VERIFYING, *VERIFIED)
    check_day(case, episode, when)
    evidence = needed(evidence, "evidence_required", "请写明评估、安置的依据。")
    facts = {"placement": placement, "placed_at": placed_at[:120]}
    take(case, episode, to=State.PLACED_SPECIAL, when=when, by=by, reason=evidence, facts=facts)
    audit.record(by=by, verb="dropout.placed", subject=case)


@transaction.atomic
def form_team(*, case: Case, members: Iterable[tuple[str, str]], plan: str, when: When, by: Account) -> None:
    """The helpers (post, name) and the plan of one child; from now on he is being persuaded. Raises NotDone."""
    case, episode = locked(case, State.CONFIRMED)
    check_day(case, episode, when)
    helpers = [(post, name.strip()[:60]) for post, name in members if name.strip()]
    if not helpers:
        raise NotDone("nobody", "请至少写一名专班成员。")
    TeamMember.objects.bulk_create(
        [TeamMember(case=case, post=post, name=name, joined_on=when.on) for post, name in helpers], ignore_conflicts=True
    )
    take(case, episode, to=State.PERSUADING, when=when, by=by, also={"plan": plan.strip()[:600]})
    audit.record(by=by, verb="dropout.team_formed", subject=case, detail={"count": len(helpers)})


@dataclass(frozen=True)
class Visited:
    """What a visitor brings home."""

    visited_on: date
    way: str
    visitors: str
    met: str
    place: str
    content: str
    outcome: str
    next_on: date | None = None


@transaction.atomic
def record_visit(*, case: Case, visited: Visited, today: date, by: Account) -> Visit:
    """One visit, never before the case was opened nor in the future; sent twice it is one row.

    While the child is being persuaded the next one is due on the day agreed, at the latest when the bureau's term ends.
    Raises NotDone.
    """
    open_states = [state for state in State.values if state not in ENDED]
    case, episode = locked(case, *open_states)
    if visited.visited_on > today:
        raise NotDone("in_the_future", "走访日期不能晚于今天。")
    if visited.visited_on < episode.opened_on:
        raise NotDone("before_the_case", f"走访日期不能早于立案日期（{episode.opened_on}）。")
    if visited.next_on and visited.next_on <= visited.visited_on:
        raise NotDone("next_before", "下次走访应在这次之后。")
    for name in ("visitors", "met", "place", "content"):
        needed(getattr(visited, name), "incomplete", "请写明走访人、见到谁、地点和谈话内容。")
    sent = {"visited_on": visited.visited_on, "way": visited.way, "outcome": visited.outcome, "content": visited.content.strip()[:600]}
    if twin := case.visits.filter(**sent).first():
        return twin
    visit = Visit.objects.create(
        case=case, episode=episode, visitors=visited.visitors.strip()[:120], met=visited.met.strip()[:120],
        place=visited.place.strip()[:120], next_on=visited.next_on, recorded_by=by, **sent,
    )  # fmt: skip
    if case.state == State.PERSUADING:
        Case.objects.filter(pk=case.pk).update(due_on=next_visit(case))
    audit.record(by=by, verb="dropout.visit_recorded", subject=case)
    return visit


def next_visit(case: Case) -> date | None:
    """When a persuaded child is to be seen again: counted from the last visit of this episode, or from when it began."""
    began = Transition.objects.of(case).filter(to_state=State.PERSUADING).order_by("-id").values_list("effective_on", flat=True).first()
    last = case.visits.filter(episode__ended_on=None).order_by("-visited_on", "-pk").first()
    if last is None or (began and last.visited_on < began):
        return counted(case.county, Stage.PERSUADING, began or case.opened_on)
    due = counted(case.county, Stage.PERSUADING, last.visited_on)
    return min(due, last.next_on) if due and last.next_on else due


@transaction.atomic
def bring_back(*, case: Case, placement: str, placed_at: str, evidence: str, when: When, by: Account) -> None:
    """The school confirms that the child is back. Raises NotDone."""
    case, episode = locked(case, State.PLACED_SPECIAL, *VERIFIED)
    check_day(case, episode, when)
    evidence = needed(evidence, "evidence_required", "请写明复学的佐证。")
    if placement not in Episode.Placement.values:
        raise NotDone("placement_required", "请选择安置方式。")
    facts = {"returned_on": when.on, "placement": placement, "placed_at": placed_at[:120], "evidence": evidence[:400]}
    take(case, episode, to=State.RETURNED, when=when, by=by, reason=evidence, facts=facts)
    audit.record(by=by, verb="dropout.returned", subject=case)


@transaction.atomic
def watch(*, case: Case, when: When, by: Account) -> None:
    """Present for the days the bureau asks for: from now on he is watched. Raises NotDone."""
    case, episode = locked(case, State.RETURNED)
    check_day(case, episode, when)
    back_on = episode.returned_on or when.on
    enough = counted(case.county, Stage.RETURNED, back_on)
    if enough is None:
        raise NotDone("beyond_terms", "还没有录入下一学期的起止日期，算不出在校的天数。请先录入学期。")
    if when.on < enough:
        raise NotDone("too_early", "复学后在校的天数还不够，到期后再进入巩固观察。")
    take(case, episode, to=State.STABILISING, when=when, by=by)
    audit.record(by=by, verb="dropout.watched", subject=case)


@transaction.atomic
def relapse(*, case: Case, left_on: date, reason: str, told: str, when: When, by: Account) -> None:
    """He left again: the same case, a new episode (二次辍学). Raises NotDone."""
    case, episode = locked(case, State.RETURNED, State.STABILISING)
    check_day(case, episode, when)
    told = needed(told, "reason_required", "请写明又离校的情况。")
    if not (episode.returned_on or episode.opened_on) <= left_on <= when.on:
        raise NotDone("left_outside", "离校日期应在复学之后、登记日期之前。")
    Episode.objects.filter(pk=episode.pk).update(ended_on=when.on, outcome="relapsed")
    fresh = Episode.objects.create(
        case=case, opened_on=when.on, kind=Episode.Kind.DROPPED_OUT, confirmed_on=when.on, left_on=left_on, school=case.school
    )
    take(case, fresh, to=State.PERSUADING, when=when, by=by, reason=told, also={"reason": reason or case.reason})
    audit.record(by=by, verb="dropout.relapsed", subject=case)


@transaction.atomic
def sign(*, case: Case, line: str, note: str, today: date, by: Account) -> SignOff:
    """One line's signature while the child is watched. Nobody signs for both lines. Raises NotDone."""
    case, episode = locked(case, State.STABILISING)
    if not by.may(f"dropout.sign_{line}"):
        raise NotDone("may_not", "这一线不由您签字。")
    if twin := episode.signoffs.filter(line=line).first():
        return twin
    if episode.signoffs.filter(signed_by=by).exists():
        raise NotDone("both_lines", "您已为另一线签过字，两线须由不同的人签字。")
    made = SignOff.objects.create(episode=episode, line=line, note=note.strip()[:200], signed_by=by, signed_on=today)
    audit.record(by=by, verb="dropout.signed", subject=case, detail={"work": line})
    return made


def missing_for_strike_off(case: Case, episode: Episode, day: date) -> list[str]:
    """What still stands in the way of 销号, in words; empty when nothing does. Source: docs/rules/dropout.md, “销号”."""
    found = []
    signed = set(episode.signoffs.values_list("line", flat=True))
    found += [f"{label}还没有签字" for line, label in SignOff.Line.choices if line not in signed]
    if case.due_on is None or day < case.due_on:
        found.append("巩固观察期未满" + (f"（至{case.due_on}）" if case.due_on else ""))
    if episode.placement not in AWAY and not Enrolment.objects.present().filter(student=case.student_id).exists():
        found.append("班级花名册上还没有他")
    return found


@transaction.atomic
def strike_off(*, case: Case, evidence: str, when: When, by: Account) -> None:
    """销号: signed by both lines, watched to the end, on a roll, with evidence. Raises NotDone."""
    case, episode = locked(case, State.STABILISING)
    check_day(case, episode, when)
    evidence = needed(evidence, "evidence_required", "没有佐证不能销号。")
    if missing := missing_for_strike_off(case, episode, when.on):
        raise NotDone("not_ready", "；".join(missing) + "，不能销号。")
    take(case, episode, to=State.STRUCK_OFF, when=when, by=by, reason=evidence, facts={"evidence": evidence[:400]})
    audit.record(by=by, verb="dropout.struck_off", subject=case)


@transaction.atomic
def age_out(*, county: County, today: date) -> int:
    """Children past the upper age who are still out leave the list of open cases; they stay in their cohort's rates."""
    term = term_on(county, today)
    if term is None:
        return 0
    first, _ = school_age_births(county, school_year=term.school_year.starts_in, as_of=today)
    over = Case.objects.filter(county=county, student__person__birth_on__lt=first).verified()
    keys = list(over.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return 0
    count = states.move(
        Case.objects.filter(pk__in=keys), to=State.AGED_OUT, by=None, reason="超过适龄上限", effective_on=today, also={"due_on": None}
    )
    Episode.objects.filter(case__in=keys, ended_on=None).update(ended_on=today, outcome=State.AGED_OUT)
    audit.record(by=None, verb="dropout.aged_out", subject=county, county=county, detail={"count": count})
    return count
