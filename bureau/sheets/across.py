"""What only the rows of a file together tell: likely doubles under two numbers, accounts that several people share."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import OSA

from .reading import SKIPPED, Reading, Row

MOST_NAMED = 5


def namesakes(reading: Reading) -> None:
    """Warn of pupils of one school, name and birth date under different numbers: twins never share a name, typing does."""
    first: dict[tuple, Row] = {}
    groups: dict[tuple, list[Row]] = {}
    for row in reading.rows:
        if row.status == SKIPPED:
            continue
        number, name, code, school = row.several(("citizen_id", "name", "school_code", "school_name"))
        if number is None or name is None:
            continue
        key = (name, number[6:14], code, school)
        known = first.setdefault(key, row)
        if known is not row and known.get("citizen_id") != number:
            groups.setdefault(key, [known]).append(row)
    for rows in groups.values():
        for row in rows[:MOST_NAMED]:
            others = [other for other in rows if other.get("citizen_id") != row.get("citizen_id")]
            near = any(OSA.distance(row.get("citizen_id"), other.get("citizen_id")) == 1 for other in others)
            hint = "，号码只差一位" if near else ""
            message = f"与{places(others, row)}姓名、出生日期相同而身份证号不同{hint}，请核对是否同一人。"
            reading.report(row, "citizen_id", "same_name_birth", message)


def shared(reading: Reading, rows: Iterable[Row], attr: str, *, most: int) -> None:
    """Tell of one account for several children: a warning up to `most` of them, beyond that an error."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if account := row.get(attr):
            groups[account].append(row)
    for together in groups.values():
        people = {row.get("citizen_id") or row.get("name") for row in together}
        if len(people) < 2:
            continue
        code = "account_shared" if len(people) <= most else "account_crowded"
        for row in together:
            who = places([other for other in together if other is not row], row)
            message = f"与{who}是同一账号，请确认是同一家庭。"
            if code == "account_crowded":
                message = f"同一账号有 {len(people)} 名学生（{who}），超过 {most} 名，请改为各自家庭的账号。"
            reading.report(row, attr, code, message)


def places(rows: Sequence[Row], seen_from: Row) -> str:
    """Where rows stand, as somebody who looks at one of them would say it."""
    told = [
        f"第 {row.number} 行" if row.sheet == seen_from.sheet else f"工作表“{row.sheet}”第 {row.number} 行"
        for row in rows[:MOST_NAMED]
    ]
    return "、".join(told) + ("等" if len(rows) > MOST_NAMED else "")
