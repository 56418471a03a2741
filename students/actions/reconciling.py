"""One run of the rules over one county, as of one day."""

import time
from datetime import date

from django.utils import timezone

from bureau import audit, jobs
from bureau.jobs import Job
from bureau.organisation.models import County, School, Term, Township
from bureau.organisation.terms import term_on
from students.actions.registers import newest_as_of
from students.engine import apply_rule
from students.rules import RULES, Matter


def default_as_of(county: County, term: Term) -> date:
    """The newest list's day, at most the term's last; without any list the term's first day. Never the clock."""
    return min(newest_as_of(county) or term.starts_on, term.ends_on)


def ask(*, county: County, by, inputs: set[str], cause: str) -> Job | None:
    """Ask a worker for the rules whose inputs changed; once per `cause` (the key of a roster or list).

    Commands do not ask: who imports by command says himself when to compare.
    """
    codes = [code for code, rule in RULES.items() if inputs & set(rule.inputs)]
    term = term_on(county, timezone.localdate())
    if not codes or term is None:
        return None
    return jobs.enqueue(
        "students.reconcile", by=by, county=county, idem_key=f"compare:{cause}", term=term.code, rules=codes
    )


def reconcile(
    *, run: Job, term_code: str, codes: list[str] | None, as_of: date | None, place: Township | School | None = None
) -> None:
    """Apply the rules (all, or those of `codes`) in one transaction; the job's result holds the counts of each.

    With a `place` only what belongs there is opened and closed, and only that is counted.

    Differences opened are dated with the day the job was asked for, so a run that is killed and started again
    leaves exactly what an undisturbed one leaves.
    """
    county = run.county
    term = Term.objects.select_related("school_year").get(county=county, code=term_code)
    matter = Matter(county, term, as_of or default_as_of(county, term), place)
    rules = [rule for code, rule in RULES.items() if codes is None or code in codes]
    started = time.perf_counter()
    run.progress(0, 0, "正在比对")
    with run.finishing() as result:
        outcomes = {}
        for rule in rules:
            outcome = apply_rule(rule, matter, today=timezone.localdate(run.created_at))
            outcomes[rule.code] = {"opened": outcome.opened, "open": outcome.open, "resolved": outcome.resolved}
        result |= {
            "run": str(run.pk),
            "as_of": matter.as_of.isoformat(),
            "rules": outcomes,
            "seconds": round(time.perf_counter() - started, 3),
        }
        detail = {"rules": list(outcomes)} | ({"place": place.code} if place else {})
        audit.record(by=run.by, verb="students.reconciled", subject=run, county=county, detail=detail)
