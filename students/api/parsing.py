"""What is read from the wire: JSON that says one thing only, of a size and depth we choose."""

import json
from typing import Any

from django.conf import settings
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser

from students.api.errors import TooLong, Unreadable

DEEPEST = 8  # an object, its rows, a row: three are needed


class StrictJSON(BaseParser):
    """UTF-8 JSON without NaN, without a key twice in one object, without depth."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise TooLong(most)
        try:
            text = raw.decode("utf-8-sig")
            found = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
        except UnicodeDecodeError:
            raise Unreadable("请求内容不是 UTF-8 编码。") from None
        except RecursionError:
            raise Unreadable("JSON 嵌套太深。") from None
        except ValueError:  # a number of thousands of digits, too
            raise Unreadable("请求内容不是完整的 JSON。") from None
        if _depth(found) > DEEPEST:
            raise Unreadable("JSON 嵌套太深。")
        if not isinstance(found, dict):
            raise Unreadable("请求内容应是一个 JSON 对象。")
        return found


class AlwaysJSON(BaseContentNegotiation):
    """There is one form of answer; whatever else a client says it would rather have is not worth a refusal."""

    def select_parser(self, request, parsers):
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values under one header: one of them would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("同一个 JSON 对象里有重复的键（例如两个相同的表头）。")
    return found


def _no_number(name: str) -> None:
    raise Unreadable(f"{name} 不是 JSON 的数。")


def _depth(value: Any) -> int:
    """How deep lists and objects are nested, looked at level by level and no further than it matters."""
    level, depth = [value], 0
    while depth <= DEEPEST and (level := [one for one in level if isinstance(one, dict | list)]):
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth
