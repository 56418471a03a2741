"""`python -m tests.bureau.job_process VERB [ARGUMENT]`: one process with a database of its own (the tests kill it)."""

import json
import os
import sys
from datetime import timedelta
from uuid import UUID

import django


def main(verb: str, *arguments: str) -> None:
    django.setup()
    from bureau import jobs
    from bureau.jobs import leases
    from bureau.organisation.models import County
    from tests.bureau import job_kinds

    if seconds := os.environ.get("TESTS_LEASE_SECONDS"):
        leases.HEARTBEAT_SECONDS = float(seconds) / 4
        leases.ClockLease.until = leases.Now() + timedelta(seconds=float(seconds))
    if verb == "ask":
        county, _ = County.objects.get_or_create(code="990101", defaults={"name": "云岭县"})
        answer = [
            str(jobs.enqueue("tests.mark_days", by=None, county=county, days=int(days)).pk)
            for days in arguments
        ]
    elif verb == "run":
        answer = jobs.run(UUID(arguments[0]))
    elif verb == "sweep":
        answer = jobs.sweep()
    elif verb == "facts":
        answer = job_kinds.facts()
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
