"""数据共享: lists fetched once a day from addresses the operator has written down, and laid into the drop folder.

Nothing is fetched unless `pull.toml` names a source; no address comes from a page or a file that was uploaded.
Source: docs/guide/exchange.md.
"""

import os
import ssl
import time
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as Clock
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from django.conf import settings
from django.utils import timezone

from bureau import jobs
from bureau.jobs import Job, JobError
from bureau.organisation.models import County
from students.actions import dropping
from students.actions.exchange import exchange_account
from students.sheets import sheets_of

SILENCE_SECONDS, ALL_SECONDS = 30, 600
CHUNK = 1 << 16
TRIES, BETWEEN_TRIES = 3, timedelta(hours=1)
KIND = "students.pull_list"


class BadSource(ValueError):
    """`pull.toml` says something that cannot be; the message says where."""


@dataclass(frozen=True)
class PullSource:
    """One list at one address. `{as_of}` in the address becomes the day, `days_old` days before today."""

    register: str
    url: str
    suffix: str
    at: Clock
    scope: str = ""
    partial: bool = False
    days_old: int = 0
    header: str = ""
    secret_file: str = ""
    secret_env: str = ""
    ca_file: str = ""

    @property
    def key(self) -> str:
        return f"{self.register}_{self.scope}" if self.scope else self.register

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def secret(self) -> str:
        """What the header carries; read when it is needed, kept nowhere."""
        if self.secret_file:
            return Path(self.secret_file).read_text(encoding="utf-8").strip()
        return os.environ.get(self.secret_env, "").strip()


def sources() -> list[PullSource]:
    """What the operator has written down; nothing without the file. Raises BadSource."""
    path = settings.PULL_FILE
    if not path.is_file():
        return []
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8")).get("source", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSource(f"{path.name} 读不了：{error}") from None
    found = [_source(number, one) for number, one in enumerate(given, 1)]
    if len({source.key for source in found}) < len(found):
        raise BadSource("同一名单、同一范围只能有一个来源。")
    return found


def ask_for_due(*, county: County, now: datetime) -> int:
    """Ask for today's fetch of each source whose time has come: once, and again an hour later when it failed."""
    asked, today = 0, now.date()
    for source in sources():
        due = datetime.combine(today, source.at, now.tzinfo)
        for number in range(TRIES):
            key = f"pull:{county.code}:{source.key}:{today.isoformat()}:{number}"
            if now < due + number * BETWEEN_TRIES:
                break
            before = Job.objects.filter(idem_key=key).first()
            if before is None:
                jobs.enqueue(KIND, by=exchange_account(county), county=county, idem_key=key, source=source.key)
                asked += 1
                break
            if before.state != Job.State.FAILED:
                break
    return asked


def pull_list(*, key: str, run: Job) -> None:
    """Fetch one list and lay it into the drop folder, complete or not at all. Raises JobError with the reason."""
    try:
        source = next((one for one in sources() if one.key == key), None)
    except BadSource as error:
        raise JobError("bad_source", str(error)) from None
    if source is None:
        raise JobError("no_source", "这个来源已从配置中删除。")
    run.progress(0, 0, f"正在获取 {source.host} 的名单")
    as_of = timezone.localdate(run.created_at) - timedelta(days=source.days_old)
    parts = [as_of.isoformat(), source.scope, "partial" if source.partial else ""]
    place = dropping.home() / source.register / ("_".join(filter(None, parts)) + source.suffix)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{run.pk}")  # hidden from the round that looks for files
    try:
        with draft.open("wb") as out:
            _fetch(source, as_of, out, run)
        place.with_name(place.name + dropping.MARK).touch()
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def _fetch(source: PullSource, as_of: date, out: BinaryIO, run: Job) -> None:
    url = source.url.replace("{as_of}", as_of.isoformat())
    limit = sheets_of(source.register)[0].max_bytes
    try:
        headers = {"Accept-Encoding": "identity", "User-Agent": "bureau-exchange"}
        if source.header:
            headers[source.header] = source.secret()
        context = ssl.create_default_context(cafile=source.ca_file or None)
        opener = build_opener(HTTPSHandler(context=context), _SameHost(url))
        with opener.open(Request(url, headers=headers), timeout=SILENCE_SECONDS) as answer:
            _copy(answer, out, limit, run)
    except HTTPError as error:
        raise JobError("http_status", f"{source.host} 回答 {error.code}，没有取到名单。") from None
    except ssl.SSLError:
        raise JobError("certificate", f"{source.host} 的证书不能确认，没有取名单。") from None
    except URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            raise JobError("certificate", f"{source.host} 的证书不能确认，没有取名单。") from None
        raise JobError("no_answer", f"连不上 {source.host}，没有取到名单。") from None
    except (OSError, ValueError, HTTPException) as error:  # silence, a line cut off, a secret that cannot be read
        raise JobError("no_answer", f"从 {source.host} 取名单没有成功（{type(error).__name__}）。") from None


def _copy(answer: Any, out: BinaryIO, limit: int, run: Job) -> None:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise JobError("compressed", "对方返回了压缩内容，不能接收。")
    deadline, size = time.monotonic() + ALL_SECONDS, 0
    announced = int(answer.headers.get("Content-Length") or 0)
    while chunk := answer.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise JobError("too_large", f"名单超过 {limit // 2**20} MB，没有接收。")
        if time.monotonic() > deadline:
            raise JobError("too_slow", f"超过 {ALL_SECONDS // 60} 分钟没有传完，没有接收。")
        out.write(chunk)
        run.advance(size, announced, "正在获取名单")
    if size < announced or not size:
        raise JobError("cut_off", "名单没有传完整，没有接收。")


class _SameHost(HTTPRedirectHandler):
    """Follows a redirect only to the same address by https: the header with the secret goes nowhere else."""

    max_redirections = 3

    def __init__(self, url: str) -> None:
        self.origin = _origin(url)

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if _origin(newurl) != self.origin:
            raise JobError("other_host", "对方要求转到另一个地址，没有跟随。请核对配置的地址。")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _origin(url: str) -> tuple:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or 443


def _source(number: int, given: Any) -> PullSource:
    where = f"第 {number} 个 [[source]]"
    if not isinstance(given, dict):
        raise BadSource(f"{where} 不是一个表。")
    fields = {name: str(given[name]) for name in ("register", "url", "scope", "header", "ca_file") if name in given}
    fields |= {name: str(given[name]) for name in ("secret_file", "secret_env") if name in given}
    if unknown := set(given) - set(PullSource.__dataclass_fields__):
        raise BadSource(f"{where} 里有不认识的项：{'、'.join(sorted(unknown))}。")
    parts = urlsplit(fields.get("url", ""))
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise BadSource(f"{where} 的 url 必须是 https 地址，且不带账号密码。")
    if not fields.get("register") or "/" in fields["register"] or fields["register"].startswith("."):
        raise BadSource(f"{where} 缺少 register（名单代码）。")
    if fields.get("header") and bool(fields.get("secret_file")) == bool(fields.get("secret_env")):
        raise BadSource(f"{where} 写了 header，须再写 secret_file 或 secret_env 其中一个。")
    suffix = str(given.get("suffix") or os.path.splitext(parts.path)[1]).lower()
    if suffix not in dropping.SUFFIXES:
        raise BadSource(f"{where} 看不出文件类型，请写 suffix，例如 suffix = \".csv\"。")
    try:
        at = Clock.fromisoformat(str(given.get("at", "02:00")))
        days_old = int(given.get("days_old", 0))
    except ValueError:
        raise BadSource(f"{where} 的 at 应写成 \"02:30\"，days_old 应是天数。") from None
    return PullSource(**fields, suffix=suffix, at=at, partial=given.get("partial") is True, days_old=days_old)
