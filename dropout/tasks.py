"""When: every night after the comparison, the looks that nobody should have to remember."""

from datetime import date

from celery import shared_task
from django.utils import timezone

from bureau import jobs
from bureau.jobs import Job, job
from bureau.organisation.models import County, Term
from dropout.actions import exempting, handling, opening


@job("dropout.watch", title="控辍保学每日检查", exclusive="dropout.watch:{county}")
def watch(run: Job, day: str) -> None:
    """Signals become cases, ended exemptions open again, who is past the age leaves; rung twice it finds nothing new."""
    today = date.fromisoformat(day)
    run.progress(0, 0, "正在检查线索和期限")
    with run.finishing() as result:
        exempting.close_ended(county=run.county, today=today)
        handling.age_out(county=run.county, today=today)
        opened = opening.gather(county=run.county, today=today)
        result |= {"new": opened.new, "reopened": opened.reopened, "signals": opened.signals}


@shared_task(name="dropout.nightly")
def nightly() -> None:
    """Once a night in every county whose terms have begun, however often rung."""
    today = timezone.localdate()
    for county in County.objects.order_by("code"):
        if Term.objects.filter(county=county, starts_on__lte=today).exists():
            key = f"dropout:{county.code}:{today.isoformat()}"
            jobs.enqueue("dropout.watch", by=None, county=county, idem_key=key, day=today.isoformat())
