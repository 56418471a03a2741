"""The contract of every command line job: one JSON object, four exit statuses, and who asked for it.

0 done; 1 done with rejected rows (or a `verify_*` found a fault); 2 refused, nothing changed; 3 internal failure.
With `--json` exactly one object goes to stdout and everything else to stderr (docs/guide/commands.md).
"""

import json
import re
import sys
import traceback
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext, redirect_stdout
from datetime import date
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, ProgrammingError

from bureau.access.actions import OPERATOR, operator_of
from bureau.access.models import Account
from bureau.organisation.models import County

DONE, DONE_WITH_FAULTS, REFUSED, FAILED = 0, 1, 2, 3
_DJANGO_OPTIONS = {
    "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks", "stdout", "stderr"
}  # fmt: skip


def day(text: str) -> date:
    """For the `type=` of an argument that is a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("日期应写成 2026-09-01 的样式") from None


class Refused(CommandError):
    """Nothing was changed; `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str):
        super().__init__(message, returncode=REFUSED)
        self.code, self.message = code, message


class ContractCommand(BaseCommand):
    """A command of docs/guide/commands.md.

    A subclass gives `arguments(parser)` and `run(**options)`, which ends with `self.report({...})` or
    `self.refuse(code, message)`. While it runs, `self.county` is the county of this installation and `self.by` the
    account of `--by` (when `mutates`). Notes for people go through `self.note`. Set `right` to the word of
    `bureau.access.roles.RIGHTS` which that account must carry.
    """

    requires_system_checks: list[str] = []
    county_required = True
    mutates = True
    right: str | None = None
    as_json = False
    county: County | None = None
    by: Account | None = None

    def arguments(self, parser: ArgumentParser) -> None:
        """The command's own arguments; `--json` and `--by` are there already."""

    def run(self, **options: Any) -> None:
        raise NotImplementedError

    def report(self, result: dict[str, Any], status: int = DONE, text: str = "") -> None:
        """The command's result. `text` is what a person reads; by default the fields, one a line."""
        self._result, self._status = result, status
        self._text = text or "\n".join(f"{name}: {value}" for name, value in result.items())

    def refuse(self, code: str, message: str) -> NoReturn:
        raise Refused(code, message)

    def note(self, text: str) -> None:
        """A line for the person at the terminal, never part of the result."""
        self.stderr.write(text, style_func=str)

    # What Django calls.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="在标准输出给出一个 JSON 对象")
        if self.mutates:
            parser.add_argument(
                "--by", metavar="账号", default=OPERATOR, help=f"以哪个账号的名义（默认 {OPERATOR}）"
            )
        self.arguments(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any):
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parse = parser.parse_args

        def parse_args(args=None, namespace=None):
            self.as_json = "--json" in (sys.argv if args is None else args)
            return parse(args, namespace)

        def error(message: str) -> NoReturn:
            parser.print_usage(sys.stderr)
            message = re.sub(r"^argument (\S+): ", r"\1 ", message)
            self._finish(REFUSED, {"error": {"code": "bad_arguments", "message": f"参数不正确：{message}"}})

        parser.parse_args, parser.error = parse_args, error
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = bool(options.pop("json"))
        self._result, self._status, self._text = {}, DONE, ""
        own = {name: value for name, value in options.items() if name not in _DJANGO_OPTIONS}
        try:
            with redirect_stdout(sys.stderr) if self.as_json else nullcontext():
                self._look_around(own.pop("by", OPERATOR))
                self.run(**own)
        except Refused as refused:
            self._finish(REFUSED, {"error": {"code": refused.code, "message": refused.message}})
        except CommandError as error:
            self._finish(REFUSED, {"error": {"code": "refused", "message": str(error)}})
        except Exception as error:
            self.stderr.write(
                traceback.format_exc() if options.get("traceback") else _where(error), style_func=str
            )
            message = "程序内部出错，没有完成。请把错误输出中的位置告诉维护人员（加 --traceback 可看全文）。"
            self._finish(FAILED, {"error": {"code": "internal", "message": message}})
        self._finish(self._status, self._result, self._text)

    def _look_around(self, by: str) -> None:
        try:
            counties = list(County.objects.order_by("code")[:2])
        except (OperationalError, ProgrammingError):
            self.refuse("not_migrated", "数据库尚未建立，请先运行：python3 manage.py migrate")
        self.county = counties[0] if len(counties) == 1 else None
        if self.county is None and self.county_required:
            self.refuse(
                "no_county",
                "本系统有不止一个县，命令行只用于单县。"
                if counties
                else "还没有机构信息，请先运行：python3 manage.py import_organisation 文件.json",
            )
        if self.mutates and self.county:
            self.by = self.account(by, self.county)
            if self.right and not self.by.may(self.right):
                self.refuse("no_right", f"账号“{by}”没有办理此事的权限。")
            self.by.acting_right = self.right or ""
        self.by_name = by

    def account(self, username: str, county: County) -> Account:
        """The account of `--by`; the default one is created on first use. Refuses an unknown or disabled account."""
        if username == OPERATOR:
            return operator_of(county)
        account = Account.objects.filter(username=username, county=county, is_active=True).first()
        return account or self.refuse("unknown_account", f"没有账号“{username}”，或已停用。")

    def _finish(self, status: int, result: dict[str, Any], text: str = "") -> None:
        if self.as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, cls=DjangoJSONEncoder))
        elif "error" in result and status >= REFUSED:
            self.stderr.write(f"{result['error']['message']}（{result['error']['code']}）", style_func=str)
        elif text:
            self.stdout.write(text)
        if status:
            sys.exit(status)


def _where(error: BaseException) -> str:
    """The traceback without the exceptions' own texts: they may quote a value (a name, a number) from a row."""
    told, lines = set(), []
    while error is not None and id(error) not in told:
        told.add(id(error))
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}\n")
        lines += traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__
    return "".join(lines)
