"""The demo's home: made once, kept between starts, thrown away only where the demo itself made it.

`demo.json` in BUREAU_HOME is the demo's mark. It is written before anything else, without accounts, and again with
them when seeding is complete: a mark without accounts means that seeding was interrupted and starts over.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from bureau.command import Refused

SEED = "students.demo.seed"
MADE = (
    "bureau.sqlite3*",
    "beat-schedule*",
    "demo",
    "media",
    "broker",
    "locks",
    "logs",
    "keys",
    "audit-heads.txt",
    "demo.json",
)

Summary = dict[str, Any]


class Running(Refused):
    """Another demo has this home; `notice` is what it wrote down about itself: url and pid, or nothing yet."""

    def __init__(self, notice: dict[str, Any]):
        where = f"：{notice['url']}（进程 {notice['pid']}）" if notice else "，正在准备数据"
        super().__init__("already_running", f"演示已在运行{where}。")
        self.notice = notice


class Home:
    def __init__(self, path: Path):
        self.path = path
        self.mark = path / "demo.json"

    def log(self, child: str) -> Path:
        return self.path / "logs" / f"{child}.log"

    @contextmanager
    def alone(self) -> Iterator[Callable[[dict[str, Any]], None]]:
        """Held as long as a demo works here; gives a function that leaves a notice for later starts."""
        with open(self.path / "demo.lock", "a+", encoding="utf-8") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.seek(0)
                raise Running(json.loads(held.read() or "{}")) from None

            def leave_notice(notice: dict[str, Any]) -> None:
                held.truncate(0)
                held.write(json.dumps(notice))
                held.flush()

            leave_notice({})
            yield leave_notice

    def summary(self) -> Summary | None:
        """What seeding told when it was complete; None before."""
        try:
            kept = json.loads(self.mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept if kept.get("accounts") else None

    def reset(self) -> None:
        """Remove everything a demo makes, and only if a demo made it."""
        if not self.mark.exists() and self._holds_data():
            raise Refused("not_a_demo", f"{self.path} 中的数据不是演示生成的，不予清除。")
        if connection.vendor != "sqlite":
            raise Refused(
                "not_a_demo", "DATABASE_URL 指向的数据库须由管理员自行清空，--reset 只清除演示自己的文件。"
            )
        connection.close()
        for pattern in MADE:
            for found in self.path.glob(pattern):
                shutil.rmtree(found) if found.is_dir() else found.unlink()

    def fill(self, students: int, *, tell: Callable[[str], None]) -> Summary:
        """Migrate and, once, seed; returns the summary of the seeding."""
        summary = self.summary()
        if not summary and self.mark.exists() and connection.vendor == "sqlite":
            tell("上次准备演示数据时中断，现在重新开始。")
            self.reset()
        self._migrate(tell)
        if summary:
            return summary
        if self._holds_data():
            raise Refused(
                "not_a_demo", f"{self.path} 中已有正式数据。请用环境变量 BUREAU_HOME 为演示另指定一个目录。"
            )
        self._write_mark({})
        tell(f"正在生成演示县的数据（{students} 名学生）…")
        summary = import_string(SEED)(students=students, progress=tell)
        self._write_mark(summary)
        return summary

    def _migrate(self, tell: Callable[[str], None]) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            tell("正在准备数据库…")
            call_command("migrate", interactive=False, verbosity=0)

    def _holds_data(self) -> bool:
        county = apps.get_model("bureau", "County")
        return county._meta.db_table in connection.introspection.table_names() and county.objects.exists()

    def _write_mark(self, summary: Summary) -> None:
        draft = self.mark.with_suffix(".draft")
        draft.touch(mode=0o600)  # it holds the demo accounts' passwords
        draft.write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(draft, self.mark)
