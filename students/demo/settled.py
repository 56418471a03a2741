"""What the offices have done by November: most hardships recorded, whereabouts written down, some questions handed on."""

from datetime import date

from django.db.models import Q

from bureau.access.models import Account
from students.actions import linking, remarking, settling
from students.demo.schools import CLERKS_SCHOOL
from students.demo.world import World
from students.models import Discrepancy, Link

EVIDENCE = "就读学校出具的在读证明"
ELSEWHERE = ("邻山县桥头小学", "邻山县第三中学", "省城务工地小学")


def settle_first(county, world: World) -> None:
    """After the first lists: R25 but for one late township and the clerk's school, and most children who study elsewhere."""
    aid, basic = Account.objects.get(username="aid"), Account.objects.get(username="basic")
    found = Discrepancy.objects.filter(county=county)
    late = Q(township__name="白河镇") | Q(school__name=CLERKS_SCHOOL)
    settling.settle(
        discrepancies=found.filter(rule="R25").exclude(late),
        remedy="record_hardship",
        by=aid,
        reason="按9月期名单集中认定",
    )
    known = {(c.name, c.birth_on) for c in world.children if c.elsewhere}
    columns = ("pk", "student__person__name", "student__person__birth_on")
    rows = found.filter(rule="R01").order_by("subject_id").values_list(*columns)
    clear = [pk for pk, name, birth_on in rows if (name, birth_on) in known]
    clear = clear[: len(clear) * 4 // 5]
    for n, place in enumerate(ELSEWHERE):
        settling.settle(
            discrepancies=found.filter(pk__in=clear[n :: len(ELSEWHERE)]),
            remedy="whereabouts_known",
            by=basic,
            reason="与监护人电话核实",
            values={
                "kind": "out_of_province" if n == 2 else "other_county_in_province",
                "evidence": EVIDENCE,
                "place": place,
                "valid_to": date(2027, 7, 31),
            },
        )


def settle_second(county) -> None:
    """After the second: a little of everything, so that every state of a question can be looked at."""
    aid, basic = Account.objects.get(username="aid"), Account.objects.get(username="basic")
    township = Account.objects.get(username="township")
    found = Discrepancy.objects.filter(county=county).order_by("subject_id")

    def some(rule: str, most: int, **where):
        """At most this many, and never more than a third: the rest stays for whoever tries the demo."""
        new = found.filter(rule=rule, state="new", **where).values_list("pk", flat=True)
        return found.filter(pk__in=list(new[: min(most, len(new) // 3)]))

    settling.settle(discrepancies=some("R26", 12), remedy="end_hardship", by=aid, reason="按10月期名单调整")
    settling.settle(
        discrepancies=some("R25", 6), remedy="accept", by=aid, reason="户主已书面说明，待民政局核实后再认定"
    )
    settling.settle(
        discrepancies=some("R01", 8, township__name="青石镇"),
        remedy="assign",
        by=basic,
        reason="请入户核实",
        values={"assigned_to": township},
    )
    answered = some("R08", 4, township__name="青石镇")
    for question in answered:
        remarking.comment(discrepancy=question, text="已入户，奶奶说孩子随父母外出，正在联系就读学校。", by=township)
    settling.settle(discrepancies=answered, remedy="explain", by=township, reason="随父母在外就读，就读证明尚未寄到")
    likely = Link.objects.filter(county=county, status=Link.State.PROPOSED, score__gte=90).order_by(
        "-score", "entry"
    )
    for link in likely[: min(4, likely.count() // 3)]:
        linking.decide(link=link, answer="yes", reason="核对户口簿，系录入差错", by=aid)
