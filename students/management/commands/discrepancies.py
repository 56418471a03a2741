"""discrepancies --term TERM [--rule R25] [--state open]"""

from bureau.command import ContractCommand
from bureau.organisation.models import Term
from students.contract import told_differences
from students.models import Discrepancy
from students.rules import RULES

STATES = ("open", *Discrepancy.State.values)


class Command(ContractCommand):
    help = "列出待核实问题；不加 --state 为全部，open 为尚待办理的。"
    mutates = False

    def arguments(self, parser):
        parser.add_argument("--term", required=True)
        parser.add_argument("--rule")
        parser.add_argument("--state", choices=STATES)

    def run(self, *, term, rule, state):
        found_term = Term.objects.filter(county=self.county, code=term).first()
        if found_term is None:
            self.refuse("unknown_term", f"没有学期“{term}”。")
        if rule and rule not in RULES:
            self.refuse("unknown_rule", f"没有规则“{rule}”。可用：{'、'.join(RULES)}")
        differences = Discrepancy.objects.filter(county=self.county, term=found_term)
        if rule:
            differences = differences.filter(rule=rule)
        if state == "open":
            differences = differences.open()
        elif state:
            differences = differences.filter(state=state)
        items = told_differences(differences)
        self.report({"count": len(items), "items": items}, text=f"共 {len(items)} 件。")
