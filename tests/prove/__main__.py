"""`python -m tests.prove`: run every proof, keep what it finds below .tests/prove, and write docs/proof.md of all that is kept."""

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

KEPT = ROOT / ".tests" / "prove"
PAGE = ROOT / "docs" / "proof.md"
CHAOS_CONTROL_SHARE = 20  # a daemon with the planted fault is killed so many times less often


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for. `small` is for a look in a few minutes: its page does not go to docs."""

    kills: int
    cuts: int
    seed: int
    small: bool

    @property
    def kept(self) -> Path:
        return KEPT / "small" if self.small else KEPT

    @property
    def page(self) -> Path:
        return KEPT / "small" / "proof.md" if self.small else PAGE

    def arguments(self) -> list[str]:
        """The same on a command line, without what goes without saying."""
        return [
            *(["--scale", "small"] if self.small else []),
            *(["--kills", str(self.kills)] if self.kills != _sizes(self.small)[0] else []),
            *(["--cuts", str(self.cuts)] if self.cuts != _sizes(self.small)[1] else []),
            *("--seed", str(self.seed)),
        ]


def _sizes(small: bool) -> tuple[int, int]:
    """Kills and cuts where nobody asked for another number."""
    return (60, 500) if small else (1000, 20_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One promise and what tries to break it. `rows` may fail by a row that is not ok, or by raising."""

    name: str
    title: str
    rows: Callable[[Path, Options], Iterable[tuple[object, ...]]]
    together: bool = False  # runs beside another one; those whose times are printed run alone


def _sized(name: str, small: int, full: int) -> Callable[[Path, Options], Iterable[tuple[object, ...]]]:
    """The proof in the module `name`, in one of two sizes."""
    return lambda folder, options: _module(name, folder, options, small if options.small else full)


def _module(name: str, folder: Path, options: Options, size: int) -> Iterable[tuple[object, ...]]:
    # Imported only now: a proof that cannot be loaded here fails alone.
    found: Iterable[tuple[object, ...]] = import_module(f"tests.prove.{name}").run(folder, options.seed, size)
    return found


def _chaos(kind: str) -> Callable[[Path, Options], Iterator[Row]]:
    return lambda folder, options: _killed(kind, folder, options)


def _killed(kind: str, folder: Path, options: Options) -> Iterator[Row]:
    from tests.prove import chaos, dying

    (folder / "proved").mkdir()
    verdict = chaos.run(kind, folder / "proved", options.kills, options.seed)
    doubles, words = 1, "none: a create finds the file that has its marker already, so that repeating it does no harm"
    if kind != "local":
        (folder / "control").mkdir()
        few = max(20, options.kills // CHAOS_CONTROL_SHARE)
        doubles = chaos.run(kind, folder / "control", few, options.seed, fault=dying.FORGETTING).duplicates
        words = f"a daemon that creates again what is in doubt: {doubles} double issues after {few} kills"
    killed, failed = sum(verdict.kills.values()), sum(verdict.failed.values())
    steps = ", ".join(f"{step} {count}" for step, count in sorted(verdict.kills.items()))
    # A probe there reads some twenty keys one by one, and would not come to its end in a life.
    calm = ", but in lives that are to end in a probe or a comment" if kind == "jira-datacenter" else ""
    yield Row(
        done="kill -9 at every step and at random times, under a load that never stops, with lists that lag and a quarter of all calls "
        f"failing in every way the tracker knows{calm}",
        many=f"{killed} kills ({steps}); {verdict.groups} crash groups, {verdict.acknowledged} notifications acknowledged, "
        f"{failed} calls failed, {verdict.in_doubt} groups in doubt",
        came="; ".join(verdict.wrong)
        or f"{verdict.issues} issues: {verdict.duplicates} double, {verdict.missing} missing; {verdict.lost} acknowledged "
        "notifications lost, every count as in the senders' ledger",
        control=words,
        ok=not verdict.wrong and killed >= options.kills and doubles > 0,
    )


PROOFS = (
    Proof(name="mutants", title="Small changes to what decides", rows=_sized("mutants", 25, 0)),
    Proof(name="emulator", title="A create whose answer is cut off", rows=_sized("emulator", 10, 100)),
    Proof(name="neighbours", title="Poisoned crashes and a dead tracker", rows=_sized("neighbours", 1, 5)),
    Proof(name="storm", title="A storm of refusals", rows=_sized("storm", 6, 40)),
    Proof(name="hanging", title="A tracker that hangs", rows=_sized("hanging", 12, 120)),
    Proof(name="disk", title="Disks that fail", rows=_sized("disk", 1, 3)),
    Proof(name="machine", title="A machine with systemd", rows=_sized("machine", 3, 20)),
    Proof(name="soak", title="Half an hour of everything", rows=_sized("soak", 15, 30)),
    Proof(name="cluster", title="Several machines on one PostgreSQL", rows=_sized("cluster", 100, 1000)),
    Proof(name="clock", title="Clocks that jump", rows=_sized("clock", 1, 3)),
    Proof(
        name="power", title="Power cuts", rows=lambda folder, options: _module("power", folder, options, options.cuts)
    ),
    *(
        Proof(name=f"chaos-{kind}", title=f"kill -9 while filing in {where}", rows=_chaos(kind), together=True)
        for kind, where in {
            "github": "GitHub",
            "jira-cloud": "Jira Cloud",
            "jira-datacenter": "Jira Data Center",
            "local": "files",
        }.items()
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a proof failed, or could not be run."""
    asked = _asked(arguments)
    small = asked.scale == "small"
    kills, cuts = _sizes(small)
    options = Options(kills=asked.kills or kills, cuts=asked.cuts or cuts, seed=asked.seed, small=small)
    picked = [proof for proof in PROOFS if not asked.only or any(_fits(proof, name) for name in asked.only)]
    if not picked:
        print(f"no proof is called {', '.join(asked.only)}; there are {', '.join(proof.name for proof in PROOFS)}")
        return 2
    if not asked.report:
        _run(picked, options)
    findings = report.saved(options.kept, [proof.name for proof in PROOFS])
    names = {one.name for one in findings}
    report.write(options.page, findings, [proof.title for proof in PROOFS if proof.name not in names])
    held = {one.name for one in findings if one.ok}
    failed = [proof.name for proof in picked if proof.name not in held]
    print(
        f"FAILED: {', '.join(failed)}" if failed else f"held: {', '.join(proof.name for proof in picked)}", flush=True
    )
    return 1 if failed else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a proof, or several: chaos")
    parser.add_argument("--kills", type=int, help="for each kind of tracker; 1000")
    parser.add_argument("--cuts", type=int, help="of the power; 20000")
    parser.add_argument("--seed", type=int, default=int(report.today().replace("-", "")), help="the date")
    parser.add_argument("--scale", choices=("small", "full"), default="full", help="small: minutes instead of hours")
    parser.add_argument("--report", action="store_true", help="only write the page of what is kept")
    return parser.parse_args(arguments)


def _fits(proof: Proof, name: str) -> bool:
    return proof.name == name or proof.name.startswith(f"{name}-")


def _run(picked: Sequence[Proof], options: Options) -> None:
    if len(picked) == 1:
        _prove(picked[0], options)
        return
    for proof in picked:
        if not proof.together:
            _in_a_process(proof, options)
    # Two at a time: a daemon that starts keeps one core busy.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda proof: _in_a_process(proof, options), (proof for proof in picked if proof.together)))


def _in_a_process(proof: Proof, options: Options) -> None:
    # What it found lies in its file, and nothing where it crashed.
    (options.kept / f"{proof.name}.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.prove", "--only", proof.name, *options.arguments()]
    subprocess.run(command, cwd=ROOT, check=False)


def _prove(proof: Proof, options: Options) -> None:
    """Run it here: every line is printed and kept as it comes."""
    folder = options.kept / f"{proof.name}.run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    finding = Finding(
        name=proof.name,
        title=proof.title,
        command=" ".join(["python -m tests.prove --only", proof.name, *options.arguments()]),
        date=report.today(),
        seconds=0.0,
        machine=report.machine(),
        commit=report.commit(),
        error="it did not end",
    )
    report.save(options.kept, finding)
    print(f"{proof.name}: {finding.command}", flush=True)
    try:
        for row in proof.rows(folder, options):
            finding.rows.append(Row(*row))  # type: ignore[arg-type]
            finding.seconds = time.monotonic() - began
            report.save(options.kept, finding)
            print(_printed(proof, finding.rows[-1]), flush=True)
    except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - a proof that breaks off has failed, and the next is run
        traceback.print_exc()
        words = " ".join(f"{type(error).__name__}: {error}".replace(f"{ROOT}/", "").split())
        finding.error = words[:400]
    else:
        finding.error = ""
    finding.seconds = time.monotonic() - began
    report.save(options.kept, finding)
    if finding.ok:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{proof.name}: {'held' if finding.ok else 'FAILED'} after {report.spell(finding.seconds)}", flush=True)


def _printed(proof: Proof, row: Row) -> str:
    said = [row.done, row.many, row.came if row.ok else f"FAILED: {row.came}", row.control]
    return f"{proof.name}: " + "\n    ".join(filter(None, said))


if __name__ == "__main__":
    sys.exit(main())
