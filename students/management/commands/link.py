"""link [--register NAME] [--items]"""

from bureau.command import ContractCommand
from students.actions import linking
from students.contract import told_links
from students.intake.known import register_names
from students.models import Entry


class Command(ContractCommand):
    help = "重新匹配名单上尚未匹配到学生的人员。"
    right = "registers.import"

    def arguments(self, parser):
        parser.add_argument("--register")
        parser.add_argument("--items", action="store_true")

    def run(self, *, register, items):
        if register and register not in register_names(self.county):
            self.refuse("unknown_register", f"没有名单“{register}”。可用：{'、'.join(register_names(self.county))}")
        linking.link_all(county=self.county, by=self.by)
        newest = linking.on_newest_lists(self.county, register)
        told = linking.counts(Entry.objects.filter(pk__in=newest.values("entry")))
        words = "已匹配 {linked}，待认定 {proposed}，未匹配到本人 {unlinked}。".format(**told)
        self.report(told | {"items": told_links(newest) if items else []}, text=words)
