"""reconcile --term TERM [--rules R01,R25] [--as-of DATE]"""

from bureau import jobs
from bureau.command import ContractCommand, day
from bureau.organisation.models import Term
from students.rules import RULES


class Command(ContractCommand):
    help = "按规则比对，列出、办结或再次列出待核实问题。"
    right = "reconcile.run"

    def arguments(self, parser):
        parser.add_argument("--term", required=True)
        parser.add_argument("--rules", metavar="R01,R25")
        parser.add_argument("--as-of", metavar="DATE", type=day)

    def run(self, *, term, rules, as_of):
        if not Term.objects.filter(county=self.county, code=term).exists():
            self.refuse("unknown_term", f"没有学期“{term}”。")
        codes = [code.strip() for code in rules.split(",") if code.strip()] if rules is not None else None
        if codes is not None and (not codes or (unknown := [code for code in codes if code not in RULES])):
            self.refuse("unknown_rule", f"没有规则“{'、'.join(unknown) if codes else rules}”。可用：{'、'.join(RULES)}")
        job = jobs.run_now(
            "students.reconcile",
            by=self.by,
            county=self.county,
            term=term,
            rules=codes,
            as_of=as_of.isoformat() if as_of else None,
        )
        lines = [
            f"{code} {RULES[code].title}：新列 {counts['opened']}，待办 {counts['open']}，已一致 {counts['resolved']}"
            for code, counts in job.result["rules"].items()
        ]
        self.report(job.result, text="\n".join([f"截至 {job.result['as_of']}", *lines]))
