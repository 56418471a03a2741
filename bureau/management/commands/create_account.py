"""create_account NAME --role ROLE [--at CODE] [--password-stdin]"""

import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from bureau.access import actions
from bureau.access.names import username_fault
from bureau.access.roles import Role, place_fault
from bureau.command import ContractCommand
from bureau.organisation.models import School, Township


class Command(ContractCommand):
    help = "开设账号。不给密码时生成一次性密码，只显示在错误输出上。"

    def arguments(self, parser):
        parser.add_argument("name", metavar="NAME", help="账号")
        parser.add_argument("--role", required=True, help="、".join(Role.values))
        parser.add_argument("--at", metavar="CODE", help="学校标识码或乡镇代码")
        parser.add_argument("--display-name", default="", metavar="姓名")
        parser.add_argument("--password-stdin", action="store_true", help="从标准输入读一行作为密码")

    def run(self, *, name, role, at, display_name, password_stdin):
        if fault := username_fault(name):
            self.refuse("bad_username", fault)
        if role not in Role.values:
            self.refuse("unknown_role", f"没有角色“{role}”，可写：{'、'.join(Role.values)}。")
        school, township = self._place(at)
        if fault := place_fault(role, school=school, township=township):
            self.refuse("bad_place", fault)
        password = self._password_read() if password_stdin else ""
        try:
            with transaction.atomic():
                slip = actions.create_account(
                    county=self.county,
                    username=name,
                    display_name=display_name,
                    role=role,
                    school=school,
                    township=township,
                    by=self.by,
                )
                if password:
                    self._choose(slip.account, password)
        except actions.UsernameTaken:
            self.refuse("username_taken", f"账号“{name}”已经有了，请换一个。")
        if not password:
            self.note(f"一次性密码（首次登录须修改）：{slip.password}")
        if role == Role.INSPECTOR and not at:
            self.note("没有指定学校或乡镇，该账号暂时看不到任何学校；可在“账号”页添加任职。")
        place = at if school or township else None
        self.report(
            {"username": name, "role": role, "place": place},
            text=f"已开设账号 {name}（{Role(role).label}{f'，{school or township}' if place else ''}）。",
        )

    def _place(self, code: str | None) -> tuple[School | None, Township | None]:
        if code is None or code == self.county.code:
            return None, None
        school = School.objects.filter(county=self.county, code=code).first()
        township = None if school else Township.objects.filter(county=self.county, code=code).first()
        if not (school or township):
            self.refuse("unknown_place", f"没有代码为“{code}”的学校或乡镇。")
        return school, township

    def _password_read(self) -> str:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            self.refuse("no_password", "标准输入里没有密码。")
        return password

    def _choose(self, account, password: str) -> None:
        """A password that meets the rules stays; a weaker one serves once and is changed at the first log-in."""
        account.set_password(password)
        try:
            validate_password(password, account)
            account.must_change_password = False
        except ValidationError as weak:
            self.note(f"密码不够强（{''.join(weak.messages)}），首次登录须修改。")
        account.save(update_fields=["password", "must_change_password"])
