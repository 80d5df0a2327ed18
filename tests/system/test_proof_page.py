"""The page of `make prove` says what failed and what was not run, and the exit code does too."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.prove import __main__ as prove
from tests.prove import report
from tests.prove.report import Finding, Row

PASSED = Row("power was cut", "9 cuts", "nothing lost", "NORMAL: 3 lost")


def finding(*rows: Row, error: str = "") -> Finding:
    return Finding(
        name="power",
        title="Power cuts",
        command="python -m tests.prove --only power",
        date="2026-11-25",
        seconds=61.0,
        machine="2 cores",
        commit="0123456789",
        rows=list(rows),
        error=error,
    )


def page_of(folder: Path, *findings: Finding, titles: tuple[str, ...] = ("Power cuts",)) -> str:
    report.write(folder / "proof.md", list(findings), list(titles))
    return (folder / "proof.md").read_text()


def test_a_proof_that_passes_shows_its_control_beside_it_and_no_failure(tmp_path: Path) -> None:
    page = page_of(tmp_path, finding(PASSED))

    assert "| Power was cut | 9 cuts | nothing lost | NORMAL: 3 lost |" in page
    assert "| Result | 1 of 1 proofs passed |" in page
    assert "FAILED" not in page


@pytest.mark.parametrize(
    "failed",
    [
        finding(PASSED, PASSED._replace(result="2 lost | forgotten", ok=False)),
        finding(PASSED, error="the proof did not finish"),
        finding(),
    ],
    ids=["a row", "an error", "no rows"],
)
def test_whatever_fails_is_called_failed_at_the_top_and_in_its_place(failed: Finding, tmp_path: Path) -> None:
    page = page_of(tmp_path, failed)

    assert "| Result | **FAILED**: Power cuts; 0 of 1 proofs passed |" in page
    assert "## Power cuts: FAILED" in page
    assert "lost | forgotten" not in page


def test_a_proof_that_was_not_run_is_named(tmp_path: Path) -> None:
    assert "not run: Clocks that jump" in page_of(tmp_path, finding(PASSED), titles=("Power cuts", "Clocks that jump"))


def test_a_section_stays_until_its_proof_is_run_again(tmp_path: Path) -> None:
    titles = ("Clocks that jump", "Power cuts")
    clocks = replace(
        finding(PASSED, PASSED._replace(ok=False)), name="clock", title="Clocks that jump", machine="4 cores"
    )
    page_of(tmp_path, clocks, titles=titles)

    page = page_of(tmp_path, finding(PASSED), titles=titles)
    assert page_of(tmp_path, titles=titles) == page
    assert page.index("## Clocks that jump: FAILED") < page.index("## Power cuts\n")
    assert "| Result | **FAILED**: Clocks that jump; 1 of 2 proofs passed |" in page

    assert "FAILED" not in page_of(tmp_path, replace(clocks, rows=[PASSED]), titles=titles)


def test_the_saved_result_of_a_proof_is_its_finding(tmp_path: Path) -> None:
    report.save(tmp_path, finding(PASSED, error="x"))

    assert report.saved(tmp_path, ["clock", "power"]) == [finding(PASSED, error="x")]


@pytest.mark.parametrize(("rows", "code"), [([PASSED], 0), ([PASSED._replace(ok=False)], 1), ([], 1)])
def test_the_exit_code_tells_whether_the_proof_passed(
    rows: list[Row], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = prove.Proof(name="power", title="Power cuts", rows=lambda *_: rows)
    monkeypatch.setattr(prove, "PROOFS", (proof,))
    monkeypatch.setattr(prove, "RESULTS", tmp_path)

    assert prove.main(["--only", "power", "--scale", "small"]) == code
    assert ("FAILED" in (tmp_path / "small" / "proof.md").read_text()) == bool(code)
