"""import_organisation FILE.json: the county with its townships, villages, schools and terms."""

from pathlib import Path

from bureau.command import ContractCommand
from bureau.organisation.actions import import_organisation
from bureau.organisation.models import County, School, Township
from bureau.organisation.plan import PlanRefused, read_plan

MOST_BYTES = 50_000_000


class Command(ContractCommand):
    help = "导入机构：县、乡镇、村、学校、学期、节假日。可重复导入，按代码更新，不删除。"
    county_required = False

    def arguments(self, parser):
        parser.add_argument("file", metavar="FILE.json", type=Path)

    def run(self, *, file):
        try:
            content = file.read_bytes()
        except OSError as error:
            self.refuse("file_not_found", f"读不到文件 {file}：{error.strerror}。")
        if len(content) > MOST_BYTES:
            self.refuse("too_large", "机构文件超过 50 MB，请检查是否选错了文件。")
        try:
            plan = read_plan(
                content,
                known_townships=frozenset(
                    Township.objects.filter(county=self.county).values_list("code", flat=True)
                ),
                known_schools=frozenset(
                    School.objects.filter(county=self.county).values_list("code", flat=True)
                ),
            )
        except PlanRefused as refused:
            self.refuse(refused.code, refused.message)
        if County.objects.exclude(code=plan.county[0]).exists():
            self.refuse(
                "other_county", f"本系统已有别的县，不能再导入 {plan.county[0]}。请检查 county 的 code。"
            )
        import_organisation(plan=plan, by_name=self.by_name, account_of=self.account)
        self.report(
            plan.counts,
            text="已导入：乡镇 {townships} 个，村 {villages} 个，学校 {schools} 所，学期 {terms} 个。".format(
                **plan.counts
            ),
        )
