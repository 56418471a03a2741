"""write_problems_guide: every problem a file can have, for the handbook."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from bureau.sheets.codes import as_markdown

INTRO = """# 文件和表格里的问题

由 `python3 manage.py write_problems_guide` 按代码生成，请勿手改。上传花名册、导入名单时发现的每个问题都有一个代码；
页面按代码归类，错误标注文件写在单元格旁，命令行在 `problems` 里给出代码、工作表、行号、列名和说明。

- **错误**：这一行不能入库。请在错误标注文件里改正后重新上传；保留“问题〔单号 …〕”一列，可以只传改好的几行，其余的行沿用上次。
- **提醒**：照常入库，请核对。部门名单的行不因为单元格有错误而丢掉，单元格的错误一律按提醒处理。
- **说明**：系统怎样读了这个文件，一般不用处理。
- 一个单元格只报一个问题：下表“单元格”部分中排在前面的那个。

"""


def guide() -> str:
    return INTRO + as_markdown()


class Command(BaseCommand):
    help = "按代码生成 docs/guide/problems.md（文件和表格里的问题对照表）。"

    def add_arguments(self, parser):
        parser.add_argument("-o", "--output", type=Path, default=settings.ROOT / "docs/guide/problems.md")

    def handle(self, *, output, **options):
        output.write_text(guide(), encoding="utf-8")
        self.stdout.write(f"已写入 {output}")
