"""Aid: who is entitled against one hand-written join of the same tables, and every step of the way in set-based moves."""

from tests.bench import measure, scratch

ROWS = 20_000
SIGNERS = {
    "applied": "school_clerk", "school_reviewed": "school_head", "in_notice": "school_clerk", "notice_passed": "school_clerk",
    "submitted": "school_head", "county_approved": "aid_officer", "finance_approved": "finance_officer",
}  # fmt: skip


def main(*, rows: int | None, database: str | None) -> None:
    with scratch.installed(database):
        _measure(rows or ROWS, where="SQLite" if database == scratch.SQLITE else "PostgreSQL")


def _measure(rows: int, *, where: str) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from bureau.access.models import Account, Assignment
    from students.models import Enrolment
    from subsidies.actions import funding, granting, listing, programmes
    from subsidies.entitlement import Entitlement
    from subsidies.models import FundSource, Programme
    from tests.bench.organisation import found_county
    from tests.bench.registry import fill

    county, term, schools, operator = found_county(schools=1)
    filling = measure.seconds_of(lambda: fill(county, schools[0], operator, rows=rows))
    measure.say(f"filling {rows:,} children took {filling:.1f} s")
    Enrolment.objects.update(boarding=True)
    programmes.install(county)
    programme = Programme.objects.select_related("county").get(county=county, code="living_boarder")
    question = Entitlement.of(programme, term)
    turns = measure.side_by_side(
        {"raw": lambda: _raw_join(county, term), "all": question.summary, "who": question.entitled().count},
        times=3,
    )
    people = {}
    for role in set(SIGNERS.values()):
        people[role] = Account.objects.create(county=county, username=role)
        at = {"school": schools[0]} if role.startswith("school") else {}
        Assignment.objects.create(
            account=people[role],
            county=county,
            role=role,
            valid_from=term.starts_on - timedelta(days=400),
            **at,
        )
    values = {
        "source": FundSource.objects.create(county=county, name="中央", level="central"), "programme": programme,
        "year": int(term.code[:4]), "doc_no": "1", "received_on": term.starts_on, "amount_fen": rows * 62_500,
    }  # fmt: skip
    funding.appropriate(values=values, county=county, by=people["finance_officer"])
    taken = {
        "list": measure.seconds_of(
            lambda: listing.list_candidates(programme=programme, term=term, by=people["school_clerk"])
        )
    }
    moved = {}
    for step, role in SIGNERS.items():
        day = timezone.localdate() + timedelta(
            days=30 * (step not in ("applied", "school_reviewed", "in_notice"))
        )

        def take(step=step, role=role, day=day) -> None:
            moved[step] = granting.advance(
                programme=programme, term=term, to=step, by=people[role], today=day
            )

        taken[step] = measure.seconds_of(take)
    measure.table(
        f"aid, {rows:,} children on {where}",
        [
            ("one raw join of enrolments and stays", f"{turns['raw']:.2f} s", ""),
            ("entitled : raw", f"{turns['who'] / turns['raw']:.2f}", "≤ 3 at 1M on PostgreSQL"),
            ("entitled, amounts and every reason : raw", f"{turns['all'] / turns['raw']:.2f}", ""),
            *((f"{step}", f"{seconds:.2f} s", "") for step, seconds in taken.items()),
            ("from entitlement to finance_approved", f"{sum(taken.values()):.1f} s", "≤ 20 s for 20,000"),
            ("approved", f"{moved['finance_approved'].moved:,}", str(moved["finance_approved"].refused)),
        ],
    )


def _raw_join(county, term) -> None:
    """What a developer would type for boarders of primary school on any list in the term, and their sum."""
    from django.db import connection

    key = county._meta.pk.get_db_prep_value(county.pk, connection)
    yes = "true" if connection.vendor == "postgresql" else "1"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(DISTINCT e.student_id), count(DISTINCT e.student_id) * 62500 FROM students_enrolment e
                JOIN students_entry n ON n.person_id = e.student_id
                WHERE e.county_id = %s AND e.stage = 'primary' AND e.boarding = {yes} AND n.category <> ''
                AND n.listed_from <= %s AND (n.listed_to IS NULL OR n.listed_to >= %s)
                AND (e.ended_on IS NULL OR e.ended_on > %s) AND (e.is_registered = {yes} OR e.is_present = {yes})""",
            [key, term.ends_on.isoformat(), term.starts_on.isoformat(), term.starts_on.isoformat()],
        )
        cursor.fetchall()
