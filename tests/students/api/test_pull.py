"""数据共享: a list fetched from a configured https address, against a server on this machine."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from bureau import jobs
from bureau.jobs import Job
from students.actions import pulling
from students.models import Snapshot
from students.tasks import exchange_round
from tests.students.api.conftest import work
from tests.students.api.test_push import rows
from tests.students.factories import write_list

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


class Source:
    """An office's server: `answers[path]` is (status, headers, body); `asked` what came in."""

    def __init__(self, base: str, ca_file: Path) -> None:
        self.base, self.ca_file = base, ca_file
        self.answers: dict[str, tuple[int, dict, bytes]] = {}
        self.asked: list[tuple[str, dict]] = []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls")
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, private


@pytest.fixture
def source(certificate) -> Iterator[Source]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, dict(self.headers)))
            status, headers, body = found.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Source(f"https://127.0.0.1:{server.server_address[1]}", certificate[0])
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def configure(office, home, settings, source):
    """`configure(url="…")` writes the operator's file."""
    settings.PULL_FILE = home / "pull.toml"

    def write(**facts) -> None:
        given = {"register": "dibao", "url": f"{source.base}/dibao.csv", "at": "00:00", "ca_file": str(source.ca_file)} | facts
        lines = [f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for name, value in given.items() if value is not None]
        settings.PULL_FILE.write_text("[[source]]\n" + "\n".join(lines) + "\n", encoding="utf-8")

    return write


@pytest.fixture
def listed(tmp_path) -> bytes:
    return write_list(tmp_path / "served.csv", rows(1, 3)).read_bytes()


def fetch(county, key: str = "dibao") -> Job:
    return jobs.run_now(pulling.KIND, by=None, county=county, source=key)


def refusal(county) -> str:
    with pytest.raises(jobs.JobError) as refused:
        fetch(county)
    return refused.value.code


def test_nothing_is_fetched_without_a_configuration(office, home, settings):
    settings.PULL_FILE = home / "pull.toml"

    exchange_round()

    assert pulling.sources() == [] and not Job.objects.exists()


def test_fetched_list_is_imported_like_a_dropped_one(configure, source, county, listed, monkeypatch):
    monkeypatch.setenv("DIBAO_SECRET", "Bearer geheim")
    source.answers[f"/dibao.csv?day={timezone.localdate()}"] = (200, {}, listed)
    configure(url=source.base + "/dibao.csv?day={as_of}", header="Authorization", secret_env="DIBAO_SECRET")

    for _ in range(3):
        exchange_round()
        work()

    snapshot = Snapshot.objects.get()
    assert (snapshot.state, snapshot.as_of, snapshot.accepted) == ("closed", timezone.localdate(), 3)
    assert source.asked[0][1]["Authorization"] == "Bearer geheim" and len(source.asked) == 1


def test_township_partial_and_older_day_are_told_by_the_configuration(configure, source, county, world, listed):
    source.answers["/dibao.csv"] = (200, {}, listed)
    configure(scope=world.township.code, partial=True, days_old=1)

    fetch(county, f"dibao_{world.township.code}")
    exchange_round()

    snapshot = Snapshot.objects.get()
    assert (snapshot.township, snapshot.partial, snapshot.as_of) == (world.township, True, timezone.localdate() - dt.timedelta(1))


def test_secret_is_read_from_its_file_and_stands_in_no_job(configure, source, county, home, listed):
    (home / "secret").write_text("geheim\n")
    source.answers["/dibao.csv"] = (200, {}, listed)
    configure(header="X-Key", secret_file=str(home / "secret"))

    job = fetch(county)

    assert source.asked[0][1]["X-Key"] == "geheim"
    assert "geheim" not in f"{job.params}{job.result}{job.message}"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, {}, b"x"), "http_status"),
        ((404, {}, b"x"), "http_status"),
        ((200, {}, b""), "cut_off"),
        ((200, {"Content-Length": "1000"}, b"x"), "cut_off"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "compressed"),
        ((302, {"Location": "https://127.0.0.2/dibao.csv"}, b""), "other_host"),
        ((302, {"Location": "http://127.0.0.1/dibao.csv"}, b""), "other_host"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "http_status"),
        ((302, {"Location": "/dibao.csv"}, b""), "http_status"),
    ],
    ids=["fault", "absent", "empty", "cut off", "compressed", "other host", "plain http", "file", "round and round"],
)
def test_what_is_no_complete_list_is_not_laid_down(configure, source, county, home, answer, code):
    source.answers["/dibao.csv"] = answer
    configure()

    assert refusal(county) == code
    assert list((home / "drop" / "dibao").iterdir()) == []


def test_redirect_on_the_same_host_is_followed(configure, source, county, listed):
    source.answers["/dibao.csv"] = (302, {"Location": "/new.csv"}, b"")
    source.answers["/new.csv"] = (200, {}, listed)
    configure()

    fetch(county)
    exchange_round()

    assert Snapshot.objects.exists()


@pytest.mark.parametrize(("over", "taken"), [(0, True), (1, False)])
def test_list_larger_than_a_file_may_be_is_not_taken(configure, source, county, listed, monkeypatch, over, taken):
    monkeypatch.setattr("students.sheets.columns.RegisterSheet.max_bytes", len(listed) - over)
    source.answers["/dibao.csv"] = (200, {}, listed)
    configure()

    assert (fetch(county).state == "done") if taken else (refusal(county) == "too_large")


def test_server_that_dribbles_is_left(configure, source, county, listed, monkeypatch):
    monkeypatch.setattr(pulling, "ALL_SECONDS", -1)
    source.answers["/dibao.csv"] = (200, {}, listed)
    configure()

    assert refusal(county) == "too_slow"


def test_certificate_nobody_vouches_for_is_refused(configure, source, county):
    configure(ca_file=None)

    assert refusal(county) == "certificate" and source.asked == []


def test_server_that_is_not_there_is_told(configure, county):
    configure(url="https://127.0.0.1:9/dibao.csv")

    assert refusal(county) == "no_answer"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"url": "http://127.0.0.1/a.csv"}, "https"),
        ({"url": "https://user:pw@127.0.0.1/a.csv"}, "https"),
        ({"url": "ftp://127.0.0.1/a.csv"}, "https"),
        ({"url": "https://127.0.0.1/list"}, "suffix"),
        ({"register": "../dibao"}, "register"),
        ({"header": "X-Key"}, "secret_file"),
        ({"at": "25:00"}, "at"),
        ({"password": "x"}, "password"),
    ],
)
def test_configuration_that_cannot_be_is_told_on_the_page_and_fetches_nothing(configure, client, aid_officer, facts, words):
    configure(**facts)

    exchange_round()
    client.force_login(aid_officer)

    assert words in client.get("/exchange/").content.decode() and not Job.objects.exists()


def test_each_source_is_asked_once_a_day_from_its_hour_on(configure, county):
    configure(at="02:30")
    day = timezone.localtime().replace(hour=2, minute=29)

    asked = [pulling.ask_for_due(county=county, now=day + dt.timedelta(minutes=m)) for m in (0, 1, 2, 600)]

    assert asked == [0, 1, 0, 0]
    assert pulling.ask_for_due(county=county, now=day + dt.timedelta(days=1, minutes=1)) == 1


def test_fetch_that_failed_is_tried_twice_more_an_hour_apart(configure, county):
    configure(at="02:00")
    start = timezone.localtime().replace(hour=2, minute=0, second=0, microsecond=0)

    asked = []
    for minutes in (0, 59, 60, 119, 120, 180, 300):
        asked.append(pulling.ask_for_due(county=county, now=start + dt.timedelta(minutes=minutes)))
        Job.objects.update(state=Job.State.FAILED)

    assert asked == [1, 0, 1, 0, 1, 0, 0]
