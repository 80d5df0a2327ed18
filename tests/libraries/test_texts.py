"""pydantic, Jinja, Typer: the parts of errors that messages to people are made of."""

import jinja2
import pydantic
import pytest
import typer
from jinja2.sandbox import ImmutableSandboxedEnvironment
from typer.testing import CliRunner

from tests.libraries import changed


class Inner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    number: int

    @pydantic.field_validator("number")
    @classmethod
    def positive(cls, value: int) -> int:
        if value < 0:
            raise ValueError("must not be negative")
        return value


class Outer(pydantic.BaseModel):
    items: dict[str, Inner]


def fault(document: object) -> tuple[str, str, tuple[int | str, ...]]:
    with pytest.raises(pydantic.ValidationError) as caught:
        Outer.model_validate(document)
    (error,) = caught.value.errors(include_input=False, include_url=False)
    assert set(error) <= {"type", "msg", "loc", "ctx"}, changed("pydantic", "include_input=False leaves the value out")
    return error["type"], error["msg"], error["loc"]


def test_pydantic_names_an_unknown_key_a_missing_key_and_our_own_refusal() -> None:
    assert fault({"items": {"a": {"number": 1, "b": 1}}})[::2] == ("extra_forbidden", ("items", "a", "b")), changed(
        "pydantic", "the type extra_forbidden"
    )
    assert fault({"items": {"a": {}}})[::2] == ("missing", ("items", "a", "number")), changed(
        "pydantic", "the type missing"
    )
    assert fault({"items": {"a": {"number": -1}}})[1] == "Value error, must not be negative", changed(
        "pydantic", "'Value error, ' before the text of a ValueError"
    )


def test_pydantic_marks_a_fault_of_a_key_itself() -> None:
    assert fault({"items": {1: {"number": 1}}})[2] == ("items", 1, "[key]"), changed(
        "pydantic", "[key] at the end of the place of a key's fault"
    )


def test_jinja_tells_the_line_of_a_faulty_template() -> None:
    with pytest.raises(jinja2.TemplateSyntaxError) as caught:
        jinja2.Environment(autoescape=True).from_string("a\n{% if %}")

    assert (caught.value.lineno, bool(caught.value.message)) == (2, True), changed("Jinja2", "lineno and message")


@pytest.mark.parametrize("source", ["{{ missing.part }}", "{{ ''.__class__ }}", "{{ value.append(1) }}"])
def test_jinjas_refusals_have_one_class(source: str) -> None:
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=True)

    with pytest.raises(jinja2.TemplateError):
        environment.from_string(source).render(value=[])


def test_typer_ends_with_2_after_an_option_that_there_is_not() -> None:
    app = typer.Typer()

    @app.command()
    def command() -> None: ...

    assert CliRunner().invoke(app, ["--no-such-option"]).exit_code == 2, changed("typer", "exit code 2 for usage")
