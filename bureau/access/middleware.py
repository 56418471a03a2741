"""Deny by default: the right declared with the URL is checked before its view runs."""

import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse

from bureau.access import second_factor
from bureau.access.roles import ASKED_AGAIN
from bureau.access.routes import ANYBODY, LOGGED_IN, TOKEN

_BEFORE_THE_PASSWORD_IS_CHANGED = ("bureau:change_password", "bureau:logout")
_BEFORE_THE_FACTOR_IS_SET = (*_BEFORE_THE_PASSWORD_IS_CHANGED, "bureau:second_factor")


class AccessMiddleware:
    """Ends idle and over-long sessions, sends first log-ins to the password page, refuses views whose right is missing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            self._watch_the_clock(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _watch_the_clock(self, request) -> None:
        """A session ends after idling, and after SESSION_COOKIE_AGE however busy it was."""
        now = int(time.time())
        idle = now - request.session.get("seen_at", now)
        age = now - request.session.setdefault("began_at", now)
        if idle > settings.SESSION_IDLE_SECONDS or age > settings.SESSION_COOKIE_AGE:
            logout(request)
        elif now - request.session.get("seen_at", 0) > 60:
            request.session["seen_at"] = now

    def _second_factor(self, request, right: str | None):
        """Where a person who must have a second factor, or give its code again, is sent first; None: nowhere."""
        name = request.resolver_match.view_name
        if name in _BEFORE_THE_FACTOR_IS_SET or (settings.SECOND_FACTOR == "off" and right not in ASKED_AGAIN):
            return None
        if second_factor.confirmed(request.user) is None:
            return redirect("bureau:second_factor") if second_factor.is_required(request.user) else None
        if right in ASKED_AGAIN and request.user.may(right) and not second_factor.is_fresh(request.session):
            back = request.get_full_path() if request.method in ("GET", "HEAD") else request.headers.get("Referer", "")
            return redirect(f"{reverse('bureau:code_again')}?{urlencode({'next': back})}")
        return None

    def process_view(self, request, view, args, kwargs):
        right = getattr(view, "right", None)
        if right in (ANYBODY, TOKEN) or not request.user.is_authenticated:
            return None  # LoginRequiredMiddleware has already sent strangers to the log-in page
        if request.user.must_change_password:
            if request.resolver_match.view_name not in _BEFORE_THE_PASSWORD_IS_CHANGED:
                return redirect("bureau:change_password")
        elif needs := self._second_factor(request, right):
            return needs
        if right != LOGGED_IN and (right is None or not request.user.may(right)):
            raise PermissionDenied
        if right != LOGGED_IN:
            request.user.acting_right = right
        return None
