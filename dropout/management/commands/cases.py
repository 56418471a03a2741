"""cases [--state S]"""

from bureau.command import ContractCommand
from dropout.models import Case


class Command(ContractCommand):
    help = "列出控辍保学个案；不加 --state 为全部，open 为没有结案的。"
    mutates = False

    def arguments(self, parser):
        parser.add_argument("--state", choices=("open", *Case.State.values))

    def run(self, *, state):
        cases = Case.objects.filter(county=self.county)
        if state:
            cases = cases.open() if state == "open" else cases.filter(state=state)
        rows = cases.order_by("number").values_list("pk", "state", "school__code", "township__code", "due_on")
        items = [
            {"id": str(pk), "state": now, "school": school, "township": township, "due_on": due_on and due_on.isoformat()}
            for pk, now, school, township, due_on in rows
        ]
        self.report({"count": len(items), "items": items}, text=f"共 {len(items)} 件。")
