"""A child's page: who it is, what every list says, one timeline; and the full number on request, with a reason."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bureau import audit, secrecy
from students.actions.merging import survivor_of
from students.forms import RevealForm, current_school_year
from students.models import Discrepancy, Guardianship, Identifier, Student
from students.panels import panels_of
from students.views import timeline
from students.views.neighbours import concealed

HIDDEN = "已登记"
MASKS = {
    Identifier.Kind.CITIZEN_ID: secrecy.mask_id,
    Identifier.Kind.STUDENT_NUMBER: secrecy.mask_id,
    Identifier.Kind.CERTIFICATE: secrecy.mask_id,
    Identifier.Kind.DOCUMENT: lambda text: HIDDEN,
    Identifier.Kind.ACCOUNT: secrecy.mask_account,
    Identifier.Kind.PHONE: secrecy.mask_phone,
    Identifier.Kind.ADDRESS: lambda text: HIDDEN,
}


@dataclass(frozen=True)
class Number:
    """One sealed value of the child or of a guardian; `key` names it in the reveal form."""

    key: str
    label: str
    field: str
    value_id: UUID
    sealed: bytes
    note: str = ""

    def opened(self) -> str:
        return secrecy.open_sealed(bytes(self.sealed), field=self.field, value_id=self.value_id)

    @property
    def masked(self) -> str:
        return MASKS[self.field](self.opened())


def numbers_of(student: Student) -> list[Number]:
    """The child's numbers in force, own ones before derived ones, then the guardians' numbers and phones."""
    kinds = dict(Identifier.Kind.choices)
    own = Identifier.objects.filter(person=student.pk, valid_to=None).order_by("derived", "kind", "id")
    order = list(Identifier.Kind)
    found = [
        Number(
            str(i.pk),
            kinds[i.kind],
            i.kind,
            i.pk,
            i.sealed,
            "由学籍号或残疾人证号推出，非本人登记" if i.derived else "",
        )
        for i in sorted(own, key=lambda i: (i.derived, order.index(i.kind)))
    ]
    for guardian in Guardianship.objects.filter(student=student, valid_to=None).order_by("id"):
        name, kind = f"{'监护人' if guardian.legal else '家庭成员'}{guardian.name}", Identifier.Kind
        if guardian.number_sealed:
            key, sealed = f"guardian-number-{guardian.pk}", guardian.number_sealed
            found.append(Number(key, f"{name}的身份证号", kind.CITIZEN_ID, guardian.number_id, sealed))
        if guardian.phone_sealed:
            key, sealed = f"guardian-phone-{guardian.pk}", guardian.phone_sealed
            found.append(Number(key, f"{name}的电话", kind.PHONE, guardian.phone_id, sealed))
    return found


@require_safe
def student(request: HttpRequest, student_id: UUID) -> HttpResponse:
    if moved_to := _merged_into(request, student_id):
        return redirect("students:student", moved_to)
    found = _found(request, student_id)
    audit.saw(request, [found])
    return render(request, "students/student.html", _context(request, found))


def _merged_into(request: HttpRequest, student_id: UUID) -> UUID | None:
    """Where the file of a merged child is now, if the account may see it: old addresses lead there."""
    key = survivor_of(student_id)
    return key if key and Student.objects.visible_to(request.user).filter(pk=key).exists() else None


@require_POST
def reveal(request: HttpRequest, student_id: UUID) -> HttpResponse:
    """Shows one number once: it stands in this answer only, never in an address or a later page."""
    found = _found(request, student_id)
    numbers = {number.key: number for number in numbers_of(found)}
    form = RevealForm(request.POST, choices=[(n.key, n.label) for n in numbers.values()])
    shown = None
    if form.is_valid():
        number = numbers[form.cleaned_data["number"]]
        with transaction.atomic():
            audit.record(
                by=request.user,
                verb="students.number_revealed",
                subject=found,
                detail={"field": number.field},
            )
        shown = {"label": number.label, "value": number.opened()}
        audit.saw(
            request, [found], reason=f"{Identifier.Kind(number.field).label}：{form.cleaned_data['reason']}"
        )
    else:
        audit.saw(request, [found])
    if request.htmx:
        context = {
            "student": found,
            "numbers": numbers.values(),
            "form": form,
            "shown": shown,
            "may_reveal": True,
        }
        return render(request, "students/_numbers.html", context)
    return render(request, "students/student.html", _context(request, found) | {"form": form, "shown": shown})


def _found(request: HttpRequest, student_id: UUID) -> Student:
    visible = Student.objects.visible_to(request.user).select_related(
        "person", "hukou_township", "hukou_village"
    )
    return get_object_or_404(visible, pk=student_id)


def _context(request: HttpRequest, student: Student) -> dict:
    today = timezone.localdate()
    year = current_school_year(request.user, today)
    enrolments = list(
        student.enrolments.filter(ended_on=None).select_related("school__township").order_by("-is_present")
    )
    enrolments = concealed(enrolments, request.user)
    for enrolment in enrolments:
        enrolment.grade_name = enrolment.grade(year)
    kinds = timeline.KINDS | {panel.code: panel.title for panel, _ in panels_of(student, request.user)}
    kind = request.GET.get("kind", "")
    events = timeline.events_of(student, request.user)
    numbers = numbers_of(student)
    return {
        "student": student,
        "enrolments": enrolments,
        "hardships": student.hardships.covering(today).select_related("register"),
        "memberships": student.person.memberships.filter(valid_to=None).select_related("household"),
        "guardians": student.guardianships.filter(valid_to=None, legal=True).order_by("id"),
        "relatives": student.guardianships.filter(valid_to=None, legal=False).order_by("id"),
        "open_discrepancies": Discrepancy.objects.visible_to(request.user)
        .filter(student=student)
        .open(on=today)
        .count(),
        "numbers": numbers,
        "may_reveal": request.user.may("students.reveal"),
        "may_read_lists": request.user.may("registers.view"),
        "may_decide_links": request.user.may("links.decide"),
        "form": RevealForm(choices=[(n.key, n.label) for n in numbers]),
        "standings": timeline.standings(student, today),
        "kinds": [(code, title) for code, title in kinds.items() if any(e.kind == code for e in events)],
        "kind": kind,
        "events": [event for event in events if not kind or event.kind == kind],
        "panels": panels_of(student, request.user),
    }
