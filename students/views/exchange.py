"""数据交换: tokens of other offices' systems, what they asked, what was dropped and fetched, and how the API is spoken to."""

import ipaddress
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from drf_spectacular.generators import SchemaGenerator

from bureau.access.models import Account
from bureau.forms import DateField, OfficeForm
from bureau.jobs import Job
from bureau.lists import Choice, Day, Listing, Order
from bureau.organisation.models import County
from students.actions import dropping, exchange, pulling
from students.intake.known import register_names
from students.models import Agency, Arrival, ExchangeRequest, ExchangeToken

DAYS_VALID, MOST_DAYS_VALID = 365, 731
REQUESTS_PER_MINUTE, MOST_PER_MINUTE = 120, 6_000
MOST_NETWORKS, RECENT = 20, 20


class TokenForm(OfficeForm):
    """Who gets a token, for which lists, until when, from where."""

    agency = forms.CharField(
        label="单位", max_length=60, help_text="例如：县民政局。同一单位的几个令牌看到的是同一批推送记录。",
        widget=forms.TextInput(attrs={"list": "agencies", "autocomplete": "off"}),
        error_messages={"required": "请填写令牌给哪个单位。"},
    )  # fmt: skip
    registers = forms.MultipleChoiceField(
        label="可推送的名单", widget=forms.CheckboxSelectMultiple, error_messages={"required": "请至少选择一种名单。"}
    )
    expires_on = DateField(label="有效期至", help_text="当天仍可用，最长两年；到期前另建一个换上。")
    per_minute = forms.IntegerField(
        label="每分钟最多请求", min_value=1, max_value=MOST_PER_MINUTE, initial=REQUESTS_PER_MINUTE,
        help_text="一期 1 万行的名单约需 12 次。",
    )  # fmt: skip
    networks = forms.CharField(
        label="允许的地址", required=False, help_text="对方服务器的 IP 或网段，一行一个；不填则不限制。",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "10.20.30.40\n10.20.31.0/24"}),
    )  # fmt: skip

    def __init__(self, *args, county: County, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["registers"].choices = list(register_names(county).items())
        self.fields["expires_on"].initial = today + timedelta(days=DAYS_VALID)

    def clean_expires_on(self) -> date:
        day = self.cleaned_data["expires_on"]
        if not self.today <= day <= self.today + timedelta(days=MOST_DAYS_VALID):
            raise ValidationError("应在今天到两年之内。", code="out_of_range")
        return day

    def clean_networks(self) -> list[str]:
        lines = self.cleaned_data["networks"].split()
        if len(lines) > MOST_NETWORKS:
            raise ValidationError(f"最多 {MOST_NETWORKS} 个，请用网段合并。", code="too_many")
        try:
            return [str(ipaddress.ip_network(line, strict=False)) for line in lines]
        except ValueError:
            raise ValidationError("有的不是 IP 地址或网段，请写成 10.20.30.40 或 10.20.30.0/24。", code="invalid") from None


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    today, county = timezone.localdate(), request.user.county
    titles = register_names(county)
    tokens = ExchangeToken.objects.visible_to(request.user).select_related("agency", "created_by").order_by("-pk")
    arrivals = Arrival.objects.visible_to(request.user).select_related("snapshot__register").order_by("-pk")
    try:
        sources, bad_source = pulling.sources(), ""
    except pulling.BadSource as error:
        sources, bad_source = [], str(error)
    context = {
        "tokens": [(token, _standing(token, today), [titles.get(name, name) for name in token.registers]) for token in tokens],
        "arrivals": [(arrival, titles.get(arrival.folder, arrival.folder)) for arrival in arrivals[:RECENT]],
        "sources": [(source, titles.get(source.register, source.register), _last_fetch(county, source)) for source in sources],
        "bad_source": bad_source,
        "folder": dropping.home(),
        "may_open": request.user.may("registers.view"),
        "registers": titles,
        "days_kept": dropping.DAYS_KEPT,
    }
    return render(request, "students/exchange.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_token(request: HttpRequest) -> HttpResponse:
    """The secret is shown in this answer only: it is stored nowhere, and the answer is not cached."""
    county = _whole_county(request.user)
    form = TokenForm(request.POST or None, county=county, today=timezone.localdate())
    if form.is_valid():
        token, secret = exchange.create_token(county=county, by=request.user, **form.cleaned_data)
        address = request.build_absolute_uri("/api/v1/")
        return render(request, "students/exchange_secret.html", {"token": token, "secret": secret, "address": address})
    agencies = Agency.objects.filter(county=county).order_by("name")
    return render(request, "students/exchange_token.html", {"form": form, "agencies": agencies})


@require_POST
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    found = get_object_or_404(ExchangeToken.objects.visible_to(request.user).select_related("agency", "county"), pk=token_id)
    if exchange.revoke_token(token=found, by=request.user):
        messages.success(request, f"“{found.agency}”的令牌 {found.hint}… 已停用，从现在起不能再用。")
    else:
        messages.info(request, "这个令牌早已停用。")
    return redirect("students:exchange")


def _of_agency(rows: QuerySet, key: str) -> QuerySet:
    return rows.filter(token=None) if key == "none" else rows.filter(token__agency=key)


def _agencies(listing: Listing) -> list[tuple[str, str]]:
    found = Agency.objects.filter(county__in=listing.account.scope.counties).order_by("name")
    return [(str(agency.pk), agency.name) for agency in found] + [("none", "不明来源")]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


class Requests(Listing):
    unit = "次"
    orders = [Order("new", "时间", "at", descending=True)]
    filters = [
        Choice("agency", "单位", _of_agency, _agencies),
        Choice(
            "result",
            "结果",
            lambda rows, result: rows.filter(status__lt=400) if result == "good" else rows.filter(status__gte=400),
            [("good", "成功"), ("refused", "未成功")],
        ),
        Day("from", "自", lambda rows, day: rows.filter(at__gte=_midnight(day))),
    ]

    def decorate(self, queryset):
        return queryset.select_related("token__agency")


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    page = Requests(ExchangeRequest.objects.visible_to(request.user), request.GET, account=request.user).page()
    return render(request, "students/exchange_requests.html", {"page": page})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """How to speak to the API, drawn from the same description that programs read."""
    return render(request, "students/exchange_docs.html")


@require_safe
def description(request: HttpRequest) -> HttpResponse:
    return JsonResponse(described(), json_dumps_params={"ensure_ascii": False})


@lru_cache(maxsize=1)
def described() -> dict:
    """The API in OpenAPI's words; it changes with the program only."""
    return SchemaGenerator().get_schema(public=True)


def _standing(token: ExchangeToken, today: date) -> tuple[str, str]:
    if token.revoked_at:
        return "已停用", "grey"
    return ("已过期", "amber") if token.expires_on < today else ("有效", "green")


def _last_fetch(county: County, source: pulling.PullSource) -> Job | None:
    return Job.objects.filter(kind=pulling.KIND, county=county, params__source=source.key).order_by("-id").first()


def _whole_county(account: Account) -> County:
    """Tokens concern the whole county, whoever was given the right to make them."""
    if not account.scope.whole_county:
        raise Http404
    return account.county
