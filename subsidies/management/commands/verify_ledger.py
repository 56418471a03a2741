"""verify_ledger: do the appropriations, the entries and the approved lines agree to the fen?"""

from bureau.command import DONE, DONE_WITH_FAULTS, ContractCommand
from bureau.money import format_yuan
from subsidies.actions.verifying import verify


class Command(ContractCommand):
    help = "核对资金台账：指标、分录、已审核的资助逐分相符（退出码：0 相符，1 发现问题）。"
    mutates = False

    def run(self):
        found = verify(self.county)
        fault = found["first_fault"]
        text = (
            f"指标 {found['appropriations']} 项，下达 {format_yuan(found['appropriated_fen'])} 元，"
            f"可用 {format_yuan(found['available_fen'])} 元，已审核待发 {format_yuan(found['committed_fen'])} 元；"
            + (f"发现问题：{fault['message']}" if fault else "账实相符。")
        )
        self.report(found, DONE_WITH_FAULTS if fault else DONE, text)
