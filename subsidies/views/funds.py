"""资金: appropriations with what is left of them, the ledger behind each, withdrawals, and the closing of a term."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau.keys import uuid7
from bureau.lists import Choice, Listing, Order
from bureau.organisation.models import Term
from subsidies.actions import funding
from subsidies.actions.refusals import NotDone
from subsidies.forms import AppropriationForm, SourceForm, WithdrawForm
from subsidies.models import Appropriation, LedgerEntry, TermClosing
from subsidies.views.grants import programmes


def years(listing: Listing) -> list[tuple[str, str]]:
    held = (
        Appropriation.objects.visible_to(listing.account)
        .order_by("-year")
        .values_list("year", flat=True)
        .distinct()
    )
    return [(str(year), f"{year}年") for year in held]


class Appropriations(Listing):
    unit = "项"
    orders = [
        Order("new", "到达日期", "received_on", descending=True),
        Order("left", "可用", "available_fen", descending=True),
    ]
    filters = [
        Choice("year", "预算年度", lambda rows, year: rows.filter(year=year), options=years),
        Choice("programme", "项目", lambda rows, key: rows.filter(programme=key), options=programmes),
    ]

    def decorate(self, queryset):
        return queryset.select_related("source", "programme")


@require_safe
def funds(request: HttpRequest) -> HttpResponse:
    listing = Appropriations(
        Appropriation.objects.visible_to(request.user), request.GET, account=request.user
    )
    page = listing.page()
    for row in page.rows:
        row.used_fen = row.amount_fen - row.available_fen
    sums = listing.queryset.order_by().aggregate(
        amount=Sum("amount_fen", default=0), left=Sum("available_fen", default=0)
    )
    today = timezone.localdate()
    closed = set(TermClosing.objects.visible_to(request.user).values_list("term", flat=True))
    terms = [
        (term, term.pk in closed)
        for term in Term.objects.visible_to(request.user).filter(ends_on__lt=today)[:6]
    ]
    context = {
        "page": page,
        "sums": sums,
        "terms": terms,
        "may_edit": request.user.may("aid.funds") and request.user.scope.whole_county,
    }
    return render(request, "subsidies/funds.html", context)


@require_safe
def appropriation(request: HttpRequest, appropriation_id: UUID) -> HttpResponse:
    found = _found(request, appropriation_id)
    entries = (
        LedgerEntry.objects.filter(appropriation=found)
        .select_related("transaction__by", "transaction__programme", "transaction__term")
        .order_by("pk")
    )
    context = {
        "found": found,
        "entries": entries[:500],
        "used_fen": found.amount_fen - found.available_fen,
        "form": WithdrawForm() if request.user.may("aid.funds") and found.available_fen else None,
        "key": uuid7().hex,
    }
    return render(request, "subsidies/appropriation.html", context)


def _found(request: HttpRequest, appropriation_id: UUID) -> Appropriation:
    visible = Appropriation.objects.visible_to(request.user).select_related(
        "source", "programme", "county", "recorded_by"
    )
    return get_object_or_404(visible, pk=appropriation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def add_appropriation(request: HttpRequest) -> HttpResponse:
    form = AppropriationForm(request.POST or None, account=request.user, today=timezone.localdate())
    if form.is_valid():
        try:
            made = funding.appropriate(values=form.cleaned_data, county=request.user.county, by=request.user)
        except NotDone as refused:
            form.add_error("doc_no", refused.message)
        else:
            messages.success(request, "已登记资金指标。")
            return redirect(made)
    return _form(request, form, "资金指标")


@require_http_methods(["GET", "HEAD", "POST"])
def add_source(request: HttpRequest) -> HttpResponse:
    form = SourceForm(request.POST or None)
    if form.is_valid():
        try:
            made = funding.add_source(county=request.user.county, by=request.user, **form.cleaned_data)
        except NotDone as refused:
            form.add_error("name", refused.message)
        else:
            messages.success(request, f"已新增资金来源：{made}。")
            return redirect("subsidies:add_appropriation")
    return _form(request, form, "资金来源")


def _form(request: HttpRequest, form, noun: str) -> HttpResponse:
    context = {"form": form, "noun": noun, "is_new": True, "back_url": reverse("subsidies:funds")}
    return render(request, "bureau/place_form.html", context)


@require_POST
def withdraw(request: HttpRequest, appropriation_id: UUID) -> HttpResponse:
    """The key in the form is this page's: a second click finds it used."""
    found = _found(request, appropriation_id)
    form = WithdrawForm(request.POST)
    key = request.POST.get("key", "")[:32]
    if not form.is_valid() or not key:
        messages.error(request, "请填写收回金额和依据。")
        return redirect(found)
    try:
        funding.withdraw(appropriation=found, key=key, by=request.user, **form.cleaned_data)
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已登记收回。")
    return redirect(found)


@require_POST
def close_term(request: HttpRequest, term_id: UUID) -> HttpResponse:
    term = get_object_or_404(Term.objects.visible_to(request.user).select_related("county"), pk=term_id)
    try:
        funding.close_term(term=term, by=request.user)
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"{term}已结账，不再受理这个学期的资助。")
    return redirect("subsidies:funds")
