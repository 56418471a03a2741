"""`manage.py test [--all] [--long] [pytest arguments]`: the suite, from nothing."""

import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand

from bureau.door import suite


class Command(BaseCommand):
    help = "运行测试：默认快速测试；--all 全部（含 PostgreSQL、Redis、浏览器）；--long 加演练；其余参数交给 pytest"

    def run_from_argv(self, argv: list[str]) -> None:
        """Everything but our two options belongs to pytest, so Django's parser does not see it."""
        own = {"--all", "--long"}
        chosen, arguments = own & set(argv[2:]), [word for word in argv[2:] if word not in own]
        os.chdir(settings.ROOT)
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # the suite has settings of its own
        try:
            runs = suite.runs(everything="--all" in chosen, long="--long" in chosen, environment=os.environ)
        except suite.PostgresMissing:
            self.stderr.write("REQUIRE 要求 PostgreSQL，但没有设置 TEST_DATABASE_URL。")
            sys.exit(2)
        sys.exit(suite.run(runs, arguments, tell=self.stderr.write))
