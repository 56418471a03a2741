"""Does the ledger say what the lines and the appropriations say? Nothing is changed."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from bureau.organisation.models import County
from subsidies.models import Appropriation, Grant, LedgerEntry, LedgerTransaction

Where = LedgerEntry.Account


def verify(county: County) -> dict[str, Any]:
    """{"appropriations", "transactions", "grants", "appropriated_fen", "available_fen", "committed_fen", "first_fault"}."""
    entries = LedgerEntry.objects.filter(transaction__county=county)
    fault = next(_faults(county), None)
    approved = Grant.objects.filter(county=county, commitment__isnull=False)
    return {
        "appropriations": Appropriation.objects.filter(county=county).count(),
        "transactions": LedgerTransaction.objects.filter(county=county).count(),
        "grants": approved.count(),
        "appropriated_fen": -entries.balance(Where.TREASURY),
        "available_fen": entries.balance(Where.AVAILABLE),
        "committed_fen": entries.balance(Where.COMMITTED),
        "first_fault": fault,
    }


def _faults(county: County) -> Iterator[dict[str, Any]]:
    yield from _balances(county)
    yield from _commitments(county)
    yield from _lines(county)


def _balances(county: County) -> Iterator[dict[str, Any]]:
    """The kept balance is what the entries fold to, and the document's amount what the treasury gave."""
    rows = Appropriation.objects.filter(county=county).annotate(
        folded=_sum(into=Where.AVAILABLE) - _sum(out_of=Where.AVAILABLE),
        given=_sum(out_of=Where.TREASURY),
    )
    for row in rows.exclude(folded=F("available_fen"), given=F("amount_fen")).order_by("pk"):
        what = "available_differs" if row.folded != row.available_fen else "amount_differs"
        words = f"{row}：指标登记的数与分录合计不符（可用 {row.available_fen} 分，分录 {row.folded} 分）。"
        yield {"code": what, "message": words, "id": str(row.pk)}


def _sum(**side: str):
    entries = (
        LedgerEntry.objects.filter(appropriation=OuterRef("pk"), **side).order_by().values("appropriation")
    )
    return Coalesce(Subquery(entries.annotate(fen=Sum("amount_fen")).values("fen")), 0)


def _commitments(county: County) -> Iterator[dict[str, Any]]:
    """What a commitment took and was not given back is what its lines are worth."""
    taken = LedgerTransaction.objects.filter(county=county, kind=LedgerTransaction.Kind.COMMIT).annotate(
        taken=Coalesce(Sum("entries__amount_fen"), 0),
        given=Coalesce(
            _total(LedgerEntry.objects.filter(transaction__reverses=OuterRef("pk")), "transaction__reverses"),
            0,
        ),
        worth=Coalesce(_total(Grant.objects.filter(commitment=OuterRef("pk")), "commitment"), 0),
    )
    for event in taken.exclude(taken=F("given") + F("worth")).order_by("at", "pk"):
        words = f"一批占用 {event.taken} 分，退回 {event.given} 分，现有资助 {event.worth} 分，不相等。"
        yield {"code": "commitment_differs", "message": words, "id": str(event.pk)}


def _total(rows, by: str) -> Subquery:
    return Subquery(rows.order_by().values(by).annotate(fen=Sum("amount_fen")).values("fen"))


def _lines(county: County) -> Iterator[dict[str, Any]]:
    """Approved lines are paid for, the others are not; and each is what was signed."""
    lines = Grant.objects.filter(county=county)
    odd = Q(state=Grant.State.FINANCE_APPROVED, commitment=None) | (
        ~Q(state=Grant.State.FINANCE_APPROVED) & Q(commitment__isnull=False)
    )
    for pk in lines.filter(odd).order_by("pk").values_list("pk", flat=True)[:1]:
        yield {"code": "state_differs", "message": "一条资助的状态与资金占用不符。", "id": str(pk)}
    for line in lines.filter(commitment__isnull=False).order_by("pk").iterator(2_000):
        if not line.is_genuine:
            yield {"code": "grant_changed", "message": "一条已审核的资助与签名不符。", "id": str(line.pk)}
