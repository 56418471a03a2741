"""Job kinds for the tests of the queue, and the facts they leave behind."""

import os
import time
from datetime import date, timedelta

from django.db import transaction

from bureau import jobs
from bureau.jobs import Job
from bureau.organisation.models import Holiday, SchoolYear

FIRST_DAY = date(2026, 1, 1)


@jobs.job("tests.mark_days", title="登记假日", exclusive="tests.mark_days:{county}")
def mark_days(run: Job, days: int, per_chunk: int = 10) -> None:
    """Mark `days` days as off, chunk by chunk, then close the year: chunked work with a final transaction."""
    for start in range(run.cursor or 0, days, per_chunk):
        with transaction.atomic():
            chunk = range(start, min(start + per_chunk, days))
            Holiday.objects.bulk_create(
                Holiday(county=run.county, date=FIRST_DAY + timedelta(days=n), kind="off") for n in chunk
            )
            say("chunk written")
            run.checkpoint(chunk[-1] + 1)
        run.progress(chunk[-1] + 1, days, "登记中")
        say("chunk committed")
        if run.cancelled():
            raise jobs.Cancelled
    with run.finishing() as result:
        SchoolYear.objects.create(county=run.county, starts_in=2026)
        result["days"] = Holiday.objects.filter(county=run.county).count()
        say("finishing")


def say(what: str) -> None:
    """Tell the test that watches this process where we are, and give it the time to interfere."""
    if os.environ.get("TESTS_WATCHED"):
        print(what, flush=True)
        time.sleep(0.01)


def facts() -> dict:
    """Everything the kinds above write, without keys and moments, so that two runs can be compared."""
    return {
        "days": sorted(str(day) for day in Holiday.objects.values_list("date", flat=True)),
        "years": list(SchoolYear.objects.values_list("starts_in", flat=True)),
        "jobs": list(Job.objects.order_by("id").values_list("state", "cursor", "result")),
    }
