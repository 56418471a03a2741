"""Why something about aid cannot be done: a code for programs, words for people."""

# Codes that stand beside a line, on the page and in the commands' JSON. Explained in docs/rules/aid.md.
WORDS = {
    "deceased": "死亡（注销）",
    "left": "基准日已不在籍、不在校",
    "suspended": "休学",
    "not_this_year": "不在资助的年级（专业）",
    "not_listed": "不在困难名单，也没有认定",
    "cannot_check": "外县户籍，名单不在本县，无法核对",
    "boarding_unknown": "没有登记住校、走读",
    "not_boarder": "走读，不是住校",
    "boarder": "住校，不是走读",
    "other_tier": "认定等级没有标准",
    "no_rate": "本学期没有标准",
    "number_pending": "证件待补",
    "refused": "自愿放弃",
    "exclusive": "已享受互斥的项目",
    "amount_changed": "标准或情况已变，金额不符",
    "outside": "不在本项目的学段或范围",
    "same_person": "本人已办过前面的步骤",
    "notice_running": "公示期未满",
    "objection_open": "公示有异议未答复",
    "notice_missing": "须先公示",
    "closed_term": "学期已结账",
    "no_appropriation": "没有可用的资金指标",
    "over_budget": "超出可用的资金指标",
    "changed_record": "记录与签名不符，请查明",
}


class NotDone(Exception):
    """Nothing was changed."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code, self.message = code, message or WORDS[code]
        super().__init__(self.message)
