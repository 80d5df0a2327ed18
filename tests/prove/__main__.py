"""`python -m tests.prove`: run every proof, save the results below .tests/prove, and write docs/proof.md from all saved results."""

import argparse
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from tests.prove import report
from tests.prove.report import ROOT, Finding, Row

RESULTS = ROOT / ".tests" / "prove"
PAGE = ROOT / "docs" / "proof.md"
CONTROL_SHARE = 20  # the control gets this fraction of the kills


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line. A `small` run takes minutes, and its page does not go to docs."""

    kills: int
    cuts: int
    seed: int
    small: bool

    @property
    def results(self) -> Path:
        return RESULTS / "small" if self.small else RESULTS

    @property
    def page(self) -> Path:
        return RESULTS / "small" / "proof.md" if self.small else PAGE

    def arguments(self) -> list[str]:
        """The options that differ from the defaults, as command-line arguments."""
        return [
            *(["--scale", "small"] if self.small else []),
            *(["--kills", str(self.kills)] if self.kills != _sizes(self.small)[0] else []),
            *(["--cuts", str(self.cuts)] if self.cuts != _sizes(self.small)[1] else []),
            *("--seed", str(self.seed)),
        ]


def _sizes(small: bool) -> tuple[int, int]:
    """The default numbers of kills and cuts."""
    return (60, 500) if small else (1000, 20_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One promise and the attempt to break it. A proof fails if a row is not ok or if `rows` raises."""

    name: str
    title: str
    rows: Callable[[Path, Options], Iterable[tuple[object, ...]]]
    together: bool = False  # runs in parallel with another proof; proofs that print times run alone


def _sized(name: str, small: int, full: int) -> Callable[[Path, Options], Iterable[tuple[object, ...]]]:
    """The proof in module `name`, in its small or its full size."""
    return lambda folder, options: _module(name, folder, options, small if options.small else full)


def _module(name: str, folder: Path, options: Options, size: int) -> Iterable[tuple[object, ...]]:
    # The import is late, so that a proof that cannot be imported fails alone.
    rows: Iterable[tuple[object, ...]] = import_module(f"tests.prove.{name}").run(folder, options.seed, size)
    return rows


def _chaos(kind: str) -> Callable[[Path, Options], Iterator[Row]]:
    return lambda folder, options: _killed(kind, folder, options)


def _killed(kind: str, folder: Path, options: Options) -> Iterator[Row]:
    from tests.prove import chaos, dying

    (folder / "proved").mkdir()
    verdict = chaos.run(kind, folder / "proved", options.kills, options.seed)
    doubles, sentence = (
        1,
        "none: a repeated create finds the file with its marker and does no harm",
    )
    if kind != "local":
        (folder / "control").mkdir()
        few = max(20, options.kills // CONTROL_SHARE)
        doubles = chaos.run(kind, folder / "control", few, options.seed, fault=dying.FORGETTING).duplicates
        sentence = f"a daemon that repeats creates in doubt: {doubles} duplicate issues after {few} kills"
    killed, failed = sum(verdict.kills.values()), sum(verdict.failed.values())
    steps = ", ".join(f"{step} {count}" for step, count in sorted(verdict.kills.items()))
    # A probe on Data Center reads about twenty keys one by one. With failing calls it would not end within one life.
    calm = ", except in lives that end in a probe or a comment" if kind == "jira-datacenter" else ""
    yield Row(
        action="kill -9 at every step and at random times, under constant load, with lagging lists; a quarter of all calls fails in every way "
        f"that the tracker knows{calm}",
        scale=f"{killed} kills ({steps}); {verdict.groups} crash groups, {verdict.acknowledged} notifications acknowledged, "
        f"{failed} calls failed, {verdict.in_doubt} groups in doubt",
        result="; ".join(verdict.wrong)
        or f"{verdict.issues} issues: {verdict.duplicates} duplicate, {verdict.missing} missing; {verdict.lost} acknowledged "
        "notifications lost; every count equals the senders' ledger"
        + (
            f"; {verdict.replayed} deliveries, each alone in hand at two kills, were replayed from the quarantine"
            if verdict.replayed
            else ""
        ),
        control=sentence,
        ok=not verdict.wrong and killed >= options.kills and doubles > 0,
    )


PROOFS = (
    Proof(name="simulation", title="Every order of events", rows=_sized("simulation", 3000, 100_000)),
    Proof(name="mutants", title="Mutants of the decision modules", rows=_sized("mutants", 10, 0)),
    Proof(name="releases", title="The order of releases", rows=_sized("releases", 2000, 100_000)),
    Proof(name="closings", title="Closings and regressions", rows=_sized("closings", 600, 10_000)),
    Proof(name="senders", title="Counts of senders by chance", rows=_sized("senders", 500, 20_000)),
    Proof(name="emulator", title="Creates with truncated responses", rows=_sized("emulator", 10, 100)),
    Proof(name="neighbours", title="Rejected crashes and a dead tracker", rows=_sized("neighbours", 1, 5)),
    Proof(name="poisoned", title="One issue that refuses for ever", rows=_sized("poisoned", 10, 50)),
    Proof(name="scopes", title="Who is charged for a refusal", rows=_sized("scopes", 1500, 0)),
    Proof(name="polled", title="Counts by polls of Backtrace", rows=_sized("polled", 300, 10_000)),
    Proof(name="clumsy", title="Clumsy and hostile bodies", rows=_sized("clumsy", 1500, 20_000)),
    Proof(name="sources", title="Other senders", rows=_sized("sources", 30, 1000)),
    Proof(name="doors", title="A crowd at the receiver", rows=_sized("doors", 300, 900)),
    Proof(name="unreachable", title="A tracker out of reach", rows=_sized("unreachable", 20, 600)),
    Proof(name="storm", title="Rate limits", rows=_sized("storm", 6, 40)),
    Proof(name="hanging", title="A tracker that hangs", rows=_sized("hanging", 12, 120)),
    Proof(name="disk", title="Failing disks", rows=_sized("disk", 1, 3)),
    Proof(name="machine", title="A machine with systemd", rows=_sized("machine", 3, 20)),
    Proof(name="soak", title="Half an hour of load and faults", rows=_sized("soak", 5, 30)),
    Proof(name="restored", title="A backup in the place of its store", rows=_sized("restored", 1, 20)),
    Proof(name="adopted", title="Issues of another integration", rows=_sized("adopted", 60, 1000)),
    Proof(name="cluster", title="Several machines on one PostgreSQL", rows=_sized("cluster", 100, 1000)),
    Proof(name="pooler", title="A pooler before PostgreSQL", rows=_sized("pooler", 5, 20)),
    Proof(name="clock", title="Clock jumps", rows=_sized("clock", 1, 3)),
    Proof(
        name="power", title="Power cuts", rows=lambda folder, options: _module("power", folder, options, options.cuts)
    ),
    *(
        Proof(name=f"chaos-{kind}", title=f"kill -9 during calls to {where}", rows=_chaos(kind), together=True)
        for kind, where in {
            "github": "GitHub",
            "jira-cloud": "Jira Cloud",
            "jira-datacenter": "Jira Data Center",
            "local": "local files",
        }.items()
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 1 if a proof failed or could not run, 2 if no proof has the given name, else 0."""
    namespace = _parse(arguments)
    small = namespace.scale == "small"
    kills, cuts = _sizes(small)
    options = Options(kills=namespace.kills or kills, cuts=namespace.cuts or cuts, seed=namespace.seed, small=small)
    selected = [proof for proof in PROOFS if not namespace.only or any(_fits(proof, name) for name in namespace.only)]
    if not selected:
        print(f"unknown proof: {', '.join(namespace.only)}; available: {', '.join(proof.name for proof in PROOFS)}")
        return 2
    if not namespace.report:
        _run(selected, options)
    findings = report.saved(options.results, [proof.name for proof in PROOFS])
    report.write(options.page, findings, [proof.title for proof in PROOFS])
    passed = {finding.name for finding in findings if finding.ok}
    failed = [proof.name for proof in selected if proof.name not in passed]
    print(
        f"FAILED: {', '.join(failed)}" if failed else f"passed: {', '.join(proof.name for proof in selected)}",
        flush=True,
    )
    return 1 if failed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="run only this proof, or all that begin with NAME-"
    )
    parser.add_argument("--kills", type=int, help="kills per kind of tracker (default: 1000, small: 60)")
    parser.add_argument("--cuts", type=int, help="power cuts (default: 20000, small: 500)")
    parser.add_argument(
        "--seed",
        type=int,
        default=int(report.today().replace("-", "")),
        help="seed of all random choices (default: the date)",
    )
    parser.add_argument(
        "--scale", choices=("small", "full"), default="full", help="small takes minutes, full takes hours"
    )
    parser.add_argument("--report", action="store_true", help="only write the page from saved results")
    return parser.parse_args(arguments)


def _fits(proof: Proof, name: str) -> bool:
    return proof.name == name or proof.name.startswith(f"{name}-")


def _run(selected: Sequence[Proof], options: Options) -> None:
    if len(selected) == 1:
        _prove(selected[0], options)
        return
    for proof in selected:
        if not proof.together:
            _in_a_process(proof, options)
    # Two in parallel: a starting daemon uses one core.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda proof: _in_a_process(proof, options), (proof for proof in selected if proof.together)))


def _in_a_process(proof: Proof, options: Options) -> None:
    # The child process writes its result file. If it crashes early, there is none.
    (options.results / f"{proof.name}.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.prove", "--only", proof.name, *options.arguments()]
    subprocess.run(command, cwd=ROOT, check=False)


def _prove(proof: Proof, options: Options) -> None:
    """Run one proof in this process. Print and save each row as soon as it is available."""
    folder = options.results / f"{proof.name}.run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start_time = time.monotonic()
    finding = Finding(
        name=proof.name,
        title=proof.title,
        command=" ".join(["python -m tests.prove --only", proof.name, *options.arguments()]),
        date=report.today(),
        seconds=0.0,
        machine=report.machine(),
        commit=report.commit(),
        error="the proof did not finish",
    )
    report.save(options.results, finding)
    print(f"{proof.name}: {finding.command}", flush=True)
    try:
        for row in proof.rows(folder, options):
            finding.rows.append(Row(*row))  # type: ignore[arg-type]
            finding.seconds = time.monotonic() - start_time
            report.save(options.results, finding)
            print(_printed(proof, finding.rows[-1]), flush=True)
    except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - a proof that raises has failed; the next proof runs all the same
        traceback.print_exc()
        sentence = " ".join(f"{type(error).__name__}: {error}".replace(f"{ROOT}/", "").split())
        finding.error = sentence[:400]
    else:
        finding.error = ""
    finding.seconds = time.monotonic() - start_time
    report.save(options.results, finding)
    if finding.ok:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{proof.name}: {'passed' if finding.ok else 'FAILED'} after {report.spell(finding.seconds)}", flush=True)


def _printed(proof: Proof, row: Row) -> str:
    cells = [row.action, row.scale, row.result if row.ok else f"FAILED: {row.result}", row.control]
    return f"{proof.name}: " + "\n    ".join(filter(None, cells))


if __name__ == "__main__":
    sys.exit(main())
