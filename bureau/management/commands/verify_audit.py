"""Check that the audit log is what was written."""

from argparse import ArgumentParser

from bureau import audit
from bureau.command import DONE, DONE_WITH_FAULTS, ContractCommand


class Command(ContractCommand):
    help = "核对操作日志是否完整、未被改动（退出码：0 完好，1 发现问题）"
    county_required = mutates = False

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", metavar="封条", help="纸质留存的最新封条（编号:十六进制），一并核对")

    def run(self, *, head: str | None) -> None:
        found = audit.verify(self._paper(head) if head else None)
        fault = found["first_fault"]
        verdict = f"发现问题：{fault['message']}" if fault else "未发现问题"
        text = f"已核对{found['checked']}条（其中未封存{found['unsealed']}条），{verdict}。最新封条 {found['head']}"
        self.report(found, DONE_WITH_FAULTS if fault else DONE, text)

    def _paper(self, head: str) -> audit.Head:
        try:
            return audit.Head.parse(head)
        except ValueError:
            self.refuse("bad_head", "封条应写成“编号:十六进制”，照打印的封条抄写。")
