"""The demo county's aid of autumn 2026: money has arrived, lines stand at every step of the way, one is objected to."""

from collections.abc import Callable
from datetime import date

from django.db import transaction

from bureau.access.models import Account
from bureau.organisation.models import Term
from subsidies.actions import funding, granting, listing, noticing
from subsidies.models import FundSource, Grant, Programme, PublicNotice

State = Grant.State
POSTED, OVER = date(2026, 10, 26), date(2026, 11, 9)
MONEY = (  # programme, year's money in fen
    ("living_boarder", 260_000_000),
    ("living_day", 90_000_000),
    ("senior_grant", 120_000_000),
    ("preschool_grant", 60_000_000),
)
# As far as each goes: whoever tries the demo finds a line at every step.
GOES = (
    ("living_boarder", State.FINANCE_APPROVED),
    ("living_day", State.IN_NOTICE),
    ("preschool_grant", State.APPLIED),
    ("senior_grant", State.CANDIDATE),
)


def seed(*, progress: Callable[[str], None]) -> None:
    """Called once, when rolls and lists are in."""
    progress("正在办理演示县的学生资助…")
    who = {
        account.username: account
        for account in Account.objects.filter(username__in=SIGNERS | {"aid", "finance"})
    }
    term = Term.objects.select_related("school_year", "county").get(
        county=who["aid"].county, code="2026-autumn"
    )
    source = FundSource.objects.filter(county=term.county).first() or funding.add_source(
        county=term.county,
        name="中央和省级学生资助补助经费",
        level=FundSource.Level.CENTRAL,
        by=who["finance"],
    )
    for number, (code, fen) in enumerate(MONEY, start=1):
        programme = Programme.objects.get(county=term.county, code=code)
        funding.appropriate(
            values={
                "source": source, "programme": programme, "year": 2026, "doc_no": f"云财教〔2026〕{number}号",
                "amount_fen": fen, "received_on": date(2026, 9, 20),
            },
            county=term.county, by=who["finance"],
        )  # fmt: skip
    for code, furthest in GOES:
        _bring(
            Programme.objects.select_related("county").get(county=term.county, code=code), term, furthest, who
        )
    _object(who["clerk"])


SIGNED_BY = {
    State.APPLIED: "clerk",
    State.SCHOOL_REVIEWED: "head",
    State.IN_NOTICE: "clerk",
    State.NOTICE_PASSED: "clerk",
    State.SUBMITTED: "head",
    State.COUNTY_APPROVED: "aid",
    State.FINANCE_APPROVED: "finance",
}
SIGNERS = frozenset(SIGNED_BY.values())


def _bring(programme: Programme, term: Term, furthest: str, who: dict[str, Account]) -> None:
    """The whole county's candidates are listed; the lines of the clerk's school go on to `furthest`."""
    listing.list_candidates(programme=programme, term=term, by=who["aid"])
    for state, name in SIGNED_BY.items() if furthest != State.CANDIDATE else ():
        today = POSTED if state == State.IN_NOTICE else OVER
        granting.advance(programme=programme, term=term, to=state, by=who[name], today=today)
        if state == furthest:
            return


@transaction.atomic
def _object(clerk: Account) -> None:
    """A neighbour doubts one line of the newest poster."""
    notice = PublicNotice.objects.order_by("-pk").first()
    line = notice and Grant.objects.filter(notice=notice, state=State.IN_NOTICE).first()
    if line:
        noticing.object_to(
            notice=notice,
            grant=line,
            text="邻居反映该户已购置汽车，请核实。",
            received_on=notice.posted_on,
            by=clerk,
        )
