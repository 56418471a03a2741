"""空表一键填数: a blank form is kept, its columns are bound to facts, and a job fills a copy of it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from bureau import audit, jobs
from bureau.access.models import Account
from bureau.jobs import Job, JobError
from bureau.sheets.fill import check_form, fill_form
from bureau.sheets.intake.facts import column_index
from bureau.sheets.peek import Peek, peek
from students.actions.files import display_name, keep_file, opened_file
from students.actions.refusals import NotApplicable
from students.intake.childfacts import facts_of, may_reveal
from students.models import FilledForm, Student
from students.sheets.facts import ChildFacts

MOST_FILLED = 20_000


@transaction.atomic
def receive_form(*, path: Path, file_name: str, by: Account) -> FilledForm:
    """Keep a blank form and bind its columns: as the same form was bound before, else by their names.

    Raises FileFault for what cannot be filled, NotApplicable for a workbook without anything like a header.
    """
    check_form(path, name=file_name, limits=ChildFacts)
    peeks = peek(path, [ChildFacts], name=file_name)
    if not peeks:
        raise NotApplicable("no_header", "没有找到表头，请确认这是一张有列名的空表。")
    best = max(peeks, key=lambda one: len(one.found))
    form = FilledForm(county=by.county, file_name=display_name(file_name), asked_by=by)
    bind(form, best)
    keep_file(path, value_id=form.pk)
    form.save(force_insert=True)
    audit.record(by=by, verb="students.form_received", subject=form, county=form.county)
    return form


def bind(form: FilledForm, table: Peek) -> None:
    """Take a worksheet of the form for the one to fill; a binding of the same columns is remembered, one's own first."""
    form.sheet, form.header_row, form.fingerprint = table.sheet or "", table.header_row, fingerprint_of(table)
    same = FilledForm.objects.filter(county=form.county, fingerprint=form.fingerprint).exclude(pk=form.pk).order_by("-pk")
    before = same.filter(asked_by=form.asked_by).first() or same.exclude(rows=None).first()
    form.columns = before.columns if before else {one.letter: one.attr for one in table.headings if one.attr}
    form.filters = before.filters if before and before.asked_by_id == form.asked_by_id else {}


def fingerprint_of(table: Peek) -> str:
    """The same for every form with these headers in these columns."""
    text = "|".join(f"{one.letter}:{one.form}" for one in table.headings)
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def save_binding(*, form: FilledForm, columns: Mapping[str, str], filters: Mapping[str, str], by: Account) -> None:
    """Remember what the asker made of the columns (letter -> fact) and which children he wants."""
    form.columns, form.filters = dict(columns), dict(filters)
    form.save(update_fields=["sheet", "header_row", "fingerprint", "columns", "filters"])


@transaction.atomic
def ask_to_fill(*, form: FilledForm, purpose: str, by: Account) -> Job:
    """Ask a worker to fill the form; `purpose` is kept with the record of who saw which children."""
    form.job = jobs.enqueue("students.fill_form", by=by, county=form.county, form=form.pk, purpose=purpose)
    form.rows = None
    form.save(update_fields=["job", "rows"])
    return form.job


def fill(*, form: FilledForm, run: Job, rows: QuerySet[Student], school_year: int, purpose: str) -> dict[str, Any]:
    """Fill a copy of the form with `rows`, which its asker may see now, and keep it sealed under the job's key."""
    by, today = run.by, timezone.localdate()
    if by is None or not by.may("figures.export"):
        raise JobError("no_right", "发起人现在没有导出的权限，没有填数。")
    run.progress(0, 0, "正在查找学生")
    children = list(rows[: MOST_FILLED + 1])
    if len(children) > MOST_FILLED:
        raise JobError("too_many", f"符合条件的超过 {MOST_FILLED:,} 人，请缩小范围后再填。")
    sealed = set(form.columns.values()) & set(ChildFacts.sealed)
    keys = {child.pk for child in children}
    revealed = may_reveal(by, keys) if sealed else set()
    run.progress(0, len(children), "正在填写")
    lines = facts_of(children, on=today, school_year=school_year, revealed=revealed)
    columns = {column_index(letter): fact for letter, fact in form.columns.items() if fact}
    with opened_file(value_id=form.pk, file_name=form.file_name) as source:
        target = source.with_name("filled.xlsx")
        filled = fill_form(
            source, target, sheet=form.sheet or None, header_row=form.header_row, columns=columns, rows=lines
        )
        keep_file(target, value_id=run.pk)
    outcome = {"rows": filled.rows, "formulas": filled.formulas, "revealed": len(revealed)}
    with run.finishing(outcome):
        FilledForm.objects.filter(pk=form.pk).update(rows=filled.rows)
        audit.note_look(
            by=by, view="students:fill_form", path=reverse("students:form", args=[form.pk]), students=keys,
            reason=f"完整号码，用途：{purpose}" if revealed else purpose,
        )  # fmt: skip
        audit.record(by=by, verb="students.form_filled", subject=form, county=form.county, detail={"rows": filled.rows})
    return outcome
