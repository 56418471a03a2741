"""When the sealer runs: every minute, by beat; and the check of a log too long for one request."""

from typing import Any

from celery import shared_task

from bureau import jobs
from bureau.audit import sealing
from bureau.audit.checking import check
from bureau.audit.models import AuditEvent
from bureau.jobs import Job


@shared_task(name="bureau.audit.seal", ignore_result=True)
def seal() -> None:
    sealing.seal()


CHECK = "bureau.check_audit"


@jobs.job(CHECK, title="日志校验", exclusive=CHECK)
def check_audit(run: Job, paper: str = "") -> dict[str, Any]:
    total = AuditEvent.objects.count()

    def tell(done: int) -> None:
        run.progress(done, total, "正在逐条核对")
        if run.cancelled():
            raise jobs.Cancelled

    return check(by=run.by, paper=sealing.Head.parse(paper) if paper else None, progress=tell)
