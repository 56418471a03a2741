"""The job table: asking, claiming, finishing once, failing without telling names."""

import base64
import json
import logging
import os
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from bureau import jobs
from bureau.access.models import Account, Assignment
from bureau.access.roles import Role
from bureau.audit.models import AuditEvent
from bureau.jobs import Job, running
from bureau.jobs.leases import FileLease
from bureau.organisation.models import County, SchoolYear
from tests.bureau import job_kinds  # registers the kind

CHILD = "欧阳小花 990101201501011234"
pytestmark = pytest.mark.django_db(transaction=True)
scenes = {}


@jobs.job("tests.scene")
def scene(run: Job, name: str) -> dict | None:
    """Plays what the test has put under this name."""
    return scenes[name](run)


@pytest.fixture
def play(county):
    """`play(function)` asks for a job that calls it and gives the row."""

    def ask(function, **params):
        scenes[function.__name__] = function
        return jobs.enqueue("tests.scene", by=None, county=county, name=function.__name__, **params)

    yield ask
    scenes.clear()


@pytest.fixture
def county() -> County:
    return County.objects.create(code="990101", name="云岭县")


def reread(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def after_a_crash(job: Job, attempt: int) -> None:
    """What a killed process leaves: a running row whose lease nobody holds."""
    Job.objects.filter(pk=job.pk).update(
        state="running",
        attempt=attempt,
        lease_token=uuid4(),
        lease_until=timezone.now() - timedelta(minutes=1),
    )


# Asking.


def test_job_asked_for_in_a_transaction_that_fails_does_not_exist(county):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue("tests.mark_days", by=None, county=county, days=3)
        raise ZeroDivisionError

    assert not Job.objects.exists()


def test_bell_rings_only_after_the_commit_and_names_the_job_only(county):
    broker = settings.BUREAU_HOME / "broker"
    before = set(broker.glob("*.msg"))
    with transaction.atomic():
        job = jobs.enqueue("tests.mark_days", by=None, county=county, days=3)
        assert set(broker.glob("*.msg")) == before

    (message,) = set(broker.glob("*.msg")) - before
    body = json.loads(base64.b64decode(json.loads(message.read_text())["body"]))
    assert body[:2] == [[str(job.pk)], {}]


def test_same_key_is_the_same_job_and_other_parameters_are_refused(county):
    first = jobs.enqueue("tests.mark_days", by=None, county=county, idem_key="upload-1", days=3)

    assert jobs.enqueue("tests.mark_days", by=None, county=county, idem_key="upload-1", days=3) == first
    with pytest.raises(jobs.IdemConflict):
        jobs.enqueue("tests.mark_days", by=None, county=county, idem_key="upload-1", days=4)
    assert Job.objects.count() == 1


def test_unknown_kind_is_refused_where_it_is_asked_for(county):
    with pytest.raises(jobs.UnknownKind):
        jobs.enqueue("tests.no_such_kind", by=None, county=county)


def test_parameters_are_keys_and_dates(county):
    @jobs.job("tests.keeps_parameters")
    def keeps(run, place, on, ids):
        return {"place": place, "on": on, "ids": ids}

    on = timezone.localdate()
    job = jobs.run_now("tests.keeps_parameters", by=None, county=county, place=county, on=on, ids=[county.pk])

    assert job.result == {"place": str(county.pk), "on": on.isoformat(), "ids": [str(county.pk)]}


def test_people_see_their_own_jobs_and_administrators_the_county_s(county):
    clerk, other, administrator = (
        Account.objects.create(username=name, county=county) for name in ("clerk", "other", "administrator")
    )
    Assignment.objects.create(account=administrator, county=county, role=Role.ADMINISTRATOR)
    job = jobs.enqueue("tests.mark_days", by=clerk, days=1)

    assert job.county == county
    assert [list(Job.objects.visible_to(who)) for who in (clerk, other, administrator)] == [[job], [], [job]]


# Doing it once.


def test_job_runs_in_chunks_and_is_done(county):
    job = jobs.enqueue("tests.mark_days", by=None, county=county, days=25)

    assert jobs.run(job.pk) is True

    job = reread(job)
    assert (job.state, job.cursor, job.result, job.attempt, job.percent) == ("done", 25, {"days": 25}, 1, 100)
    assert job.finished_at >= job.started_at
    assert len(job_kinds.facts()["days"]) == 25


def test_second_ring_finds_nothing_to_do(county):
    job = jobs.enqueue("tests.mark_days", by=None, county=county, days=3)

    assert [jobs.run(job.pk), jobs.run(job.pk)] == [True, False]
    assert SchoolYear.objects.count() == 1


def test_ring_during_the_run_exits_at_the_claim(play):
    answers = []

    def ring_again(run):
        answers.append(jobs.run(run.pk))

    job = play(ring_again)
    jobs.run(job.pk)

    assert answers == [False]
    assert reread(job).attempt == 1


def test_run_that_lost_its_lease_leaves_no_effect(play, county):
    def taken_over(run):
        with run.finishing():
            SchoolYear.objects.create(county=county, starts_in=2026)
            Job.objects.filter(pk=run.pk).update(lease_token=uuid4())  # as the run that took over would

    job = play(taken_over)
    jobs.run(job.pk)

    assert not SchoolYear.objects.exists()
    assert reread(job).state == "running"


def test_chunk_of_a_run_that_lost_its_lease_is_rolled_back(play, county):
    def taken_over(run):
        with transaction.atomic():
            SchoolYear.objects.create(county=county, starts_in=2026)
            Job.objects.filter(pk=run.pk).update(lease_token=uuid4())
            run.checkpoint(1)

    jobs.run(play(taken_over).pk)

    assert not SchoolYear.objects.exists()


def test_checkpoint_outside_a_transaction_is_a_mistake(play):
    def careless(run):
        run.checkpoint(1)

    job = play(careless)
    jobs.run(job.pk)

    assert reread(job).error_code == "TransactionManagementError"


def test_job_with_the_same_exclusive_key_waits_its_turn(county, play):
    second = jobs.enqueue("tests.mark_days", by=None, county=county, days=3)
    seen = []

    def meanwhile(run):
        Job.objects.filter(pk=run.pk).update(exclusive_key=second.exclusive_key)
        seen.append((jobs.run(second.pk), reread(second).state))

    jobs.run(play(meanwhile).pk)

    assert seen == [(False, "queued")]
    assert jobs.run(second.pk) is True


def test_command_waits_for_the_other_run_and_gives_up_in_time(county, play):
    seen = []

    def meanwhile(run):
        Job.objects.filter(pk=run.pk).update(exclusive_key=f"tests.mark_days:{county.pk}")
        with pytest.raises(jobs.Busy):
            jobs.run_now("tests.mark_days", by=None, county=county, wait_seconds=0.1, days=3)
        seen.append(Job.objects.get(kind="tests.mark_days").state)

    jobs.run(play(meanwhile).pk)

    assert seen == ["cancelled"]


def test_command_does_not_wait_for_a_dead_run(county):
    dead = jobs.enqueue("tests.mark_days", by=None, county=county, days=5)
    after_a_crash(dead, attempt=1)

    job = jobs.run_now("tests.mark_days", by=None, county=county, wait_seconds=5, days=3)

    assert (job.state, reread(dead).state) == ("done", "queued")


def test_job_for_later_is_not_run_before_its_time(county):
    job = jobs.enqueue(
        "tests.mark_days", by=None, county=county, days=1, run_at=timezone.now() + timedelta(hours=1)
    )
    assert jobs.run(job.pk) is False

    Job.objects.filter(pk=job.pk).update(run_at=timezone.now() - timedelta(seconds=1))
    assert jobs.run(job.pk) is True


# Progress and calling off.


def test_progress_is_written_at_once_outside_a_transaction_and_kept_inside_one(play):
    seen = []

    def work(run):
        run.progress(1, 4, "读取")
        seen.append(reread(run).message)
        run._next_look = 0
        with transaction.atomic():
            run.progress(2, 4, "核对")
            seen.append(reread(run).message)
        run.progress(3, 4, "核对")
        seen.append(reread(run).percent)

    job = play(work)
    jobs.run(job.pk)

    assert seen == ["读取", "读取", 75]
    assert (reread(job).percent, reread(job).message) == (100, "核对")


def test_progress_is_written_at_most_twice_a_second(play, django_assert_max_num_queries):
    def work(run):
        with django_assert_max_num_queries(4):
            for done in range(1000):
                run.progress(done, 1000)

    job = play(work)
    jobs.run(job.pk)

    assert reread(job).state == "done"


def test_waiting_job_is_called_off_at_once(county):
    account = Account.objects.create(username="clerk", county=county)
    job = jobs.enqueue("tests.mark_days", by=account, days=3)

    assert jobs.cancel(job, by=account) is True
    assert jobs.run(job.pk) is False
    assert reread(job).state == "cancelled"
    assert jobs.cancel(job, by=account) is False
    assert AuditEvent.objects.filter(verb="jobs.cancelled").count() == 1


def test_running_job_stops_between_chunks(play, county):
    def work(run):
        jobs.cancel(run, by=None)
        if run.cancelled():
            raise jobs.Cancelled

    job = play(work)
    jobs.run(job.pk)

    assert reread(job).state == "cancelled"


# Failing.


def test_failure_tells_what_and_where_but_not_whom(play, caplog):
    def stumble(run):
        raise ValueError(CHILD)

    job = play(stumble)
    with caplog.at_level(logging.DEBUG):
        jobs.run(job.pk)

    job = reread(job)
    assert (job.state, job.error_code) == ("failed", "ValueError")
    assert "test_jobs.py" in caplog.text
    for told in (job.error_text, caplog.text):
        assert not any(part in told for part in CHILD.split())


def test_failure_in_our_own_words_is_shown(play):
    def refuse(run):
        raise jobs.JobError("registry_moved", "花名册已变化，请重新预览。")

    job = play(refuse)
    jobs.run(job.pk)

    assert (reread(job).error_code, reread(job).error_text) == (
        "registry_moved",
        "花名册已变化，请重新预览。",
    )


def test_command_raises_what_the_job_raised_after_the_row_says_so(play, county):
    def stumble(run):
        raise LookupError("x")

    scenes["stumble"] = stumble
    with pytest.raises(LookupError):
        jobs.run_now("tests.scene", by=None, county=county, name="stumble")

    assert Job.objects.get().state == "failed"


def test_trouble_of_the_database_is_tried_again_and_in_the_end_given_up(play):
    def deadlock(run):
        raise OperationalError("deadlock detected")

    job = play(deadlock)
    for attempt in range(1, 5):
        jobs.run(job.pk)
        assert (reread(job).state, reread(job).attempt) == ("queued", attempt)
        assert reread(job).run_at > timezone.now()
        Job.objects.update(run_at=None)
    jobs.run(job.pk)

    assert (reread(job).state, reread(job).error_code) == ("failed", "OperationalError")


def test_worker_told_to_stop_hands_the_job_back(play):
    def interrupted(run):
        raise SystemExit

    job = play(interrupted)
    with pytest.raises(SystemExit):
        jobs.run(job.pk)

    assert reread(job).state == "queued"
    assert jobs.sweep() == {"released": 0, "rung": 1}


# Sweeping.


def test_sweeper_rings_for_jobs_that_wait_unheard(county):
    heard = jobs.enqueue("tests.mark_days", by=None, county=county, days=1)
    unheard = jobs.enqueue("tests.mark_days", by=None, county=county, days=2)
    Job.objects.filter(pk=unheard.pk).update(rung_at=timezone.now() - running.RING_AGAIN_AFTER)

    assert jobs.sweep() == {"released": 0, "rung": 1}
    assert jobs.sweep() == {"released": 0, "rung": 0}
    assert reread(unheard).rung_at > reread(heard).rung_at


def test_job_of_a_dead_process_is_queued_again(county):
    job = jobs.enqueue("tests.mark_days", by=None, county=county, days=3)
    after_a_crash(job, attempt=4)

    assert jobs.sweep() == {"released": 1, "rung": 1}
    assert jobs.run(job.pk) is True
    assert (reread(job).state, reread(job).attempt) == ("done", 5)


def test_job_that_crashed_five_times_is_failed(county):
    job = jobs.enqueue("tests.mark_days", by=None, county=county, days=3)
    after_a_crash(job, attempt=5)

    jobs.sweep()

    assert (reread(job).state, reread(job).error_code) == ("failed", "crashed")
    assert "5次" in reread(job).error_text


def test_sweeper_leaves_a_living_run_alone(play):
    seen = []

    def work(run):
        seen.append(jobs.sweep())

    job = play(work)
    jobs.run(job.pk)

    assert seen == [{"released": 0, "rung": 0}]
    assert reread(job).state == "done"


# The lock file that stands for a living process on SQLite.


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_child_of_a_dead_run_does_not_keep_its_lock(home):
    """A reader process forked by the run may outlive it; the job must still be free."""
    job_id = uuid4()
    lease = FileLease.take(job_id)
    ears, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(mouth)
        os.read(ears, 1)  # until the test ends
        os._exit(0)
    try:
        time.sleep(0.1)
        assert FileLease.take(job_id) is None
        lease._handle.close()  # what the kernel does for a killed process
        again = FileLease.take(job_id)
        assert again is not None
        again.release()
    finally:
        os.close(mouth)
        os.waitpid(child, 0)


def test_lock_leaves_no_file_behind(home):
    FileLease.take(uuid4()).release()

    assert not list((home / "locks").iterdir())
