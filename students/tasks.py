"""When: the long work of the first floor, each kind a doorbell for one action."""

import logging
from datetime import date

from celery import shared_task
from django.utils import timezone

from bureau import jobs
from bureau.jobs import Job, job
from bureau.organisation import changing
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.models import County, School, Term, Township
from students.actions import (
    absences,
    bundles,
    checking,
    dropping,
    exchange,
    filling,
    marking,
    merging,
    promoting,
    pulling,
    reconciling,
    registers,
    rosters,
    transfers,
)
from students.forms import current_school_year
from students.models import Bundle, Delivery, FilledForm, Promotion, Roster, Snapshot
from students.views import formrows

log = logging.getLogger(__name__)


@job("students.read_register", title="读取部门名单", exclusive="students.read_register:{county}")
def read_register(run: Job, snapshot: str, register: str, then_compare: bool = False) -> None:
    found = Snapshot.objects.select_related("county", "register").get(pk=snapshot)
    registers.load_snapshot(snapshot=found, run=run, ask_first=then_compare)
    if then_compare and found.state == Snapshot.State.CLOSED:
        inputs = {register, "lists", *(["enrolment"] if register == "xueji" else [])}
        reconciling.ask(county=found.county, by=run.by, inputs=inputs, cause=snapshot)


@job("students.read_roster", title="读取花名册")
def read_roster(run: Job, roster: str, then_mark: bool = False) -> None:
    found = Roster.objects.select_related("county", "term").get(pk=roster)
    then = checking.admit_numberless if found.source == Roster.Source.CHECK else None
    rosters.load_roster(roster=found, run=run, then=then)
    if then_mark and found.status == Roster.State.STAGED and found.rejected:
        marking.ask_for_marked(roster=found, by=run.by)


@job("students.mark_roster", title="标注花名册中的问题", exclusive="students.mark_roster:{roster}")
def mark_roster(run: Job, roster: str) -> None:
    marking.mark_roster(roster=Roster.objects.get(pk=roster), run=run)


@job("students.fill_form", title="空表填数")
def fill_form(run: Job, form: str, purpose: str) -> dict:
    found = FilledForm.objects.select_related("county").get(pk=form)
    rows = formrows.rows_for(run.by, found.filters)
    year = current_school_year(run.by, timezone.localdate())
    return filling.fill(form=found, run=run, rows=rows, school_year=year, purpose=purpose)


@job("students.open_bundle", title="解开花名册压缩包", exclusive="students.open_bundle:{bundle}")
def open_bundle(run: Job, bundle: str) -> None:
    bundles.open_bundle(bundle=Bundle.objects.select_related("county", "term", "uploaded_by").get(pk=bundle), run=run)


@job("students.apply_bundle", title="压缩包花名册入库", exclusive="students.apply_bundle:{bundle}")
def apply_bundle(run: Job, bundle: str) -> None:
    bundles.apply_bundle(bundle=Bundle.objects.select_related("county").get(pk=bundle), run=run)


@job("students.reconcile", title="数据比对", exclusive="students.reconcile:{county}")
def reconcile(
    run: Job, term: str, rules: list[str] | None = None, as_of: str | None = None, township: str = "", school: str = ""
) -> None:
    place = None
    if township or school:
        place = Township.objects.get(pk=township) if township else School.objects.get(pk=school)
    day = date.fromisoformat(as_of) if as_of else None
    reconciling.reconcile(run=run, term_code=term, codes=rules, as_of=day, place=place)


@job("students.watch_absences", title="检查未出现学生的说明期限", exclusive="students.watch_absences:{county}")
def watch_absences(run: Job, day: str) -> None:
    absences.signal_overdue(county=run.county, today=date.fromisoformat(day))
    transfers.watch(county=run.county, today=date.fromisoformat(day))


@job("students.gather_pushed", title="整理接口推送的名单", exclusive="students.gather_pushed:{county}")
def gather_pushed(run: Job, delivery: str) -> None:
    found = Delivery.objects.select_related("county", "agency", "township").get(pk=delivery)
    exchange.gather(delivery=found, run=run)


@job("students.pull_list", title="获取数据共享名单", exclusive="students.pull_list:{source}")
def pull_list(run: Job, source: str) -> None:
    pulling.pull_list(key=source, run=run)


@job("students.stage_promotion", title="计算学年升级", exclusive="students.promotion:{county}")
def stage_promotion(run: Job, promotion: str) -> None:
    run.progress(0, 0, "正在计算各校升级、毕业的学生")
    with run.finishing() as result:
        found = promoting.stage_promotion(promotion=Promotion.objects.get(pk=promotion))
        result["rows"] = found.rows.count()


@job("students.apply_promotion", title="学年升级", exclusive="students.promotion:{county}")
def apply_promotion(run: Job, promotion: str, shown: int | None = None) -> None:
    run.progress(0, 0, "正在升级")
    with run.finishing() as result:
        found = promoting.apply_promotion(promotion=Promotion.objects.get(pk=promotion), by=run.by, shown=shown)
        result["applied"] = found.state == Promotion.State.APPLIED


@job("students.seek_duplicates", title="查找可能重复的档案", exclusive="students.seek_duplicates:{county}")
def seek_duplicates(run: Job) -> None:
    run.progress(0, 0, "正在查找")
    with run.finishing() as result:
        result["waiting"] = merging.seek_duplicates(county=run.county, by=run.by)


@job("students.change_schools", title="执行到期的学校撤并、更名", exclusive="students.change_schools:{county}")
def change_schools(run: Job, day: str) -> None:
    """Decisions of the bureau whose day has come; one that cannot be carried out stays on its desk."""
    today = date.fromisoformat(day)
    for change in SchoolChange.objects.filter(county=run.county).due(today).order_by("effective_on", "pk"):
        try:
            changing.apply(change=change, today=today, by=None)
        except changing.NotChanged as refusal:
            log.warning("a planned change of a school was not carried out: %s", refusal.code)


@shared_task(name="students.nightly")
def nightly() -> None:
    """Ask for tonight's comparison in every county that is in a term or between two, and for a look at the children whose
    schools have let the time for an explanation pass, and at files that may be of one person; once a night, however often
    rung."""
    today = timezone.localdate()
    for county in County.objects.order_by("code"):
        if SchoolChange.objects.filter(county=county).due(today).exists():
            jobs.enqueue(
                "students.change_schools",
                by=None,
                county=county,
                idem_key=f"schools:{county.code}:{today.isoformat()}",
                day=today.isoformat(),
            )
        term = Term.objects.filter(county=county, starts_on__lte=today).order_by("-starts_on").first()
        if term:
            jobs.enqueue(
                "students.reconcile",
                by=None,
                county=county,
                idem_key=f"nightly:{county.code}:{today.isoformat()}",
                term=term.code,
            )
            jobs.enqueue(
                "students.watch_absences",
                by=None,
                county=county,
                idem_key=f"absences:{county.code}:{today.isoformat()}",
                day=today.isoformat(),
            )
            jobs.enqueue(
                "students.seek_duplicates",
                by=None,
                county=county,
                idem_key=f"duplicates:{county.code}:{today.isoformat()}",
            )


@shared_task(name="students.exchange_round")
def exchange_round() -> None:
    """Every 20 seconds: take what lies complete in the drop folder, ask for the fetches that are due.

    Folder and sources name no county, so they serve installations of one county, as the commands do.
    """
    counties = list(County.objects.order_by("code")[:2])
    if len(counties) != 1:
        return
    dropping.take_drops(county=counties[0])
    try:
        pulling.ask_for_due(county=counties[0], now=timezone.localtime())
    except pulling.BadSource as error:
        log.warning("no list is fetched: %s", error)


@shared_task(name="students.exchange_purge")
def exchange_purge() -> None:
    """Every night: rows of pushed lists that nobody closed, and old requests."""
    exchange.purge()
