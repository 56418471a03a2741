"""核查名单: open questions of one village go out on paper, and what the cadre ticked comes back into the system.

Source: docs/rules/students.md, “village sheets”.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from bureau import audit
from bureau.keys import uuid7
from bureau.organisation.models import County, Township, Village
from bureau.organisation.terms import term_on
from students.actions.settling import ACCEPTED_DAYS, REMEDIES, take
from students.models import Discrepancy, FieldLine, FieldSheet
from students.models.papers import WHEREABOUTS
from students.rules import RULES

RIGHT = "differences.settle"
MOST_CHILDREN = 500  # on one sheet
FOR_EVER = (FieldLine.Answer.MOVED_OUT, FieldLine.Answer.DECEASED)  # other answers are asked for anew after the term
Answer, Outcome = FieldLine.Answer, FieldLine.Outcome


class NotPrinted(Exception):
    """There is nothing to print; `message` for people."""

    code = "nothing_to_print"
    message = "这个村现在没有待核实的问题，不用打印。"


@dataclass(frozen=True)
class Ticked:
    """What the paper says of one child."""

    answer: str
    note: str = ""


@dataclass
class Keyed:
    """What became of the lines keyed in: questions by outcome; `known` lines had been keyed in before."""

    recorded: int = 0
    explained: int = 0
    settled_before: int = 0
    known: int = 0


def rules_for_paper() -> list[str]:
    """Questions a visit to the village can answer: where is the child?"""
    return [code for code, rule in RULES.items() if "whereabouts_known" in rule.remedies]


def for_a_visit(questions: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
    """Those nobody has answered yet, of the kinds a visit to the village can answer."""
    unanswered = [Discrepancy.State.NEW, Discrepancy.State.ASSIGNED]
    return questions.filter(rule__in=rules_for_paper(), state__in=unanswered)


def waiting_in_villages(account) -> QuerySet[Discrepancy]:
    """Questions for a visit with the child's village as `at` (null: not known); of the account's townships."""
    scope = account.scope
    found = for_a_visit(Discrepancy.objects.visible_to(account)).with_village()
    if scope.whole_county:
        return found
    villages = Village.objects.filter(township__in=scope.townships).values("pk")
    return found.filter(Q(at__in=villages) | Q(at=None, township__in=scope.townships))


@transaction.atomic
def print_sheet(*, township: Township, village: Village | None, rule: str = "", by) -> FieldSheet:
    """A sheet with the open questions of a village (None: of children of the township whose village nobody knows).

    The same questions, not yet keyed in, are the same sheet. Raises NotPrinted.
    """
    if not by.may(RIGHT):
        raise PermissionDenied(RIGHT)
    County.objects.select_for_update(no_key=True).get(pk=township.county_id)  # two who print at once get one sheet
    here = {"at": village.pk} if village else {"at": None, "township": township}
    waiting = waiting_in_villages(by).filter(**here)
    if rule:
        waiting = waiting.filter(rule=rule)
    children = _by_child(waiting)[:MOST_CHILDREN]
    if not children:
        raise NotPrinted
    asked = {(question.pk, question.occurrence) for questions in children for question in questions}
    facts = {"county_id": township.county_id, "township": township, "village": village, "rule": rule}
    for known in FieldSheet.objects.filter(**facts, keyed_at=None).order_by("-pk")[:5]:
        if set(known.lines.values_list("discrepancy", "occurrence")) == asked:
            return known
    sheet = FieldSheet.objects.create(**facts, printed_by=by)
    FieldLine.objects.bulk_create(
        FieldLine(sheet=sheet, position=position, discrepancy=question, occurrence=question.occurrence)
        for position, questions in enumerate(children, 1)
        for question in questions
    )
    detail = {"count": len(asked)} | ({"rules": [rule]} if rule else {})
    audit.record(by=by, verb="students.sheet_printed", subject=sheet, county=sheet.county, detail=detail)
    return sheet


def _by_child(waiting: QuerySet[Discrepancy]) -> list[list[Discrepancy]]:
    """Children by name as it sounds, each with his questions."""
    sounds = Coalesce("student__person__pinyin", "entry__pinyin")
    rows = waiting.annotate(sounds=sounds).order_by("sounds", "student", "entry", "rule", "pk")
    return [list(questions) for _, questions in groupby(rows, key=lambda one: one.student_id or f"row {one.entry_id}")]


@transaction.atomic
def key_in(*, sheet: FieldSheet, ticked: Mapping[int, Ticked], by) -> Keyed:
    """What came back on paper, by line: evidence of whereabouts where the tick says where the child is, else an
    explanation for the office to decide on. One audited action.

    A line keyed in before stays as it was; a question settled meanwhile, or opened again, is left alone and told.
    """
    if not by.may(RIGHT):
        raise PermissionDenied(RIGHT)
    sheet = FieldSheet.objects.select_for_update(of=["self"]).select_related("county").get(pk=sheet.pk)
    told, batch, now = Keyed(), uuid7(), timezone.now()
    lines = list(sheet.lines.filter(position__in=ticked).select_related("discrepancy").order_by("position", "pk"))
    for position, group in groupby(lines, key=lambda line: line.position):
        questions = list(group)
        if any(line.answer for line in questions):
            told.known += 1
            continue
        said = ticked[position]
        done = _answer(sheet, questions, said, by=by, batch=batch)
        for line in questions:
            line.answer, line.note = said.answer, said.note[:200]
            line.keyed_by, line.keyed_at = by, now
            line.outcome = done.get(line.discrepancy_id, Outcome.SETTLED_BEFORE)
            setattr(told, line.outcome, getattr(told, line.outcome) + 1)
        FieldLine.objects.bulk_update(questions, ["answer", "note", "keyed_by", "keyed_at", "outcome"])
    if told.recorded or told.explained or told.settled_before:
        FieldSheet.objects.filter(pk=sheet.pk).update(keyed_at=now)
        detail = {"count": told.recorded + told.explained}
        audit.record(by=by, verb="students.sheet_keyed", subject=sheet, county=sheet.county, detail=detail, batch=batch)
    return told


def _answer(sheet: FieldSheet, lines: list[FieldLine], said: Ticked, *, by, batch) -> dict[int, str]:
    """Settle the questions of one child; what became of those it could settle."""
    standing = Q()
    for line in lines:
        standing |= Q(pk=line.discrepancy_id, occurrence=line.occurrence)
    work = Discrepancy.objects.visible_to(by).filter(standing)
    text = f"{Answer(said.answer).label}{f'，{said.note}' if said.note else ''}（村级核查，{sheet.serial} 第 {lines[0].position} 行）"
    done: dict[int, str] = {}
    if kind := WHEREABOUTS.get(said.answer):
        given = {"kind": kind, "evidence": text, "place": said.note[:200], "valid_to": _until(sheet.county, said.answer)}
        known = work.filter(student__isnull=False)
        done |= _taken(known, "whereabouts_known", text, Outcome.RECORDED, given, by=by, batch=batch)
        work = work.filter(student=None)
    return done | _taken(work, "explain", text, Outcome.EXPLAINED, {}, by=by, batch=batch)


def _taken(work: QuerySet, remedy: str, text: str, outcome: str, given: dict, *, by, batch) -> dict[int, str]:
    chosen = REMEDIES[remedy]
    fitting = work.filter(state__in=Discrepancy.WAITING, rule__in=chosen.rules).exclude(state=chosen.to)
    keys = list(fitting.values_list("pk", flat=True))
    take(Discrepancy.objects.filter(pk__in=keys), chosen, by=by, reason=text, given=given, batch=batch)
    return dict.fromkeys(keys, outcome)


def _until(county: County, answer: str) -> date | None:
    """Where a child is has to be asked again when the term is over. Source: docs/rules/students.md, “village sheets”."""
    if answer in FOR_EVER:
        return None
    today = timezone.localdate()
    term = term_on(county, today)
    return term.ends_on if term and term.ends_on > today else today + timedelta(days=ACCEPTED_DAYS)
