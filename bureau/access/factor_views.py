"""The second factor's pages: the code at log-in, the code again before what is delicate, and setting it up."""

import time
from uuid import UUID

import segno
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from bureau.access import second_factor
from bureau.access.forms import CodeForm, LogInForm
from bureau.access.models import Account, SecondFactor
from bureau.access.second_factor import WrongCode

HALF = "half_logged_in"  # key of the session
HALF_SECONDS = 300


class LogIn(LoginView):
    """The password; whoever has a second factor is then asked for it, and is logged in only after that."""

    template_name = "bureau/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_valid(self, form) -> HttpResponse:
        account = form.get_user()
        if second_factor.confirmed(account) is None:
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[HALF] = {
            "account": str(account.pk),
            "backend": account.backend,
            "password": account.get_session_auth_hash(),
            "at": int(time.time()),
            "next": self.get_success_url(),
        }
        return redirect("bureau:login_code")


@sensitive_post_parameters()
def login_code(request: HttpRequest) -> HttpResponse:
    """The code after the right password, within five minutes."""
    half = request.session.get(HALF, {})
    account = Account.objects.filter(pk=half.get("account"), is_active=True).first()
    if (
        account is None
        or time.time() - half["at"] > HALF_SECONDS
        or account.get_session_auth_hash() != half["password"]  # reset in the meantime
    ):
        request.session.pop(HALF, None)
        return redirect("bureau:login")
    form = CodeForm(request.POST or None)
    if form.is_valid() and _accepted(form, account):
        login(
            request, account, backend=half["backend"]
        )  # a new session key; the half-way mark goes with flushing
        request.session.pop(HALF, None)
        second_factor.mark(request.session)
        return redirect(half["next"])
    return render(request, "bureau/login_code.html", {"form": form})


@sensitive_post_parameters()
def code_again(request: HttpRequest) -> HttpResponse:
    """A fresh code before full numbers or money; afterwards back to where the person was."""
    if second_factor.confirmed(request.user) is None:
        return redirect("bureau:second_factor")
    form, back = CodeForm(request.POST or None), request.POST.get("next") or request.GET.get("next") or ""
    if form.is_valid() and _accepted(form, request.user):
        second_factor.mark(request.session)
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return HttpResponseRedirect(back if safe else reverse("bureau:desk"))
    return render(request, "bureau/code_again.html", {"form": form, "next": back})


@sensitive_post_parameters()
def setup(request: HttpRequest) -> HttpResponse:
    """Set up, look at, renew the recovery codes of, or give up the own second factor."""
    account = request.user
    factor = SecondFactor.objects.filter(account=account).first()
    form, codes = CodeForm(), []
    if request.method == "POST":
        match request.POST.get("do"):
            case "begin":
                second_factor.begin(account=account)
                return redirect("bureau:second_factor")
            case "confirm" if factor and not factor.confirmed_at:
                form = CodeForm(request.POST)
                codes = _with_code(
                    request, form, lambda: second_factor.confirm(account=account, code=_code(form))
                )
            case "renew" if factor and factor.confirmed_at:
                form = CodeForm(request.POST)
                codes = _with_code(request, form, lambda: _renewed(account, form))
            case "remove" if factor and factor.confirmed_at and not second_factor.is_required(account):
                form = CodeForm(request.POST)
                if _with_code(request, form, lambda: [_removed(account, form)]):
                    messages.success(request, "已停用二次验证，下次登录只需要密码。")
                    return redirect("bureau:second_factor")
        factor = SecondFactor.objects.filter(account=account).first()
    waiting = factor is not None and factor.confirmed_at is None
    context = {
        "form": form,
        "codes": codes,
        "factor": factor,
        "waiting": waiting,
        "required": second_factor.is_required(account),
        "image": segno.make(second_factor.address(factor)).svg_data_uri(scale=5) if waiting else "",
        "secret": second_factor.secret(factor) if waiting else "",
        "left": len(factor.recovery) if factor else 0,
    }
    response = render(request, "bureau/second_factor.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def reset_second_factor(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Somebody lost his telephone: whoever looks after his account takes the factor away; he sets up a new one."""
    found = get_object_or_404(Account.objects.editable_by(request.user), pk=account_id)
    if second_factor.remove(account=found, by=request.user):
        messages.success(request, f"已解除“{found.username}”的二次验证，请本人登录后重新设置。")
    else:
        messages.info(request, f"“{found.username}”没有设置二次验证。")
    return redirect("bureau:account", found.pk)


def _code(form: CodeForm) -> str:
    return form.cleaned_data["code"]


def _accepted(form: CodeForm, account: Account) -> bool:
    try:
        second_factor.verify(account=account, code=_code(form))
    except WrongCode as wrong:
        form.add_error("code", wrong.message)
        return False
    return True


def _with_code(request: HttpRequest, form: CodeForm, act) -> list[str]:
    if not form.is_valid():
        return []
    try:
        done = act()
    except WrongCode as wrong:
        form.add_error("code", wrong.message)
        return []
    second_factor.mark(request.session)
    return done


def _renewed(account: Account, form: CodeForm) -> list[str]:
    second_factor.verify(account=account, code=_code(form))
    return second_factor.renew_recovery(account=account)


def _removed(account: Account, form: CodeForm) -> bool:
    second_factor.verify(account=account, code=_code(form))
    return second_factor.remove(account=account, by=account)
