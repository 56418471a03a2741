"""`path()` for this product: a page is declared together with the right it needs.

The right is read from the resolved view by `bureau.access.middleware`; a URL without one fails the matrix test.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.urls import path as django_path

from bureau.access.roles import RIGHTS

ANYBODY = "anybody"  # pages before log-in; each one is listed with its reason in the matrix test
TOKEN = "token"  # for systems, not people: no account opens it, only a token (students/api)
LOGGED_IN = "logged_in"  # what belongs to having an account at all: its password, and the way out


def path(route: str, view: Callable, *, right: str, name: str):
    """A URL pattern whose view carries `right`, a word of RIGHTS, LOGGED_IN, TOKEN or ANYBODY. Raises KeyError for an unknown right."""
    if right not in (ANYBODY, LOGGED_IN, TOKEN):
        RIGHTS[right]

    @wraps(view)
    def guarded(request, *args, **kwargs):
        return view(request, *args, **kwargs)

    guarded.right = right
    if right in (ANYBODY, TOKEN):
        guarded = login_not_required(guarded)
    return django_path(route, guarded, name=name)
