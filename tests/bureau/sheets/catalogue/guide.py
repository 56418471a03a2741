"""docs/guide/catalogue.md from the table: `python -m tests.bureau.sheets.catalogue.guide` writes it."""

import os
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).resolve().parents[4] / "docs/guide/catalogue.md"
_OUTCOMES = {"A": "收下", "W": "收下，须确认", "R": "该行有误", "F": "整个文件拒收", "F/R": "整个文件拒收，或该行有误"}
_HEAD = """# 文件里会遇到的情况

由测试用例生成，请勿手改：`python -m tests.bureau.sheets.catalogue.guide`。

每一种情况都有测试，按真实文件核对结果和提示。花名册按“结果”一列处理；其他部门的名单里，身份证号、日期等有误只作提醒，
不因此丢掉一行，只有既没有姓名也没有任何号码的行才退回。问题代码见[问题代码](problems.md)。

- **收下**：自动整理后收下，原样另存；有的附一句说明。
- **收下，须确认**：收下，提交前须确认看过提醒。
- **该行有误**：这一行不入册，其余照收；改正后重新上传。
- **整个文件拒收**：什么都没有导入。
"""
CHAPTERS = (
    ("文件", "B001", "B034"),
    ("表格结构", "B040", "B060"),
    ("证件号码、姓名、日期", "B101", "B142"),
    ("金额、账号", "B201", "B218"),
    ("行与行之间、恶意内容", "B301", "B318"),
)


def page() -> str:
    lines = [_HEAD.rstrip("\n")]
    for title, rows in _chapters():
        lines += [f"\n## {title}\n", "| 编号 | 情况 | 结果 | 提示 |", "|---|---|---|---|"]
        for number, what, outcome, told in rows:
            lines.append(f"| {number} | {_cell(what)} | {_OUTCOMES[outcome]} | {_cell(told)} |")
    return "\n".join(lines) + "\n"


def _chapters() -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    from tests.bureau.sheets.catalogue import CASES, ELSEWHERE

    rows = [(case.id, case.what, case.outcome, case.tells + (f"（{case.why}）" if case.why else "")) for case in CASES]
    rows += [(case.id, case.what, case.outcome, case.tells) for case in ELSEWHERE]
    rows.sort(key=lambda row: row[0])
    for title, first, last in CHAPTERS:
        yield title, [row for row in rows if first <= row[0] <= last]


def _cell(text: str) -> str:
    """One line of a table; what a browser would run or hide is written out."""
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("*", "\\*"), ("_", "\\_")):
        shown = shown.replace(sign, entity)
    return shown


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    PAGE.write_text(page(), encoding="utf-8")
