"""advance_grants --programme CODE --term TERM [--school CODE] --to STATE --by NAME"""

from django.core.exceptions import PermissionDenied

from bureau.command import ContractCommand
from bureau.organisation.models import School, Term
from bureau.states import IllegalMove
from subsidies.actions import granting, listing
from subsidies.actions.refusals import NotDone
from subsidies.models import Grant, Programme

TARGETS = ("candidate", *(str(step) for step in granting.STEPS))


class Command(ContractCommand):
    help = "把一个项目一个学期的资助往前办一步；candidate 为按应助名单列出，applied 会先列出再申请。"
    right = "aid.view"

    def arguments(self, parser):
        parser.add_argument("--programme", required=True, metavar="项目代码")
        parser.add_argument("--term", required=True)
        parser.add_argument("--school", metavar="学校标识码")
        parser.add_argument("--to", required=True, choices=TARGETS)

    def run(self, *, programme, term, school, to):
        right = "aid.apply" if to == "candidate" else granting.right_for(to)
        if not self.by.may(right):
            self.refuse("no_right", f"账号“{self.by.username}”没有办理此事的权限。")
        self.by.acting_right = right
        found_term = Term.objects.filter(county=self.county, code=term).select_related("school_year").first()
        if found_term is None:
            self.refuse("unknown_term", f"没有学期“{term}”。")
        found = Programme.objects.filter(county=self.county, code=programme).select_related("county").first()
        if found is None:
            self.refuse("unknown_programme", f"没有项目“{programme}”。")
        grants, schools = Grant.objects.filter(county=self.county), None
        if school:
            schools = School.objects.filter(county=self.county, code=school)
            if not schools.exists():
                self.refuse("unknown_school", f"没有标识码为“{school}”的学校。")
            grants = grants.filter(school__in=schools)
        try:
            listed = 0
            if to in ("candidate", "applied"):
                listed = listing.list_candidates(
                    programme=found, term=found_term, by=self.by, schools=schools
                )
            if to == "candidate":
                outcome = granting.Outcome(listed)
            else:
                outcome = granting.advance(programme=found, term=found_term, to=to, by=self.by, grants=grants)
        except NotDone as refused:
            self.refuse(refused.code, refused.message)
        except IllegalMove as refused:
            self.refuse(refused.code, refused.message)
        except PermissionDenied:
            self.refuse("no_right", f"账号“{self.by.username}”没有办理此事的权限。")
        words = f"已办理 {outcome.moved} 条。" + (f"未办理：{outcome.told}。" if outcome.refused else "")
        self.report(outcome.as_json(), text=words)
