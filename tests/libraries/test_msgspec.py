"""msgspec: the classes of its errors, which decide between codes of refusal (intake, trackers)."""

import msgspec
import pytest

from tests.libraries import changed


class Numbered(msgspec.Struct):
    number: int


def failure(body: bytes, shape: type = object) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the class is what the tests look at
        msgspec.json.decode(body, type=shape)
    return caught.value


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[1,]", b'"\\ud800"', b"\xef\xbb\xbf1", b"1 1", b'"a\nb"'])
def test_malformed_json_is_a_decode_error_and_no_validation_error(body: bytes) -> None:
    error = failure(body)

    assert isinstance(error, msgspec.DecodeError), changed("msgspec", "DecodeError for malformed JSON")
    assert not isinstance(error, msgspec.ValidationError), changed("msgspec", "no ValidationError for malformed JSON")


@pytest.mark.parametrize("body", [b"1e999", b"-1e999", b'{"a":[1e999]}'])
def test_a_number_beyond_a_double_is_a_validation_error(body: bytes) -> None:
    assert isinstance(failure(body), msgspec.ValidationError), changed("msgspec", "ValidationError for 1e999")


@pytest.mark.parametrize("body", [b'"\xff"', b'{"\xff":1}', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf4\x90\x80\x80"'])
def test_bytes_that_are_not_utf8_are_one_of_two_errors(body: bytes) -> None:
    error = failure(body)

    assert isinstance(error, msgspec.DecodeError | UnicodeDecodeError), changed(
        "msgspec", "DecodeError (0.23) or UnicodeDecodeError (before) for bytes that are not UTF-8"
    )
    assert not isinstance(error, msgspec.ValidationError), changed("msgspec", "no ValidationError for such bytes")


def test_nesting_beyond_the_interpreters_limit_is_a_recursion_error() -> None:
    assert isinstance(failure(b"[" * 100_000), RecursionError), changed("msgspec", "RecursionError for deep nesting")


@pytest.mark.parametrize("body", [b"{}", b'{"number":"1"}', b"[]"])
def test_json_of_another_shape_is_a_validation_error(body: bytes) -> None:
    assert isinstance(failure(body, Numbered), msgspec.ValidationError), changed("msgspec", "ValidationError")


def test_integers_of_any_length_are_decoded() -> None:
    number = msgspec.json.decode(b"9" * 100)

    assert type(number) is int, changed("msgspec", "integers beyond 64 bits are whole numbers, whose bounds are ours")
