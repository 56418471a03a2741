"""settle --rule R25 --remedy record_hardship [--school CODE] --by NAME --reason TEXT"""

from bureau.command import ContractCommand
from bureau.organisation.models import School
from students.actions import settling
from students.models import Discrepancy
from students.rules import RULES


class Command(ContractCommand):
    help = "对一条规则下尚待办理的问题批量办理。"
    right = "differences.settle"

    def arguments(self, parser):
        parser.add_argument("--rule", required=True)
        parser.add_argument("--remedy", required=True)
        parser.add_argument("--school", metavar="学校标识码")
        parser.add_argument("--reason", required=True)

    def run(self, *, rule, remedy, school, reason):
        if rule not in RULES:
            self.refuse("unknown_rule", f"没有规则“{rule}”。可用：{'、'.join(RULES)}")
        if remedy not in RULES[rule].remedies:
            self.refuse("unknown_remedy", f"{rule} 不能这样办理。可用：{'、'.join(RULES[rule].remedies)}")
        if not self.by.may(settling.REMEDIES[remedy].right):
            self.refuse("no_right", f"账号“{self.by.username}”没有办理此事的权限。")
        differences = Discrepancy.objects.visible_to(self.by).filter(county=self.county, rule=rule)
        if school:
            at = School.objects.filter(county=self.county, code=school).first()
            if at is None:
                self.refuse("unknown_school", f"没有标识码为“{school}”的学校。")
            differences = differences.filter(school=at)
        try:
            settled, left = settling.settle(discrepancies=differences, remedy=remedy, by=self.by, reason=reason)
        except settling.NotSettled as refusal:
            self.refuse(refusal.code, refusal.message)
        self.report({"settled": settled, "left": left}, text=f"已办理 {settled} 件，余 {left} 件。")
