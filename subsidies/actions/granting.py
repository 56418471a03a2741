"""One step of the way for one line or 20,000: what may go goes, the rest stays with the reason beside it.

Every guard is one UPDATE that writes its reason into `hold`; what has none is moved. So a page, the export and the
command tell the same reasons, and a step taken twice moves nothing the second time.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from bureau import audit, states
from bureau.access.models import Account
from bureau.bulk import chunks, insert_rows, refresh_statistics
from bureau.keys import uuid7
from bureau.organisation.models import Term
from bureau.states import IllegalMove
from subsidies.actions import funding, noticing
from subsidies.actions.refusals import WORDS, NotDone
from subsidies.entitlement import Entitlement, one_by_one
from subsidies.models import (
    Exclusion,
    Grant,
    GrantClaim,
    LedgerTransaction,
    Objection,
    Programme,
    Refusal,
    TermClosing,
)
from subsidies.models.grants import SIDE

State = Grant.State

# Who signs where; and whose signatures the signer may not be. Source: docs/rules/aid.md, “办理步骤”.
SIGNED = {
    State.APPLIED: "applied_by",
    State.SCHOOL_REVIEWED: "reviewed_by",
    State.SUBMITTED: "submitted_by",
    State.COUNTY_APPROVED: "approved_by",
    State.FINANCE_APPROVED: "finance_by",
}
APART = {
    State.SCHOOL_REVIEWED: ("applied_by",),
    State.SUBMITTED: ("applied_by",),
    State.COUNTY_APPROVED: ("applied_by", "reviewed_by", "submitted_by"),
    State.FINANCE_APPROVED: ("applied_by", "reviewed_by", "submitted_by", "approved_by"),
}
JUDGED_AGAIN = (
    State.APPLIED,
    State.SCHOOL_REVIEWED,
    State.SUBMITTED,
    State.COUNTY_APPROVED,
    State.FINANCE_APPROVED,
)
STEPS = (
    State.APPLIED,
    State.SCHOOL_REVIEWED,
    State.IN_NOTICE,
    State.NOTICE_PASSED,
    State.SUBMITTED,
    State.COUNTY_APPROVED,
    State.FINANCE_APPROVED,
)


@dataclass(frozen=True)
class Outcome:
    """How many lines went, worth how much, and how many stayed for which reason."""

    moved: int
    amount_fen: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "moved": self.moved,
            "refused": [{"reason": code, "count": n} for code, n in sorted(self.refused.items())],
        }

    @property
    def told(self) -> str:
        """公示期未满 3 条、同一人 1 条."""
        return "、".join(f"{WORDS.get(code, code)} {n} 条" for code, n in self.refused.items())


def ready_for(to: str, programme: Programme | None = None) -> list[str]:
    """The states from which a step starts on the ordinary way; without a 公示 the review is followed by the report."""
    if to == State.SUBMITTED:
        if programme is not None and not programme.notice_days:
            return [State.SCHOOL_REVIEWED]
        return [State.NOTICE_PASSED]
    return {
        State.APPLIED: [State.CANDIDATE, State.RETURNED],
        State.SCHOOL_REVIEWED: [State.APPLIED],
        State.IN_NOTICE: [State.SCHOOL_REVIEWED, State.OBJECTED],
        State.NOTICE_PASSED: [State.IN_NOTICE],
        State.COUNTY_APPROVED: [State.SUBMITTED],
        State.FINANCE_APPROVED: [State.COUNTY_APPROVED],
    }[to]


def right_for(to: str) -> str:
    return next(move.right for move in Grant.STATES.moves_to(to) if move.right)


def advance(
    *, programme: Programme, term: Term, to: str, by: Account, grants: QuerySet[Grant] | None = None, today: date | None = None,
    expected: tuple[int, int] | None = None, place: str = "",
) -> Outcome:  # fmt: skip
    """Take one step with the lines of a programme-term that wait for it and that the account may see.

    `grants` narrows them; `expected` is the number and fen the signer was shown: where they are others now, nothing is
    done. Raises NotDone, PermissionDenied, or IllegalMove when somebody else was quicker.
    """
    if not by.may(right_for(to)):
        raise PermissionDenied(right_for(to))
    today = today or timezone.localdate()
    try:
        with transaction.atomic(), exercising(right_for(to), by):
            return _advance(programme, term, to, by, grants, today, expected, place)
    except IntegrityError as error:
        raise IllegalMove("刚被他人办理，或与已办的资助冲突，请刷新后重试。") from error


def _advance(programme, term, to, by, grants, today, expected, place) -> Outcome:
    mine = (Grant.objects.all() if grants is None else grants).visible_to(by).of(programme, term)
    waiting = Grant.objects.filter(
        pk__in=mine.filter(state__in=ready_for(to, programme)).values("pk")
    ).order_by()
    if expected is not None and (counted := _total(waiting)) != expected:
        raise NotDone("count_changed", f"页面打开后情况有变化，现在是 {counted[0]} 条。请核对后再确认。")
    waiting.exclude(hold="").update(hold="")
    if funding.is_closed(term):
        waiting.update(hold="closed_term")
    for guard in GUARDS.get(to, ()):
        guard(waiting.filter(hold=""), programme, term, to, by, today)
    going = waiting.filter(hold="")
    count, amount_fen = _total(going)
    refused = dict(
        waiting.exclude(hold="").order_by().values_list("hold").annotate(Count("pk")).order_by("hold")
    )
    if not count:
        return Outcome(0, 0, refused)
    batch = uuid7()
    also: dict[str, Any] = {SIGNED[to]: by} if to in SIGNED else {}
    if to == State.APPLIED:
        also |= dict.fromkeys(
            ("reviewed_by", "submitted_by", "approved_by", "finance_by", "notice", "commitment")
        )
        _claim(going, programme, term)
    if to == State.IN_NOTICE:
        noticing.post(going, programme=programme, term=term, by=by, on=today, place=place)
    if to == State.FINANCE_APPROVED:
        key = f"commit:{batch.hex}"
        also["commitment"] = funding.commit(
            programme=programme, term=term, amount_fen=amount_fen, lines=count, key=key, by=by
        )
    moved = states.move(going, to=to, by=by, also=also, batch=batch)
    detail = {"code": programme.code, "count": moved, "amount_fen": amount_fen, "to": to}
    audit.record(
        by=by,
        verb="subsidies.advanced",
        subject=programme,
        county=programme.county,
        detail=detail,
        batch=batch,
    )
    return Outcome(moved, amount_fen, refused)


# Guards: each writes its code beside the lines that may not go.


def _not_oneself(lines: QuerySet, programme, term, to, by, today) -> None:
    """Whoever signed an earlier step signs no later one of the same line."""
    signed = Q()
    for column in APART[to]:
        signed |= Q(**{column: by})
    lines.filter(signed).update(hold="same_person")


def _still_entitled(lines: QuerySet, programme, term, to, by, today) -> None:
    """Judged again on the same reference date: what has changed since the line was put down is told."""
    question = Entitlement.of(programme, term)
    entitled = question.entitled().filter(student=OuterRef("student"))
    doubtful = lines.filter(
        ~one_by_one(Exists(entitled.filter(amount_fen=OuterRef("amount_fen")))), instalment=1
    )
    keys = dict(doubtful.values_list("student_id", "pk"))
    if not keys:
        return
    held: dict[str, list] = {}
    for chunk in chunks(list(keys), 500):
        for student, reason in (
            question.others().filter(student__in=chunk).values_list("student_id", "reason")
        ):
            if student in keys:
                held.setdefault(reason, []).append(keys.pop(student))
        for student in question.entitled().filter(student__in=chunk).values_list("student_id", flat=True):
            if student in keys:
                held.setdefault("amount_changed", []).append(keys.pop(student))
    held.setdefault("outside", []).extend(keys.values())
    for reason, found in held.items():
        for chunk in chunks(found, 500):
            Grant.objects.filter(pk__in=chunk).update(hold=reason)


def _notice_done(lines: QuerySet, programme, term, to, by, today) -> None:
    lines.filter(notice=None).update(hold="notice_missing")
    lines.filter(notice__ends_on__gte=today).update(hold="notice_running")
    lines.filter(notice__in=Objection.objects.unanswered().values("notice")).update(hold="objection_open")


def _noticed_where_needed(lines: QuerySet, programme, term, to, by, today) -> None:
    if programme.notice_days:
        lines.filter(notice=None).update(hold="notice_missing")


def _genuine(lines: QuerySet, programme, term, to, by, today) -> None:
    """What is paid for is what was judged: a line changed behind our back is stopped here."""
    forged = [line.pk for line in lines.iterator(2_000) if not line.is_genuine]
    for chunk in chunks(forged, 500):
        Grant.objects.filter(pk__in=chunk).update(hold="changed_record")


def _within_budget(lines: QuerySet, programme, term, to, by, today) -> None:
    """All of them or none: who should go without is not for a program to choose."""
    needed = lines.aggregate(fen=Sum("amount_fen", default=0))["fen"]
    if not funding.fitting(programme, term).exists():
        lines.update(hold="no_appropriation")
    elif funding.available(programme, term) < needed:
        lines.update(hold="over_budget")


Guard = Callable[..., None]
GUARDS: dict[str, tuple[Guard, ...]] = {
    State.APPLIED: (_still_entitled,),
    State.SCHOOL_REVIEWED: (_not_oneself, _still_entitled),
    State.NOTICE_PASSED: (_notice_done,),
    State.SUBMITTED: (_not_oneself, _noticed_where_needed, _still_entitled),
    State.COUNTY_APPROVED: (_not_oneself, _still_entitled),
    State.FINANCE_APPROVED: (_not_oneself, _still_entitled, _genuine, _within_budget),
}


# Off the way


def send_back(*, grants: QuerySet[Grant], by: Account, reason: str) -> int:
    """退回 with a reason; what finance had approved gives its money back."""
    return _leave(grants, to=State.RETURNED, by=by, reason=reason)


def turn_away(*, grants: QuerySet[Grant], to: str, by: Account, reason: str) -> int:
    """不予资助, 自愿放弃, 休学暂停 or 停发, with a reason; the place under an exclusion is free again."""
    if to not in SIDE:
        raise NotDone("state", "没有这种办理。")
    return _leave(grants, to=to, by=by, reason=reason)


@contextmanager
def exercising(right: str, by: Account) -> Iterator[None]:
    """Only the places that lend this right count meanwhile: who reads the county and heads one school signs for that school."""
    kept, by.acting_right = by.acting_right, right
    try:
        yield
    finally:
        by.acting_right = kept


@transaction.atomic
def _leave(grants: QuerySet[Grant], *, to: str, by: Account, reason: str) -> int:
    chosen = Grant.objects.filter(pk__in=grants.visible_to(by).values("pk")).order_by()
    subject = chosen.select_related("programme__county").first()
    if subject is None:
        return 0
    if TermClosing.objects.filter(term__in=chosen.values("term")).exists():
        raise NotDone("closed_term")
    for move in Grant.STATES.moves_to(to):
        with exercising(move.right, by):
            mine = Grant.objects.visible_to(by).values("pk")
            if chosen.filter(state=move.source).exclude(pk__in=mine).exists():
                raise PermissionDenied(move.right)
    batch = uuid7()
    _give_back(chosen.filter(state=State.FINANCE_APPROVED), by=by, batch=batch)
    if to == State.WAIVED:
        _refuse(chosen, by=by, reason=reason)
    if to in SIDE:
        GrantClaim.objects.filter(grant__in=chosen.values("pk")).delete()
    moved = states.move(
        chosen,
        to=to,
        by=by,
        reason=reason,
        also={"hold": "", "commitment": None, "finance_by": None},
        batch=batch,
    )
    detail = {"code": subject.programme.code, "count": moved, "to": to}
    audit.record(
        by=by,
        verb="subsidies.left",
        subject=subject.programme,
        county=subject.programme.county,
        detail=detail,
        batch=batch,
    )
    return moved


def _refuse(lines: QuerySet[Grant], *, by: Account, reason: str) -> None:
    """The family gave up: it is asked again next term, and is no 漏助 in this one."""
    told = lines.values_list("county", "student", "programme", "term", "school")
    Refusal.objects.bulk_create(
        [
            Refusal(
                county_id=county, student_id=student, programme_id=programme, term_id=term, school_id=school, reason=reason[:200],
                signed_on=timezone.localdate(), recorded_by=by,
            )
            for county, student, programme, term, school in told
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _give_back(approved: QuerySet[Grant], *, by: Account, batch) -> None:
    """One release for each commitment these lines were part of."""
    sums = (
        approved.values_list("commitment")
        .annotate(fen=Sum("amount_fen"), lines=Count("pk"))
        .order_by("commitment")
    )
    for commitment, fen, lines in list(sums):
        key = f"release:{batch.hex}:{commitment.hex}"
        held = LedgerTransaction.objects.select_for_update().get(pk=commitment)
        funding.release(commitment=held, amount_fen=fen, lines=lines, key=key, by=by)


def _claim(lines: QuerySet[Grant], programme: Programme, term: Term) -> None:
    """Occupy the children's places under every exclusion of the programme; a place already taken refuses the whole step."""
    for exclusion in Exclusion.objects.of(programme):
        period = term.code if exclusion.scope == Exclusion.Scope.TERM else str(term.school_year.starts_in)
        own = set(
            GrantClaim.objects.filter(
                exclusion=exclusion, period=period, grant__programme=programme
            ).values_list("grant_id", flat=True)
        )
        new = [
            (exclusion.pk, student, period, pk)
            for student, pk in lines.filter(instalment=1).values_list("student_id", "pk")
            if pk not in own
        ]
        with connection.wrap_database_errors:  # COPY raises the driver's own
            insert_rows(GrantClaim, ("exclusion_id", "student_id", "period", "grant_id"), new)
    refresh_statistics(Grant, GrantClaim)


def _total(lines: QuerySet[Grant]) -> tuple[int, int]:
    sums = lines.aggregate(count=Count("pk"), fen=Sum("amount_fen", default=0))
    return sums["count"], sums["fen"]
