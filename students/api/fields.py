"""What may be sent, judged strictly: a text is a text, yes is `true`, and a number too long to be exact is refused."""

import re
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status

from bureau.organisation.models import County, Township
from students.actions.dropping import FIRST_DAY
from students.api.errors import Problem

MOST_ROWS, MOST_SEQUENCE = 1_000, 1_048_575
LONGEST_CELL, LONGEST_HEADER = 32_000, 200
EXACT = 10**15  # a program that keeps numbers as doubles has lost the end of a longer one
Cell = str | int | float | bool | None


class Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Day(serializers.DateField):
    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(data)


SAYS_SOMETHING = re.compile(r"[^\s\u0000-\u0020\u007f-\u00a0\ufeff]")
CELL = {"type": ["string", "number", "boolean", "null"], "maxLength": LONGEST_CELL, "exclusiveMinimum": -EXACT, "exclusiveMaximum": EXACT}
ROW = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": SAYS_SOMETHING.pattern, "maxLength": LONGEST_HEADER},
    "additionalProperties": CELL,
}


EXAMPLE = [{"姓名": "李小明", "身份证号": "99010120160501001X", "低保证号": "D0001", "月保障金额": 480}]


@extend_schema_field({"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": ROW, "examples": [EXAMPLE]})
class RowList(serializers.Field):
    """Described only; `judged_rows` judges, a thousand rows at a time."""


class NewSnapshot(serializers.Serializer):
    """开一期名单。"""

    as_of = Day(help_text="名单反映的是哪一天的情况，不晚于今天。")
    scope = Text(
        required=False, allow_null=True, default=None, min_length=1, max_length=12,
        help_text="只含一个乡镇时填乡镇代码，其他乡镇的人不会被当作退出；全县填 null 或不填。",
    )  # fmt: skip
    partial = Flag(required=False, default=False, help_text="只是部分名单（如新增名单），没有列出的人不算退出。")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if unknown := _unknown(data, *self.fields):
            raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class Rows(serializers.Serializer):
    """一批行。"""

    sequence = serializers.IntegerField(min_value=1, max_value=MOST_SEQUENCE, help_text="第几批，从 1 起连续编号，可以乱序、可以重发。")
    rows = RowList(help_text="每行一个对象：表头 → 单元格。表头用本部门表格原来的列名；证件号码、银行账号一律用字符串。")


class Closing(serializers.Serializer):
    """结束推送。"""

    rows = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="本期共推送多少行；填写后与收到的行数不符会被拒绝，建议填写。"
    )


def township_of(county: County, scope: str | None) -> Township | None:
    """None for the whole county. Raises Problem."""
    if scope is None or scope == county.code:
        return None
    found = Township.objects.filter(county=county, code=scope).first()
    if found is None:
        raise Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "unknown_scope", "没有这个代码的乡镇。")
    return found


def judged_day(as_of: date) -> date:
    """Raises Problem for a day that is not yet, or long before any list."""
    if not FIRST_DAY <= as_of <= timezone.localdate():
        raise Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "day_out_of_range", "名单日期不能晚于今天，也不能早于 2000 年。")
    return as_of


def judged_rows(data: dict[str, Any]) -> tuple[int, list[dict[str, Cell]]]:
    """Sequence and rows of a chunk. Raises ValidationError, which names the first row that is wrong."""
    wrong, sequence, rows = _unknown(data, "sequence", "rows"), _whole(data.get("sequence")), data.get("rows")
    if sequence is None or not 1 <= sequence <= MOST_SEQUENCE:
        wrong["sequence"] = f"应是 1 到 {MOST_SEQUENCE} 的整数。"
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        wrong["rows"] = f"应是 1 到 {MOST_ROWS} 个对象的数组。"
    else:
        for number, row in enumerate(rows, 1):
            if why := _wrong_row(row):
                wrong["rows"] = f"本批第 {number} 行：{why}"
                break
    if wrong:
        raise serializers.ValidationError(wrong)
    return sequence, rows


def judged_count(data: dict[str, Any]) -> int | None:
    """How many rows the sender counts, where he says it."""
    wrong, rows = _unknown(data, "rows"), _whole(data.get("rows"))
    if data.get("rows") is not None and (rows is None or rows < 1):
        wrong["rows"] = "应是大于 0 的整数。"
    if wrong:
        raise serializers.ValidationError(wrong)
    return rows


def said_strictly(result: dict, **_) -> dict:
    """For the description: a misspelt `partial` must not be passed over, so nothing unknown may be sent."""
    for sent in (NewSnapshot, Rows, Closing):
        result["components"]["schemas"][sent.__name__]["additionalProperties"] = False
    return result


def asked_number(params, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number from the address."""
    text = params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most):
        raise serializers.ValidationError({name: f"应是 {least} 到 {most} 的整数。"})
    return int(text)


def _unknown(data: dict[str, Any], *known: str) -> dict[str, str]:
    return {name[:40]: "没有这一项。" for name in data if name not in known}


def _whole(value: Any) -> int | None:
    """A whole number; JSON writes 7 and 7.0 for the same one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _wrong_row(row: Any) -> str:
    if not isinstance(row, dict) or not row:
        return "应是“表头：单元格”的对象，至少一列。"
    for header, cell in row.items():
        if not SAYS_SOMETHING.search(header) or len(header) > LONGEST_HEADER:
            return f"表头应有文字，最多 {LONGEST_HEADER} 个字。"
        if isinstance(cell, str):
            if len(cell) > LONGEST_CELL:
                return f"“{header[:20]}”超过 {LONGEST_CELL} 个字。"
        elif isinstance(cell, bool) or cell is None:
            continue
        elif isinstance(cell, int | float):
            if abs(cell) >= EXACT:
                return f"“{header[:20]}”是一个长数，末几位可能已经丢失；号码请用字符串。"
        else:
            return f"“{header[:20]}”不是文字、数或空。"
    return ""
