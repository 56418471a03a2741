"""Other offices' systems: their tokens, and lists they push in chunks until one is complete and becomes a file.

From there on a pushed list is a list like any other: `registers.receive_snapshot` keeps it sealed and has it read.
Source: docs/guide/exchange.md.
"""

import csv
import json
import re
import secrets
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from bureau import audit, jobs, secrecy
from bureau.access.actions import assign
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.jobs import Job
from bureau.keys import uuid7
from bureau.organisation.models import County, Township
from bureau.sheets import shown
from bureau.sheets.write import plain
from students.actions import registers
from students.actions.files import private_folder
from students.actions.opening import read_again
from students.intake.known import register_named
from students.models import Agency, Delivery, DeliveryChunk, ExchangeRequest, ExchangeToken
from students.sheets import sheets_of

TOKEN_PREFIX, SHOWN_OF_TOKEN = "bx_", 10
DAYS_TO_CLOSE = 7
DAYS_OF_REQUESTS = 400  # the law asks for six months; an auditor comes once a year
MOST_OPEN = 200  # deliveries of one office that wait to be closed
NAMED_MISSING = 20
COMMA_AND_QUOTES = 3
LINE_BREAKS = re.compile(r"[\r\n]+")


class Refused(Exception):
    """A delivery as it stands does not allow this; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class TooLarge(Refused):
    """The list has grown beyond what one file of its kind may hold."""


def exchange_account(county: County) -> Account:
    """The account in whose name lists come in by themselves; made on first use, it cannot log in."""
    name = f"exchange-{county.code}"
    with transaction.atomic():
        account, created = Account.objects.get_or_create(
            username=name, defaults={"county": county, "display_name": "数据交换", "password": "!"}
        )
        if created:
            detail = {"role": str(Role.OPERATOR)}
            audit.record(by=None, verb="access.account_created", subject=account, detail=detail)
            assign(account=account, role=Role.OPERATOR, by=None)
    return account


# Tokens


@transaction.atomic
def create_token(
    *, county: County, agency: str, registers: list[str], expires_on: date, networks: list[str], per_minute: int, by: Account
) -> tuple[ExchangeToken, str]:
    """A token and its secret, which exists in this answer only. An office may have several, as when one replaces another."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    office, _ = Agency.objects.get_or_create(county=county, name=agency)
    token = ExchangeToken.objects.create(
        county=county, agency=office, digest=secrecy.blind(secret, field="token"), hint=secret[:SHOWN_OF_TOKEN],
        registers=sorted(registers), networks=networks, per_minute=per_minute, expires_on=expires_on, created_by=by,
    )  # fmt: skip
    audit.record(by=by, verb="students.token_created", subject=token, county=county, detail={"lists": token.registers})
    return token, secret


@transaction.atomic
def revoke_token(*, token: ExchangeToken, by: Account) -> bool:
    """From the next request on the token opens nothing. False when it was revoked before."""
    if not ExchangeToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now(), revoked_by=by):
        return False
    audit.record(by=by, verb="students.token_revoked", subject=token, county=token.county)
    return True


# Deliveries


@transaction.atomic
def open_delivery(
    *, token: ExchangeToken, register: str, as_of: date, township: Township | None, partial: bool
) -> Delivery:
    """Begin a list. Raises Refused when the office has too many that it never closed."""
    waiting = Delivery.objects.filter(agency=token.agency_id, closed_at=None, purged_at=None)
    if waiting.count() >= MOST_OPEN:
        raise Refused("too_many_open", f"贵单位已有 {MOST_OPEN} 期名单没有结束推送，请先结束，或等 {DAYS_TO_CLOSE} 天后自动清除。")
    return Delivery.objects.create(
        county=token.county, agency=token.agency, token=token, register=register, as_of=as_of, township=township, partial=partial
    )


@transaction.atomic
def push_rows(*, delivery: Delivery, sequence: int, rows: list[dict[str, Any]]) -> DeliveryChunk:
    """Keep one chunk sealed. The same rows under the same number again change nothing. Raises Refused, TooLarge."""
    held = Delivery.objects.select_for_update().get(pk=delivery.pk)
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    digest = secrecy.blind(text, field="payload")
    if known := held.chunks.filter(sequence=sequence).first():
        if bytes(known.digest) == digest:
            return known
        raise Refused("other_rows", f"第 {sequence} 批已经收到过，内容与这次不同。要改正，请另开一期重新推送。")
    _refuse_finished(held)
    limits = sheets_of(held.register)[0].limits()
    held.headers = list(dict.fromkeys([*held.headers, *(header for row in rows for header in row)]))
    held.rows += len(rows)
    held.size += sum(len(str(cell).encode("utf-8", "replace")) + COMMA_AND_QUOTES for row in rows for cell in row.values())
    if len(held.headers) > limits.max_columns:
        raise TooLarge("too_many_columns", f"表头合计超过 {limits.max_columns} 个，请检查各行的表头是否一致。")
    if held.rows >= limits.max_rows or held.size > limits.max_bytes:  # the line of headers is a row too
        raise TooLarge("list_too_large", f"一期名单最多 {limits.max_rows - 1:,} 行，约 {limits.max_bytes // 2**20} MB，请按乡镇分开推送。")
    pk = uuid7()
    chunk = DeliveryChunk.objects.create(
        pk=pk, delivery=held, sequence=sequence, rows=len(rows), digest=digest,
        sealed=secrecy.seal(text, field="payload", value_id=pk),
    )  # fmt: skip
    held.touched_at = timezone.now()
    held.save(update_fields=["headers", "rows", "size", "touched_at"])
    return chunk


@transaction.atomic
def close_delivery(*, delivery: Delivery, rows: int | None) -> Delivery:
    """Say that the list is complete and ask a worker to make it a file and have it read.

    `rows` is how many the sender counts. Closed before: nothing happens, unless the work was broken off. Raises Refused.
    """
    held = Delivery.objects.select_for_update(of=["self"]).select_related("county").get(pk=delivery.pk)
    if held.closed_at and not held.purged_at:
        if held.is_stuck:
            _ask_again(held)
        return held
    _refuse_finished(held)
    sequences = held.chunks.aggregate(count=Count("pk"), last=Max("sequence"))
    if not sequences["count"]:
        raise Refused("no_rows", "还没有收到任何一行。空名单不能导入：那会让名单上的人全部退出。")
    if missing := _missing(held, **sequences):
        raise Refused("missing_chunks", f"缺少第 {'、'.join(map(str, missing))} 批，请补推后再结束。")
    if rows is not None and rows != held.rows:
        raise Refused("other_count", f"收到 {held.rows} 行，与声明的 {rows} 行不符，请核对是否漏推。")
    held.closed_at = timezone.now()
    held.job = _ask(held)
    held.save(update_fields=["closed_at", "job"])
    audit.record(
        by=exchange_account(held.county), verb="students.list_pushed", subject=held, county=held.county, detail={"rows": held.rows}
    )
    return held


def gather(*, delivery: Delivery, run: Job) -> None:
    """Make the chunks one file, in their order, and receive it as a list that was uploaded.

    The same rows pushed again make the same bytes, and so the same snapshot.
    """
    if delivery.snapshot_id or delivery.purged_at:
        return
    run.progress(0, delivery.rows, "正在整理推送的名单")
    with private_folder() as folder:
        path = folder / "pushed.csv"
        _write(path, delivery, run)
        with run.finishing() as result:
            snapshot = registers.receive_snapshot(
                file=path,
                file_name=f"{delivery.agency.name}推送.csv",
                register=register_named(delivery.county, delivery.register),
                as_of=delivery.as_of,
                county=delivery.county,
                township=delivery.township,
                partial=delivery.partial,
                received_from=delivery.agency.name,
                by=run.by,
            )
            Delivery.objects.filter(pk=delivery.pk).update(snapshot=snapshot)
            delivery.chunks.all().delete()
            result["snapshot"] = str(snapshot.pk)


@transaction.atomic
def purge(*, by=None) -> int:
    """Throw away rows of lists nobody closed within the time, and requests nobody will ask about; how many lists."""
    now = timezone.now()
    left = Delivery.objects.filter(
        snapshot=None, purged_at=None, touched_at__lt=now - timedelta(days=DAYS_TO_CLOSE)
    ).select_for_update(of=["self"])
    count = 0
    for delivery in left.select_related("county"):
        delivery.chunks.all().delete()
        delivery.purged_at, delivery.headers = now, []
        delivery.save(update_fields=["purged_at", "headers"])
        audit.record(by=by, verb="students.push_purged", subject=delivery, county=delivery.county, detail={"rows": delivery.rows})
        count += 1
    ExchangeRequest.objects.filter(at__lt=now - timedelta(days=DAYS_OF_REQUESTS)).delete()
    return count


def _refuse_finished(held: Delivery) -> None:
    if held.purged_at:
        raise Refused("abandoned", f"这期名单超过 {DAYS_TO_CLOSE} 天没有结束，收到的行已清除，请另开一期重新推送。")
    if held.closed_at:
        raise Refused("closed", "这期名单已经结束，不能再追加。要改正，请另开一期重新推送。")


def _missing(held: Delivery, *, count: int, last: int) -> list[int]:
    """The first numbers between 1 and the last that never came."""
    if count == last:
        return []
    came = set(held.chunks.values_list("sequence", flat=True))
    absent = (number for number in range(1, last) if number not in came)
    return [number for number, _ in zip(absent, range(NAMED_MISSING), strict=False)]


def _ask(held: Delivery) -> Job:
    return jobs.enqueue(
        "students.gather_pushed", by=exchange_account(held.county), county=held.county, delivery=held.pk
    )


def _ask_again(held: Delivery) -> None:
    if held.snapshot:
        read_again(found=held.snapshot, by=exchange_account(held.county))
        return
    held.job = _ask(held)
    held.save(update_fields=["job"])


def _write(path: Path, delivery: Delivery, run: Job) -> None:
    """A line per row, so the line tells which row it was; every cell in quotes, so no cell is taken for a separator.

    The columns stand as the first chunk has them, those of later chunks behind, in an order that does not depend on
    which came first. Cells keep their first character: this file is kept sealed and read, never opened by a spreadsheet.
    """
    open_chunk = secrecy.opener("payload")
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        columns: list[str] = []
        for chunk in delivery.chunks.order_by("sequence").iterator(4):
            rows = json.loads(open_chunk(chunk.sealed, chunk.pk))
            if not columns:
                first = dict.fromkeys(header for row in rows for header in row)
                columns = [*first, *sorted(set(delivery.headers) - first.keys())]
                writer.writerow([_cell(header) for header in columns])
            writer.writerows([_cell(row.get(header)) for header in columns] for row in rows)
            written += len(rows)
            run.advance(written, delivery.rows, "正在整理推送的名单")


def _cell(value: Any) -> str:
    """The cell as the project writes it, on one line."""
    return _line(shown(plain(value)))


def _line(text: str) -> str:
    return LINE_BREAKS.sub(" ", text)
