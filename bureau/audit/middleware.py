"""One access-log row per request that showed children."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from bureau.audit.looking import write_access_log


class AccessLogMiddleware:
    """Writes before the response leaves: a page whose record cannot be written is not delivered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        seen = request.__dict__.get("_children_seen")
        if seen and seen.students and response.status_code < 400:
            write_access_log(request, seen)
        return response
