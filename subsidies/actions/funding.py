"""Money in the ledger: appropriated, committed when finance approves, released when a line comes back, withdrawn.

Each event writes its entries and the balance they change in one transaction; nothing is ever edited.
"""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from bureau import audit
from bureau.access.models import Account
from bureau.organisation.models import Term
from subsidies.actions.refusals import NotDone
from subsidies.models import (
    Appropriation,
    FundSource,
    Grant,
    LedgerEntry,
    LedgerTransaction,
    Programme,
    TermClosing,
)
from subsidies.terms import ordinal

Where = LedgerEntry.Account
Kind = LedgerTransaction.Kind


@transaction.atomic
def add_source(*, county, name: str, level: str, by: Account) -> FundSource:
    try:
        with transaction.atomic():
            source = FundSource.objects.create(county=county, name=name, level=level)
    except IntegrityError as error:
        raise NotDone("exists", "已有同名的资金来源。") from error
    audit.record(by=by, verb="subsidies.source_added", subject=source)
    return source


@transaction.atomic
def appropriate(*, values: Mapping[str, Any], county, by: Account) -> Appropriation:
    """Record money that has arrived by document. Raises NotDone when the same document is there already."""
    if Appropriation.objects.filter(
        county=county, **{name: values.get(name) for name in ("source", "programme", "year", "doc_no")}
    ).exists():
        raise NotDone("exists", "这个文号的指标已经登记过，不能重复登记。")
    made = Appropriation.objects.create(
        county=county, available_fen=values["amount_fen"], recorded_by=by, **values
    )
    event = _event(county, Kind.APPROPRIATE, f"appropriation:{made.pk.hex}", by=by, programme=made.programme)
    _move(event, made, Where.TREASURY, Where.AVAILABLE, made.amount_fen)
    detail = {"year": made.year, "amount_fen": made.amount_fen}
    audit.record(by=by, verb="subsidies.appropriated", subject=made, detail=detail)
    return made


@transaction.atomic
def withdraw(*, appropriation: Appropriation, amount_fen: int, key: str, reason: str, by: Account) -> None:
    """Give back to the treasury what no approval has taken. `key` names this one click: pressed twice, done once."""
    if LedgerTransaction.objects.filter(county=appropriation.county_id, key=f"withdraw:{key}").exists():
        return
    taken = Appropriation.objects.filter(pk=appropriation.pk, available_fen__gte=amount_fen)
    if amount_fen <= 0 or not taken.update(available_fen=F("available_fen") - amount_fen):
        raise NotDone("over_budget", "收回的金额超过可用指标。")
    event = _event(
        appropriation.county,
        Kind.WITHDRAW,
        f"withdraw:{key}",
        by=by,
        programme=appropriation.programme,
        note=reason,
    )
    _move(event, appropriation, Where.AVAILABLE, Where.TREASURY, amount_fen)
    detail = {"amount_fen": amount_fen}
    audit.record(by=by, verb="subsidies.withdrawn", subject=appropriation, detail=detail)


def budget_year(term: Term) -> int:
    """The money year is the calendar year in which the term begins: 2026 is spring 2026 and autumn 2026."""
    return ordinal(term.code) // 2


def fitting(programme: Programme, term: Term):
    """Appropriations a programme-term may draw on: its own first, then those for any programme; oldest first."""
    mine = Q(programme=programme) | Q(programme=None)
    rows = Appropriation.objects.filter(mine, county=programme.county_id, year=budget_year(term))
    return rows.order_by(F("programme").asc(nulls_last=True), "received_on", "pk")


def available(programme: Programme, term: Term) -> int:
    return sum(fitting(programme, term).values_list("available_fen", flat=True))


def commit(
    *, programme: Programme, term: Term, amount_fen: int, lines: int, key: str, by: Account
) -> LedgerTransaction:
    """Take the money for approved lines; call inside the transaction that approves them.

    Raises NotDone where there is no appropriation, or less than needed: then nothing is taken.
    """
    held = list(fitting(programme, term).select_for_update())
    if not held:
        raise NotDone("no_appropriation")
    if sum(one.available_fen for one in held) < amount_fen:
        raise NotDone("over_budget")
    event = _event(programme.county, Kind.COMMIT, key, by=by, programme=programme, term=term, lines=lines)
    left = amount_fen
    for one in held:
        part = min(left, one.available_fen)
        if not part:
            continue
        if not Appropriation.objects.filter(pk=one.pk, available_fen__gte=part).update(
            available_fen=F("available_fen") - part
        ):
            raise NotDone("over_budget")
        _move(event, one, Where.AVAILABLE, Where.COMMITTED, part)
        left -= part
    return event


def release(
    *, commitment: LedgerTransaction, amount_fen: int, lines: int, key: str, by: Account
) -> LedgerTransaction:
    """Give back part of what a commitment took, the last taken first; call inside the transaction that returns the lines."""
    event = _event(
        commitment.county,
        Kind.RELEASE,
        key,
        by=by,
        programme=commitment.programme,
        term=commitment.term,
        lines=lines,
        reverses=commitment,
    )
    given: dict = {}
    for entry in LedgerEntry.objects.filter(transaction__reverses=commitment).exclude(transaction=event):
        given[entry.appropriation_id] = given.get(entry.appropriation_id, 0) + entry.amount_fen
    left = amount_fen
    for entry in commitment.entries.select_related("appropriation").order_by("-pk"):
        part = min(left, entry.amount_fen - given.get(entry.appropriation_id, 0))
        if part <= 0:
            continue
        Appropriation.objects.filter(pk=entry.appropriation_id).update(
            available_fen=F("available_fen") + part
        )
        _move(event, entry.appropriation, Where.COMMITTED, Where.AVAILABLE, part)
        left -= part
    if left:
        raise NotDone("over_budget", "退回的金额超过这一批占用的指标，请核对台账。")
    return event


@transaction.atomic
def close_term(*, term: Term, by: Account) -> None:
    """结账. Raises NotDone before the term is over, while lines wait for approval, or when it was closed before."""
    if term.ends_on >= timezone.localdate():
        raise NotDone("term_runs", "学期还没有结束，不能结账。")
    waiting = Grant.objects.filter(term=term, state__in=["submitted", "county_approved"]).count()
    if waiting:
        raise NotDone("lines_wait", f"还有 {waiting} 条资助等待审核，请先办完或退回。")
    _, new = TermClosing.objects.get_or_create(term=term, defaults={"county": term.county, "closed_by": by})
    if not new:
        raise NotDone("closed_term")
    audit.record(
        by=by, verb="subsidies.term_closed", subject=term, county=term.county, detail={"code": term.code}
    )


def is_closed(term: Term) -> bool:
    return TermClosing.objects.filter(term=term).exists()


def _event(
    county,
    kind: str,
    key: str,
    *,
    by: Account,
    programme=None,
    term=None,
    lines: int = 0,
    reverses=None,
    note: str = "",
) -> LedgerTransaction:
    return LedgerTransaction.objects.create(
        county=county,
        kind=kind,
        key=key,
        programme=programme,
        term=term,
        lines=lines,
        reverses=reverses,
        note=note[:200],
        by=by,
        at=timezone.now(),
    )


def _move(
    event: LedgerTransaction, appropriation: Appropriation, out_of: str, into: str, amount_fen: int
) -> None:
    LedgerEntry.objects.create(
        transaction=event, appropriation=appropriation, out_of=out_of, into=into, amount_fen=amount_fen
    )
