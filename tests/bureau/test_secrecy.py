import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bureau.identity import parse_citizen_id
from bureau.secrecy import (
    BLIND_FIELDS,
    FIELDS,
    SecrecyError,
    blind,
    blinder,
    key_file,
    mask_account,
    mask_id,
    mask_phone,
    open_file,
    open_sealed,
    opener,
    rotate,
    seal,
    seal_file,
    sealer,
)
from bureau.secrecy.files import CHUNK_BYTES
from bureau.secrecy.suites import SM4GCM
from tests.bureau.test_identity import dirty_pairs

NUMBER = "990101201205030011"
ONE, OTHER = UUID(int=1), UUID(int=2)
SUITES = {"intl": 1, "gm": 2}


@pytest.fixture(params=SUITES)
def suite(request, home, settings) -> str:
    settings.BUREAU_SUITE = request.param
    return request.param


@given(text=st.text(st.characters(codec=None, exclude_categories=())), value_id=st.uuids())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_sealed_is_opened(suite, text, value_id):
    assert (
        open_sealed(seal(text, field="payload", value_id=value_id), field="payload", value_id=value_id)
        == text
    )


def test_the_blob_has_the_agreed_format(suite):
    blob = seal(NUMBER, field="citizen_id", value_id=ONE)

    assert blob[:4] == bytes((1, SUITES[suite], 0, 1))
    assert len(blob) == 4 + 12 + len(NUMBER) + 16
    assert NUMBER.encode() not in blob
    assert open_sealed(memoryview(blob), field="citizen_id", value_id=ONE) == NUMBER


def test_sealing_twice_never_gives_the_same(suite):
    assert seal(NUMBER, field="citizen_id", value_id=ONE) != seal(NUMBER, field="citizen_id", value_id=ONE)


@pytest.mark.parametrize(
    "place",
    [{"field": "citizen_id", "value_id": OTHER}, {"field": "student_number", "value_id": ONE}],
    ids=["another value", "another field"],
)
def test_a_ciphertext_moved_elsewhere_does_not_open(suite, place):
    blob = seal(NUMBER, field="citizen_id", value_id=ONE)

    with pytest.raises(SecrecyError):
        open_sealed(blob, **place)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_ciphertext_does_not_open(suite, data):
    blob = seal(NUMBER, field="citizen_id", value_id=ONE)
    place = data.draw(st.integers(0, len(blob) - 1))
    damaged = blob[:place] + bytes((blob[place] ^ data.draw(st.integers(1, 255)),)) + blob[place + 1 :]

    for wrong in (damaged, blob[:place], blob + b"\0"):
        with pytest.raises(SecrecyError):
            open_sealed(wrong, field="citizen_id", value_id=ONE)


@pytest.mark.parametrize(("first", "second"), [("intl", "gm"), ("gm", "intl")])
def test_values_of_one_suite_open_while_the_other_writes(home, settings, tmp_path, first, second):
    settings.BUREAU_SUITE = first
    blob = seal(NUMBER, field="account", value_id=ONE)
    (tmp_path / "plain").write_bytes(b"roster")
    seal_file(tmp_path / "plain", tmp_path / "sealed", value_id=ONE)

    settings.BUREAU_SUITE = second

    assert open_sealed(blob, field="account", value_id=ONE) == NUMBER
    assert open_file(tmp_path / "sealed", value_id=ONE) == b"roster"
    assert seal(NUMBER, field="account", value_id=ONE)[1] == SUITES[second]


def test_an_unknown_suite_or_field_is_refused(home, settings):
    with pytest.raises(ValueError, match="name"):
        seal("张三", field="name", value_id=ONE)
    with pytest.raises(ValueError, match="address"):
        blind("某村", field="address")
    settings.BUREAU_SUITE = "rot13"
    with pytest.raises(ValueError, match="BUREAU_SUITE"):
        seal("张三", field="payload", value_id=ONE)


def test_the_blind_index_depends_on_value_field_and_suite(home, settings):
    found = set()
    for name in SUITES:
        settings.BUREAU_SUITE = name
        found |= {blind(value, field=field) for field in BLIND_FIELDS for value in (NUMBER, NUMBER[::-1])}

    assert len(found) == len(SUITES) * len(BLIND_FIELDS) * 2
    assert {len(index) for index in found} == {32}


@given(dirty_pairs())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_person_has_one_index_however_the_number_is_written(suite, pair):
    index = blinder("citizen_id")
    clean, dirty = (parse_citizen_id(text, today=date(2026, 9, 1)).value for text in pair)

    assert index(clean) == index(dirty) == blind(clean, field="citizen_id")


@given(dirty_pairs(), dirty_pairs())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_people_have_two_indexes(suite, one, other):
    index = blinder("citizen_id")
    a, b = (parse_citizen_id(pair[1], today=date(2026, 9, 1)).value for pair in (one, other))

    assert (index(a) == index(b)) is (one[0] == other[0])


def test_keys_are_readable_by_their_owner_only(suite, home):
    previous = os.umask(0)
    try:
        seal(NUMBER, field="citizen_id", value_id=ONE)
        key_file("django", home / "keys")
    finally:
        os.umask(previous)

    files = sorted((home / "keys").rglob("*.key"))
    assert [str(path.relative_to(home / "keys")) for path in files] == [
        "0001/blind.key",
        "0001/seal.key",
        "django.key",
    ]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_size for path in files} == {32}
    assert {path.stat().st_mode & 0o777 for path in (home / "keys", home / "keys" / "0001")} == {0o700}
    assert not list((home / "keys").glob(".new-*"))


def test_a_lost_key_is_reported_and_not_replaced(suite, home):
    blob = seal(NUMBER, field="citizen_id", value_id=ONE)
    elsewhere = home / "keys" / "0001"
    (elsewhere / "blind.key").unlink()
    with pytest.raises(SecrecyError, match="lost its blind key"):
        blind(NUMBER, field="citizen_id")

    (elsewhere / "seal.key").unlink()
    forged = blob[:2] + b"\x00\x02" + blob[4:]
    with pytest.raises(SecrecyError, match="cannot be read"):
        open_sealed(forged, field="citizen_id", value_id=ONE)
    assert list(elsewhere.iterdir()) == []


def test_a_key_of_the_wrong_length_is_refused(suite, home):
    (home / "keys").mkdir()
    (home / "keys" / "django.key").write_bytes(b"short")

    with pytest.raises(SecrecyError, match="5 bytes"):
        key_file("django", home / "keys")


def test_after_a_rotation_old_values_open_and_indexes_stay(suite, home):
    old, index = seal(NUMBER, field="citizen_id", value_id=ONE), blind(NUMBER, field="citizen_id")

    assert rotate(home / "keys") == 2

    new = seal(NUMBER, field="citizen_id", value_id=ONE)
    assert (old[2:4], new[2:4]) == (b"\x00\x01", b"\x00\x02")
    assert {open_sealed(blob, field="citizen_id", value_id=ONE) for blob in (old, new)} == {NUMBER}
    assert blind(NUMBER, field="citizen_id") == index


FIRST_USE = """
import pathlib, sys, time
from uuid import UUID
from django.conf import settings
home, suite, go = map(pathlib.Path, sys.argv[1:])
settings.configure(BUREAU_KEYS=home, BUREAU_SUITE=suite.name)
from bureau.secrecy import blind, key_file, seal
print("ready", flush=True)
while not go.exists():
    pass
print(blind("one", field="citizen_id").hex(), seal("one", field="phone", value_id=UUID(int=1)).hex(),
      key_file("django", home).hex())
"""


def test_processes_that_start_together_agree_on_the_keys(suite, home):
    go = home / "go"
    command = [sys.executable, "-c", FIRST_USE, str(home / "keys"), suite, str(go)]
    root = Path(__file__).parents[2]
    processes = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        go.touch()
        answers = [process.communicate(timeout=30)[0].split() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()

    assert {index for index, _, _ in answers} == {blind("one", field="citizen_id").hex()}
    assert {open_sealed(bytes.fromhex(blob), field="phone", value_id=ONE) for _, blob, _ in answers} == {
        "one"
    }
    assert {key for _, _, key in answers} == {key_file("django", home / "keys").hex()}


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_a_file_comes_back_as_it_was(suite, tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "plain").write_bytes(content)

    seal_file(tmp_path / "plain", tmp_path / "sealed", value_id=ONE)

    assert open_file(tmp_path / "sealed", value_id=ONE) == content
    assert (tmp_path / "sealed").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "plain", "sealed"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed, chunk: sealed[:-1],
        lambda sealed, chunk: sealed[: 20 + chunk],
        lambda sealed, chunk: sealed[:20] + sealed[20 + chunk :],
        lambda sealed, chunk: sealed[:20] + sealed[20 + chunk : 20 + 2 * chunk] + sealed[20 : 20 + chunk],
        lambda sealed, chunk: sealed + b"\0",
        lambda sealed, chunk: sealed[:100] + bytes((sealed[100] ^ 1,)) + sealed[101:],
        lambda sealed, chunk: sealed[:3],
        lambda sealed, chunk: sealed[:20],
    ],
    ids=[
        "last byte",
        "last chunk",
        "first chunk",
        "swapped",
        "longer",
        "one bit",
        "no header",
        "header only",
    ],
)
def test_a_damaged_file_does_not_open(suite, tmp_path, damage):
    (tmp_path / "plain").write_bytes(os.urandom(2 * CHUNK_BYTES))
    seal_file(tmp_path / "plain", tmp_path / "sealed", value_id=ONE)
    sealed = (tmp_path / "sealed").read_bytes()

    (tmp_path / "sealed").write_bytes(damage(sealed, CHUNK_BYTES + 16))

    with pytest.raises(SecrecyError):
        open_file(tmp_path / "sealed", value_id=ONE)


def test_a_file_of_another_upload_does_not_open(suite, tmp_path):
    (tmp_path / "plain").write_bytes(b"roster")
    seal_file(tmp_path / "plain", tmp_path / "sealed", value_id=ONE)

    with pytest.raises(SecrecyError):
        open_file(tmp_path / "sealed", value_id=OTHER)


def test_a_failed_sealing_leaves_nothing_behind(suite, tmp_path):
    with pytest.raises(FileNotFoundError):
        seal_file(tmp_path / "absent", tmp_path / "sealed", value_id=ONE)

    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_sm4_gcm_gives_the_published_vector():
    """RFC 8998, appendix A.2.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes((c,)) * 8 for c in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))

    sealed = SM4GCM(key).encrypt(nonce, plain, associated)

    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert SM4GCM(key).decrypt(nonce, sealed, associated) == plain
    with pytest.raises(InvalidTag):
        SM4GCM(key).decrypt(nonce, sealed[:15], associated)


def test_one_reader_serves_many_values(suite):
    write, read = sealer("citizen_id"), opener("citizen_id")

    assert {read(write(NUMBER, UUID(int=n)), UUID(int=n)) for n in range(100)} == {NUMBER}


@pytest.mark.parametrize(
    ("mask", "text", "shown"),
    [
        (mask_id, NUMBER, "990101************"),
        (mask_id, "G" + NUMBER, "G99010************"),
        (mask_id, "E12345678", "E12************"),
        (mask_id, "", "************"),
        (mask_phone, "13800001234", "138****1234"),
        (mask_phone, "3200000", "****00"),
        (mask_phone, "110", "****"),
        (mask_account, "6217000000000000004", "****0004"),
        (mask_account, "1234567", "****"),
    ],
)
def test_masks_show_what_lists_may_show(mask, text, shown):
    assert mask(text) == shown


def test_every_field_class_can_be_sealed(suite):
    blobs = {field: seal("x", field=field, value_id=ONE) for field in FIELDS}

    assert {open_sealed(blob, field=field, value_id=ONE) for field, blob in blobs.items()} == {"x"}
