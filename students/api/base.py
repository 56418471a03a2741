"""What every request of another system goes through: one door in, one form of refusal, one line in the log."""

import re
from uuid import UUID

from django.http import Http404, HttpRequest
from rest_framework import status
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.views import APIView

from bureau.organisation.models import County
from students.api.tokens import address_of
from students.models import Delivery, ExchangeRequest, ExchangeToken

UTF8 = frozenset({"utf-8", "utf8"})
TELLABLE = re.compile(r"[a-z][a-z0-9_]{0,29}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ExchangeView(APIView):
    """A page for systems. `pushed` is how many rows a request brought, `refused` why it was turned away.

    `params` are the words its address may carry: a misspelt one must not answer another question.
    """

    http_method_names = ["get", "head", "post"]
    params: frozenset[str] = frozenset()
    pushed = 0
    refused = ""

    def dispatch(self, request: HttpRequest, *args, **kwargs):
        answered = status.HTTP_500_INTERNAL_SERVER_ERROR
        try:
            response = super().dispatch(request, *args, **kwargs)
            answered = response.status_code
            return response
        finally:
            self._write_down(request, answered)

    def initial(self, request, *args, **kwargs) -> None:
        charset = request._request.content_params.get("charset", "utf-8") if request._request.content_params else "utf-8"
        if charset.lower() not in UTF8:
            raise UnsupportedMediaType(request.content_type)
        super().initial(request, *args, **kwargs)
        if unknown := set(request.query_params) - self.params:
            raise ValidationError({name[:40]: "没有这个参数。" for name in unknown})

    @property
    def token(self) -> ExchangeToken:
        return self.request.user.token

    def delivery(self, snapshot_id: str) -> Delivery:
        """One of the token's own; a foreign one, an absent one and nonsense are the same 404."""
        try:
            key = UUID(snapshot_id)
        except ValueError:
            raise Http404 from None
        found = Delivery.objects.of(self.token).select_related("township", "county", "job", "snapshot__job").filter(pk=key)
        if not (delivery := found.first()):
            raise Http404
        return delivery

    def _write_down(self, request: HttpRequest, answered: int) -> None:
        """Who, when, what, how it ended. Of those who ask too often, the first refusal of each minute."""
        token = getattr(request, "exchange_token", None)
        if answered == status.HTTP_429_TOO_MANY_REQUESTS and (token is None or token.requests > token.per_minute + 1):
            return
        counties = [token.county] if token else list(County.objects.order_by("code")[:2])
        ExchangeRequest.objects.create(
            county=counties[0] if len(counties) == 1 else None, token=token, address=address_of(request),
            method=request.method[:7], path=_path(request), status=answered, code=self.refused[:40], rows=self.pushed,
        )  # fmt: skip


def _path(request: HttpRequest) -> str:
    """The address as it is declared, filled with codes and keys only: nobody's number gets into the log this way."""
    match = request.resolver_match
    path = "/" + match.route
    for name, value in match.kwargs.items():
        path = re.sub(rf"<\w+:{name}>", value if TELLABLE.fullmatch(value) else "…", path)
    return path[:120]
