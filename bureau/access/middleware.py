"""Deny by default: the right declared with the URL is checked before its view runs."""

import time

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect

from bureau.access.routes import ANYBODY, LOGGED_IN, TOKEN

_BEFORE_THE_PASSWORD_IS_CHANGED = ("bureau:change_password", "bureau:logout")


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

    def process_view(self, request, view, args, kwargs):
        right = getattr(view, "right", None)
        if right in (ANYBODY, TOKEN) or not request.user.is_authenticated:
            return None  # LoginRequiredMiddleware has already sent strangers to the log-in page
        if request.user.must_change_password:
            if request.resolver_match.view_name not in _BEFORE_THE_PASSWORD_IS_CHANGED:
                return redirect("bureau:change_password")
        if right != LOGGED_IN and (right is None or not request.user.may(right)):
            raise PermissionDenied
        if right != LOGGED_IN:
            request.user.acting_right = right
        return None
