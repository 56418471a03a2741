"""entitlements --programme CODE --term TERM"""

from bureau.command import ContractCommand
from bureau.money import format_yuan
from bureau.organisation.models import Term
from subsidies.actions.refusals import WORDS
from subsidies.entitlement import Entitlement
from subsidies.models import Programme


class Command(ContractCommand):
    help = "一个项目一个学期应助多少人、多少钱，其余的人为什么不能助。"
    mutates = False

    def arguments(self, parser):
        parser.add_argument("--programme", required=True, metavar="项目代码")
        parser.add_argument("--term", required=True)

    def run(self, *, programme, term):
        found_term = Term.objects.filter(county=self.county, code=term).select_related("school_year").first()
        if found_term is None:
            self.refuse("unknown_term", f"没有学期“{term}”。")
        found = Programme.objects.filter(county=self.county, code=programme).first()
        if found is None:
            codes = Programme.objects.filter(county=self.county).values_list("code", flat=True)
            self.refuse("unknown_programme", f"没有项目“{programme}”。可用：{'、'.join(codes)}")
        result = Entitlement.of(found, found_term).summary()
        lines = [
            f"{found} {found_term}：应助 {result['entitled']} 人，{format_yuan(result['amount_fen'])} 元。"
        ]
        lines += [
            f"不能助：{WORDS.get(row['reason'], row['reason'])} {row['count']} 人" for row in result["not"]
        ]
        self.report(result, text="\n".join(lines))
