"""Who asks: a token in the header, looked up by its keyed hash; and how often it may ask."""

import time
from datetime import timedelta

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated, Throttled

from bureau import secrecy
from students.api.errors import NotOurs
from students.models import ExchangeRequest, ExchangeToken

LONGEST_TOKEN = 200
STRANGERS_PER_MINUTE = 30  # refused tokens from one address


class Caller:
    """What stands where an account would: a system with a valid token."""

    is_authenticated = True

    def __init__(self, token: ExchangeToken) -> None:
        self.token = token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. A revoked or expired token opens nothing from the next request on."""

    def authenticate(self, request) -> tuple[Caller, ExchangeToken]:
        http: HttpRequest = request._request
        word, _, secret = http.headers.get("Authorization", "").partition(" ")
        secret = secret.strip()
        if word.lower() != "bearer" or not secret:
            _slow_down_strangers(http)
            raise NotAuthenticated
        token = self._known(secret)
        if token is None:
            _slow_down_strangers(http)
            raise NotOurs("unknown_token")
        http.exchange_token = token
        if token.revoked_at:
            raise NotOurs("token_revoked")
        if token.expires_on < timezone.localdate():
            raise NotOurs("token_expired")
        if not token.allows_address(address_of(http)):
            raise NotOurs("address_refused")
        _count(token)
        return Caller(token), token

    def authenticate_header(self, request) -> str:
        return "Bearer"

    def _known(self, secret: str) -> ExchangeToken | None:
        if len(secret) > LONGEST_TOKEN:
            return None
        tokens = ExchangeToken.objects.select_related("agency", "county")
        return tokens.filter(digest=secrecy.blind(secret, field="token")).first()


class TokenScheme(OpenApiAuthenticationExtension):
    """How the description tells it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema) -> dict:
        return {"type": "http", "scheme": "bearer", "description": "县教育局“数据交换”页面生成的令牌。"}


def address_of(request: HttpRequest) -> str:
    """Where the request comes from. In production only the TLS entrance reaches us, and it writes down who called it."""
    if settings.PRODUCTION:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:45]
    return request.META.get("REMOTE_ADDR", "")


def _count(token: ExchangeToken) -> None:
    """One UPDATE counts for all processes. Raises Throttled beyond the token's requests of this minute."""
    minute, second = divmod(int(time.time()), 60)
    same = When(minute=minute, then=F("requests") + 1)
    ExchangeToken.objects.filter(pk=token.pk).update(
        requests=Case(same, default=Value(1)), minute=minute, last_used_at=timezone.now()
    )
    token.refresh_from_db(fields=["requests"])
    if token.requests > token.per_minute:
        raise Throttled(wait=60 - second)


def _slow_down_strangers(request: HttpRequest) -> None:
    """Whoever tries one token after another is not answered for a while, nor written down any more."""
    since = timezone.now() - timedelta(minutes=1)
    tried = ExchangeRequest.objects.filter(token=None, address=address_of(request), at__gt=since)
    if tried.count() >= STRANGERS_PER_MINUTE:
        raise Throttled(wait=60)
