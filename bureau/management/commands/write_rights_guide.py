"""write_rights_guide: the table of roles, rights and pages for the handbook."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from bureau.access.table import as_markdown


class Command(BaseCommand):
    help = "按代码生成 docs/guide/rights.md（角色、权限与页面对照表）。"

    def add_arguments(self, parser):
        parser.add_argument("-o", "--output", type=Path, default=settings.ROOT / "docs/guide/rights.md")

    def handle(self, *, output, **options):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(as_markdown(), encoding="utf-8")
        self.stdout.write(f"已写入 {output}")
