"""What every page of aid begins with: the programme and term asked about."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from bureau.organisation.models import Term
from bureau.organisation.terms import term_on
from subsidies.forms import term_asked
from subsidies.models import Programme


def programme_of(request: HttpRequest, programme_id: UUID) -> Programme:
    visible = Programme.objects.visible_to(request.user).select_related("county")
    return get_object_or_404(visible, pk=programme_id)


def term_of(request: HttpRequest) -> Term | None:
    """The term in the address, else the one under way; None in a county without terms."""
    county = request.user.county
    now = term_on(county, timezone.localdate()) if county else None
    return term_asked(request.user, request.GET.get("term", ""), now)


def terms_offered(request: HttpRequest) -> list[Term]:
    return list(Term.objects.visible_to(request.user).order_by("-starts_on"))
