"""Every refusal is one object, {"code", "message"}, with `fields` where single values are wrong."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

WORDS = {
    exceptions.NotAuthenticated: ("unauthorized", "请求缺少令牌：请带上 Authorization: Bearer 令牌。"),
    exceptions.NotFound: ("not_found", "没有这个地址或这期名单，或者不在这个令牌的范围内。"),
    exceptions.MethodNotAllowed: ("method_not_allowed", "这个地址不支持这种请求方法。"),
    exceptions.UnsupportedMediaType: ("unsupported_media_type", "请求内容应为 UTF-8 的 application/json。"),
    exceptions.Throttled: ("too_many_requests", "请求太频繁，请按 Retry-After 的秒数稍后再试。"),
    exceptions.ParseError: ("not_json", "请求内容不是完整的 JSON 对象。"),
    exceptions.ValidationError: ("invalid", "有的内容不符合要求，见 fields。"),
}


class Problem(exceptions.APIException):
    """A refusal with a code and words of its own."""

    def __init__(self, status_code: int, code: str, message: str) -> None:
        super().__init__(message, code)
        self.status_code = status_code


class NotOurs(exceptions.AuthenticationFailed):
    """The same words whatever is wrong with a token: a thief learns nothing. `why` is for our log."""

    def __init__(self, why: str) -> None:
        super().__init__("令牌无效、已过期、已停用，或不允许从这个地址使用。", "unauthorized")
        self.why = why


class Unreadable(exceptions.ParseError):
    """JSON that is damaged, ambiguous or built to hurt."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "not_json")


class TooLong(Problem):
    def __init__(self, most: int) -> None:
        super().__init__(
            status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "too_large", f"一次请求最多 {most // 1_000_000} MB，请减少每批的行数。"
        )


def told(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to a refusal; None for a fault of ours, which is logged as any other page's."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if not isinstance(error, exceptions.APIException):
        return None
    code, message = WORDS.get(type(error), (error.get_codes(), str(error.detail)))
    body: dict[str, Any] = {"code": code, "message": message}
    if isinstance(error, exceptions.ValidationError):
        body["fields"] = dict(_fields(error.detail))
    headers = {}
    if error.status_code == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(int(error.wait or 60))
    context["view"].refused = getattr(error, "why", code)
    return Response(body, status=error.status_code, headers=headers)


def _fields(detail: Any) -> Iterator[tuple[str, str]]:
    """The first thing wrong with each field."""
    for name, wrong in detail.items() if isinstance(detail, dict) else [("", detail)]:
        yield str(name), str(wrong[0]) if isinstance(wrong, list) else str(wrong)
