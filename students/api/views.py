"""Push a list, see how far it is, read what was found of one's own rows."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response

from students.actions import exchange
from students.api import answers, fields, told
from students.api.base import ExchangeView
from students.api.errors import Problem

PROBLEMS_A_PAGE, MOST_PROBLEMS = 200, 1_000
ROWS_A_PAGE, MOST_ROWS = 1_000, 10_000
MOST = 2**53  # what every program counts exactly
REFUSALS = {
    400: "请求的内容或参数不符合要求",
    401: "没有令牌，或令牌不能用",
    404: "没有这种名单、这一期，或不在令牌的范围内",
    405: "这个地址不支持这种请求方法",
    429: "请求太频繁",
}
ON_PUSH = {409: "与已经收到的不一致，或这一期已结束", 413: "一次请求或一期名单太大", 415: "不是 UTF-8 的 application/json"}
CODE = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,29}$"}
SNAPSHOT = OpenApiParameter("snapshot_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="开期时得到的 id。")


def described(summary: str, request, answer, *, good: int = 200, also: dict[int, str] | None = None, parameters=()):
    """`extend_schema` with the refusals every request may meet."""
    refusals = {code: OpenApiResponse(answers.Refusal, words) for code, words in (REFUSALS | (also or {})).items()}
    return extend_schema(summary=summary, request=request, responses={good: answer} | refusals, parameters=list(parameters), tags=["名单"])


def asked(name: str, words: str, *, least: int, most: int, default: int) -> OpenApiParameter:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return OpenApiParameter(name, schema, description=words)


class Registers(ExchangeView):
    @described("令牌可以推送的名单", None, answers.RegistersAnswer)
    def get(self, request) -> Response:
        """每种名单的代码、名称、最近一期的日期和通常的表头。"""
        return Response({"items": told.told_registers(self.token)})


class Snapshots(ExchangeView):
    @described(
        "开一期名单", fields.NewSnapshot, answers.OpenedAnswer, good=201,
        also=ON_PUSH | {422: "日期或乡镇代码不可用"},
        parameters=[OpenApiParameter("name", CODE, OpenApiParameter.PATH, description="名单代码，如 dibao。")],
    )  # fmt: skip
    def post(self, request, name: str) -> Response:
        """先开期，再分批推送各行，最后结束。重复开期没有坏处：同样的内容最后是同一期。"""
        if name not in self.token.registers:
            raise NotFound
        given = fields.NewSnapshot(data=request.data)
        given.is_valid(raise_exception=True)
        opened = _refusable(
            exchange.open_delivery,
            token=self.token,
            register=name,
            as_of=fields.judged_day(given.validated_data["as_of"]),
            township=fields.township_of(self.token.county, given.validated_data["scope"]),
            partial=given.validated_data["partial"],
        )
        return Response({"id": str(opened.pk)}, status=status.HTTP_201_CREATED)


class Snapshot(ExchangeView):
    params = frozenset({"offset", "limit"})

    @described(
        "一期名单走到了哪一步", None, answers.DeliveryWithProblemsAnswer,
        parameters=[
            SNAPSHOT,
            asked("offset", "从第几个问题起。", least=0, most=MOST, default=0),
            asked("limit", "最多给出几个问题。", least=1, most=MOST_PROBLEMS, default=PROBLEMS_A_PAGE),
        ],
    )  # fmt: skip
    def get(self, request, snapshot_id: str) -> Response:
        """状态、行数、与前后期的差异、匹配结论的个数，和读取时发现的问题（分页）。"""
        delivery = self.delivery(snapshot_id)
        offset = fields.asked_number(request.query_params, "offset", default=0, least=0, most=MOST)
        limit = fields.asked_number(request.query_params, "limit", default=PROBLEMS_A_PAGE, least=1, most=MOST_PROBLEMS)
        problems = told.told_problems(delivery, offset=offset, limit=limit)
        return Response(told.told_delivery(delivery) | {"problems": problems})


class Rows(ExchangeView):
    params = frozenset({"verdict", "after", "limit"})

    @described(
        "本单位推送各行的匹配结论", None, answers.RowsAnswer, also={409: "这一期还没有入库"},
        parameters=[
            SNAPSHOT,
            OpenApiParameter("verdict", enum=list(told.VERDICTS), description="只要这种结论的行。"),
            asked("after", "从这一行之后起。", least=0, most=MOST, default=0),
            asked("limit", "最多给出几行。", least=1, most=MOST_ROWS, default=ROWS_A_PAGE),
        ],
    )  # fmt: skip
    def get(self, request, snapshot_id: str) -> Response:
        """结论是此刻的：教育局认定之后会变。只说行号、结论和问题代码，不给出任何人的信息。"""
        delivery, params = self.delivery(snapshot_id), request.query_params
        verdict = params.get("verdict")
        if verdict is not None and verdict not in told.VERDICTS:
            raise ValidationError({"verdict": f"应是 {'、'.join(told.VERDICTS)} 之一。"})
        after = fields.asked_number(params, "after", default=0, least=0, most=MOST)
        limit = fields.asked_number(params, "limit", default=ROWS_A_PAGE, least=1, most=MOST_ROWS)
        if told.state_of(delivery) != "closed":
            raise Problem(status.HTTP_409_CONFLICT, "not_ready", "这一期还没有入库，现在没有结论。")
        return Response(told.told_rows(delivery.snapshot, verdict=verdict, after=after, limit=limit))

    @described("推送一批行", fields.Rows, answers.ChunkAnswer, also=ON_PUSH, parameters=[SNAPSHOT])
    def post(self, request, snapshot_id: str) -> Response:
        """每批最多 1,000 行，从 1 起编号。同一批可以放心重发；编号相同而内容不同会被拒绝（409）。"""
        delivery = self.delivery(snapshot_id)
        sequence, rows = fields.judged_rows(request.data)
        chunk = _refusable(exchange.push_rows, delivery=delivery, sequence=sequence, rows=rows)
        self.pushed = chunk.rows
        return Response({"sequence": chunk.sequence, "rows": chunk.rows})


class Close(ExchangeView):
    @described("结束推送，开始导入", fields.Closing, answers.DeliveryAnswer, good=202, also=ON_PUSH, parameters=[SNAPSHOT])
    def post(self, request, snapshot_id: str) -> Response:
        """各批须从 1 起连号、不缺。结束后不能再追加；再次调用没有坏处，处理中断时会重新开始。"""
        delivery = self.delivery(snapshot_id)
        _refusable(exchange.close_delivery, delivery=delivery, rows=fields.judged_count(request.data))
        return Response(told.told_delivery(self.delivery(snapshot_id)), status=status.HTTP_202_ACCEPTED)


@extend_schema(exclude=True)
class Nowhere(ExchangeView):
    """Every other address below /api/: told as the rest is."""

    def get(self, request, rest: str) -> Response:
        raise NotFound

    post = get


def _refusable(action, **facts):
    try:
        return action(**facts)
    except exchange.TooLarge as error:
        raise Problem(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, error.code, error.message) from None
    except exchange.Refused as error:
        raise Problem(status.HTTP_409_CONFLICT, error.code, error.message) from None
