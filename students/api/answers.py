"""The shapes of the answers, for the description; `told` builds them."""

from rest_framework import serializers

from bureau.jobs import Job
from students.api.told import STATES, VERDICTS

LEVELS = ("error", "warning", "note")
DELIVERY_STATES = list(STATES.items())


class RegisterAnswer(serializers.Serializer):
    """一种名单。"""

    name = serializers.CharField(help_text="名单代码。")
    title = serializers.CharField(help_text="名单名称。")
    newest_as_of = serializers.DateField(allow_null=True, help_text="最近一期已入库名单的日期；还没有时为 null。")
    headers = serializers.ListField(child=serializers.CharField(), help_text="通常的表头；其他常见写法也能识别。")


class RegistersAnswer(serializers.Serializer):
    items = RegisterAnswer(many=True)


class JobAnswer(serializers.Serializer):
    """后台任务。"""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Job.State.choices, help_text="任务状态。")
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    message = serializers.CharField(allow_blank=True, help_text="正在做什么，或者为什么没有完成。")


class CountsAnswer(serializers.Serializer):
    """行数：rows = accepted + rejected + skipped；warned 是合格行中带提醒的；其余是与前后期相比的人数。"""

    rows = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    warned = serializers.IntegerField()
    skipped = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    changed = serializers.IntegerField()
    same = serializers.IntegerField()


class VerdictsAnswer(serializers.Serializer):
    """合格行的匹配结论：三项之和等于 accepted。"""

    linked = serializers.IntegerField(help_text="已匹配到学生。")
    proposed = serializers.IntegerField(help_text="有相近的学生，待教育局认定。")
    unlinked = serializers.IntegerField(help_text="未匹配到本人：不是学生，或资料不足；不等于“不困难”。")


class FileErrorAnswer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemAnswer(serializers.Serializer):
    """读取时发现的一个问题。"""

    row = serializers.IntegerField(allow_null=True, help_text="第几行（按推送顺序，首行为 1）；整份名单的问题为 null。")
    column = serializers.CharField(allow_null=True, help_text="表头。")
    level = serializers.ChoiceField(choices=LEVELS, help_text="error 这一行没有导入；warning 已导入，请核对；note 说明。")
    code = serializers.CharField(help_text="问题代码，见问题对照表。")
    message = serializers.CharField()


class ProblemsAnswer(serializers.Serializer):
    count = serializers.IntegerField(help_text="一共多少个。")
    next_offset = serializers.IntegerField(allow_null=True, help_text="下一页的 offset；没有了为 null。")
    items = ProblemAnswer(many=True)


class DeliveryAnswer(serializers.Serializer):
    """一期名单走到了哪一步。"""

    id = serializers.UUIDField()
    register = serializers.CharField()
    as_of = serializers.DateField()
    scope = serializers.CharField(allow_null=True)
    partial = serializers.BooleanField()
    state = serializers.ChoiceField(choices=DELIVERY_STATES, help_text="状态：" + "；".join(f"{k} {v}" for k, v in STATES.items()))
    received_rows = serializers.IntegerField(help_text="已收到多少行。")
    job = JobAnswer(allow_null=True)
    counts = CountsAnswer(allow_null=True, help_text="入库后才有。")
    verdicts = VerdictsAnswer(allow_null=True, help_text="入库后才有。")
    file_error = FileErrorAnswer(allow_null=True, help_text="整份名单无法读取的原因。")


class DeliveryWithProblemsAnswer(DeliveryAnswer):
    problems = ProblemsAnswer()


class OpenedAnswer(serializers.Serializer):
    id = serializers.UUIDField(help_text="以后各次请求用它指明是哪一期。")


class ChunkAnswer(serializers.Serializer):
    """收到的一批；重发同样的一批，回答相同。"""

    sequence = serializers.IntegerField()
    rows = serializers.IntegerField()


class RowAnswer(serializers.Serializer):
    row = serializers.IntegerField(help_text="第几行（按推送顺序，首行为 1）。")
    verdict = serializers.ChoiceField(
        choices=list(VERDICTS), allow_null=True, help_text="linked、proposed 或 unlinked；没有导入的行为 null。"
    )
    problems = serializers.ListField(child=serializers.CharField(), help_text="问题代码。")


class RowsAnswer(serializers.Serializer):
    items = RowAnswer(many=True)
    next_after = serializers.IntegerField(allow_null=True, help_text="下一页的 after；没有了为 null。")


class Refusal(serializers.Serializer):
    """没有办成的回答。"""

    code = serializers.CharField(help_text="供程序判断。")
    message = serializers.CharField(help_text="供人看。")
    fields = serializers.DictField(child=serializers.CharField(), required=False, help_text="哪一项不对。")
