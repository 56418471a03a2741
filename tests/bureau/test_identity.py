"""Citizen IDs. All numbers are of the fictional county 990101, of the standard itself, or have sequence 000."""

import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from bureau.identity import Fault, check_digit, is_placeholder_id, is_sound_id, parse_citizen_id
from bureau.identity.characters import DIRECTIONS, MARKS, SPACES
from bureau.identity.citizen import one_slip_away
from bureau.identity.faults import TITLES

TODAY = date(2026, 9, 1)

births = st.dates(date(1900, 1, 1), TODAY)
numbers = st.builds(
    lambda day, sequence: (first := f"990101{day:%Y%m%d}{sequence:03}") + mod_11_2.calc_check_digit(first),
    births,
    st.integers(1, 999),
)


def code_of(text: str, **options) -> str:
    with pytest.raises(Fault) as caught:
        parse_citizen_id(text, today=TODAY, **options)
    assert caught.value.message.strip("。") and caught.value.code in TITLES
    return caught.value.code


@st.composite
def dirty_pairs(draw) -> tuple[str, str]:
    """A number as it is, and as a spreadsheet may bring it."""
    clean = draw(numbers)
    written = []
    for c in clean:
        written.append(
            draw(st.sampled_from([c, c.lower(), chr(ord(c) + 0xFEE0), chr(ord(c.lower()) + 0xFEE0)]))
        )
        written.append(draw(st.text(SPACES + MARKS + DIRECTIONS, max_size=1)))
    return clean, draw(st.sampled_from(["", "'", "’", "＇", " '", "\ufeff'"])) + "".join(written)


@pytest.mark.parametrize(
    ("text", "born_on", "sex", "tail_000"),
    [
        ("11010519491231002X", date(1949, 12, 31), "2", False),
        ("990101201205030011", date(2012, 5, 3), "1", False),
        ("99010120120503002X", date(2012, 5, 3), "2", False),
        ("99010120120903006X", date(2012, 9, 3), "2", False),
        ("990101200802290159", date(2008, 2, 29), "1", False),
        ("810000201001010000", date(2010, 1, 1), "2", True),
        ("820000201102020007", date(2011, 2, 2), "2", True),
        ("830000201203030003", date(2012, 3, 3), "2", True),
    ],
)
def test_a_valid_number_tells_birth_date_and_sex(text, born_on, sex, tail_000):
    assert parse_citizen_id(text, today=TODAY) == (text, born_on, sex, tail_000, False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("440524188001010014", "id_birth_date"),
        ("610523200902290003", "id_birth_date"),
        ("990101201205030012", "id_checksum"),
        ("990101201205030000", "id_checksum"),
        ("990101201205030016", "id_checksum"),
        ("990101201213010019", "id_birth_date"),
        ("99010120120503001", "id_length"),
        ("9901012012050300110", "id_length"),
        ("", "id_length"),
        ("99010120120503002х", "id_characters"),  # Cyrillic
        ("99010120120503002×", "id_characters"),
        ("990101********0011", "id_characters"),
        ("99010120120503001＊", "id_characters"),
        ("99010120120503X011", "id_characters"),
        ("99010120120503001²", "id_characters"),
        ("99010120120503001①", "id_characters"),
        ("99010120120503001٣", "id_characters"),
        ("99010120120503\x000011", "id_characters"),
        ("990101\ud800201205030011", "id_characters"),
        ("000000000000000000", "id_placeholder"),
        ("111111111111111111", "id_placeholder"),
        ("123456789012345678", "id_placeholder"),
        ("同上", "id_placeholder"),
        ("无", "id_placeholder"),
        ("1.10101E+17", "id_numeric_cell"),
        ("9.90101201205030e+17", "id_numeric_cell"),
    ],
)
def test_a_faulty_number_names_its_first_fault(text, code):
    assert code_of(text) == code


def test_nobody_is_born_after_today():
    first = "99010120260901001"

    assert parse_citizen_id(first + check_digit(first), today=TODAY).born_on == TODAY
    first = "99010120260902001"
    assert code_of(first + check_digit(first)) == "id_birth_date"


def test_a_cut_tail_is_named_in_the_message():
    with pytest.raises(Fault, match="截断"):
        parse_citizen_id("990101201205030000", today=TODAY)


def test_fifteen_digits_are_legacy_for_a_guardian():
    assert parse_citizen_id("110105491231002", today=TODAY) == (
        "11010519491231002X",
        date(1949, 12, 31),
        "2",
        False,
        True,
    )


@pytest.mark.parametrize("text", ["110105491231002", "990101120503001"])
def test_fifteen_digits_are_damage_for_a_child(text):
    assert code_of(text, minor=True) == "id_length"


def test_an_impossible_day_in_fifteen_digits_is_refused():
    assert code_of("110105490231002") == "id_birth_date"


@given(dirty_pairs())
def test_dirt_does_not_change_the_value(pair):
    clean, dirty = pair

    assert parse_citizen_id(dirty, today=TODAY) == parse_citizen_id(clean, today=TODAY)


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(number, place, digit):
    damaged = number[:place] + digit + number[place + 1 :]
    if damaged != number:
        with pytest.raises(Fault):
            parse_citizen_id(damaged, today=TODAY)


@given(numbers, st.integers(0, 16))
def test_two_swapped_neighbours_are_always_noticed(number, place):
    damaged = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if damaged != number:
        with pytest.raises(Fault):
            parse_citizen_id(damaged, today=TODAY)


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=25))
def test_any_text_is_a_value_or_a_fault_that_does_not_repeat_it(text):
    try:
        assert parse_citizen_id(text, today=TODAY).value
    except Fault as fault:
        assert len(text) < 6 or text not in fault.message


@pytest.mark.parametrize(
    "text", ["0", "000000", " 无 ", "/", "—", "１１１１１１", "X" * 18, "n/a", "12345678"]
)
def test_stand_ins_are_recognised(text):
    assert is_placeholder_id(text)


@pytest.mark.parametrize("text", ["990101201205030011", "1234", "", "E12345678"])
def test_numbers_are_no_stand_ins(text):
    assert not is_placeholder_id(text)


def test_a_fault_survives_the_way_from_a_child_process():
    fault = pickle.loads(pickle.dumps(Fault("id_length", "身份证号应为18位，现为17位。")))

    assert (fault.code, fault.message) == ("id_length", "身份证号应为18位，现为17位。")


@given(st.one_of(numbers, dirty_pairs().map(lambda pair: pair[1]), st.text("0123456789X", min_size=17, max_size=19)))
def test_the_quick_answer_never_differs_from_the_slow_one(text):
    try:
        found = parse_citizen_id(text, today=TODAY)
        sound = found.value == text and not found.tail_000 and not found.legacy
    except Fault:
        sound = False

    assert is_sound_id(text, today=TODAY) is sound


SOUND = "99010120160501001X"


@pytest.mark.parametrize(
    "written",
    [
        SOUND,
        "99010120160501002X",
        "99010120165001001X",
        "990101201605010011",
        "9901012016051001X",
        "99010120160501001",
        "990101201605010011X",
    ],
    ids=["sound", "a digit", "neighbours", "the check", "a digit lost", "the check lost", "a digit doubled"],
)
def test_a_number_is_found_again_from_one_slip(written):
    assert SOUND in one_slip_away(written)


def test_only_sound_numbers_are_given_and_not_many():
    found = one_slip_away("990101201605010029")

    assert 0 < len(found) < 30
    assert all(check_digit(number[:17]) == number[17] for number in found)


@pytest.mark.parametrize("text", ["", "无", "9901012016", "99010120160501A01X", "9901012016050100112X"])
def test_what_is_no_number_is_no_slip_of_one(text):
    assert one_slip_away(text) == set()


def test_two_slips_are_too_many():
    assert SOUND not in one_slip_away("98010120160501002X")
