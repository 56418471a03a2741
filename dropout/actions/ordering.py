"""《限期复学通知书》: issued with a number of the issuer's own series, served, or cancelled."""

from datetime import date, timedelta

from django.db import transaction

from bureau import audit
from bureau.access.models import Account
from bureau.organisation.models import Township
from dropout.actions.steps import NotDone, State, When, check_day, locked, needed, take
from dropout.models import Case, NumberSeries, ReturnOrder
from dropout.models.deadlines import Stage, counted, length_of

FEWEST_VISITS = 2  # “repeated persuasion”: an order is not the first word
Service = ReturnOrder.Service


@transaction.atomic
def issue(*, case: Case, guardian: str, township: Township | None, when: When, by: Account) -> ReturnOrder:
    """An order of a township, or of the bureau where none is given; its number has no gap. Raises NotDone.

    Source: docs/rules/dropout.md, “限期复学通知书”.
    """
    case, episode = locked(case, State.PERSUADING)
    check_day(case, episode, when)
    guardian = needed(guardian, "guardian_required", "请写明监护人姓名。")
    if episode.visits.count() < FEWEST_VISITS:
        raise NotDone("persuade_first", f"劝返至少 {FEWEST_VISITS} 次无效后，再下达通知书。")
    series = f"order:{township.pk.hex if township else 'bureau'}:{when.on.year}"
    [number] = NumberSeries.take(case.county, series)
    days, _ = length_of(case.county, Stage.ORDERED, when.on)
    order = ReturnOrder.objects.create(
        county=case.county, case=case, episode=episode, township=township, series=series, year=when.on.year, number=number,
        guardian=guardian[:120], days=days, issued_on=when.on, issued_by=by,
    )  # fmt: skip
    due_on = counted(case.county, Stage.SERVE, when.on)
    take(case, episode, to=State.ORDERED, when=when, by=by, reason=f"{order.issuer}{order}", due_on=due_on)
    audit.record(by=by, verb="dropout.order_issued", subject=order)
    return order


def served_on(order: ReturnOrder, service: str, handed_on: date) -> date:
    """The day service takes effect: when it was signed for or left, or when the days of a public notice have run."""
    if service == Service.PUBLIC:
        return counted(order.county, Stage.PUBLISHED, handed_on) or handed_on
    return handed_on


@transaction.atomic
def serve(
    *, order: ReturnOrder, service: str, handed_on: date, witness: str, note: str, today: date, by: Account
) -> ReturnOrder:
    """How and when it was served; the days to return run from service. Told twice, the first stands. Raises NotDone."""
    case, _ = locked(order.case, State.ORDERED)
    order = ReturnOrder.objects.select_for_update(of=["self"]).select_related("county", "case").get(pk=order.pk)
    if order.cancelled_on:
        raise NotDone("cancelled", "这份通知书已经作废。")
    if order.served_on:
        raise NotDone("served", "送达情况已经登记。")
    if handed_on > today:
        raise NotDone("in_the_future", "送达日期不能晚于今天。")
    if handed_on < order.issued_on:
        raise NotDone("before_the_letter", f"送达日期不能早于下达日期（{order.issued_on}）。")
    if service == Service.LEFT and not witness.strip():
        raise NotDone("witness_required", "留置送达须有见证人，请写明姓名。")
    order.service, order.handed_on, order.witness, order.service_note = service, handed_on, witness.strip()[:120], note.strip()[:200]
    order.served_on = served_on(order, service, handed_on)
    order.due_on = order.served_on + timedelta(days=order.days)
    order.save(update_fields=["service", "handed_on", "witness", "service_note", "served_on", "due_on"])
    Case.objects.filter(pk=case.pk).update(due_on=order.due_on)
    audit.record(by=by, verb="dropout.order_served", subject=order, detail={"work": str(service)})
    return order


@transaction.atomic
def cancel(*, order: ReturnOrder, reason: str, today: date, by: Account) -> ReturnOrder:
    """A wrong one is void: its number stays used, and the child is being persuaded again. Raises NotDone."""
    reason = needed(reason, "reason_required", "请写明作废的原因。")
    case, episode = locked(order.case, State.ORDERED)
    order = ReturnOrder.objects.select_for_update(of=["self"]).get(pk=order.pk)
    if order.cancelled_on:
        raise NotDone("cancelled", "这份通知书已经作废。")
    order.cancelled_on, order.cancel_reason = today, reason[:200]
    order.save(update_fields=["cancelled_on", "cancel_reason"])
    take(case, episode, to=State.PERSUADING, when=When(today, today), by=by, reason=f"{order}作废：{reason}")
    audit.record(by=by, verb="dropout.order_cancelled", subject=order)
    return order
