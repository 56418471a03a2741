"""Logging out, and the own password; logging in stands in factor_views."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from bureau.access import actions
from bureau.access.forms import ChangePasswordForm

log_out = LogoutView.as_view()


@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(request.user, request.POST or None)
    if form.is_valid():
        actions.change_password(account=request.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.user)  # this session stays, every other one ends
        messages.success(request, "密码已修改。其他电脑上的登录已退出。")
        return redirect("bureau:desk")
    return render(
        request, "bureau/change_password.html", {"form": form, "first": request.user.must_change_password}
    )
