"""Judges of the order of releases: lists by scheme, and the comparators of Python, npm, Debian and Maven.

`python -m tests.core.release_judges [FILE]` prints the rates of the lists in releases.toml or in another file of that form.
"""

import json
import random
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from pathlib import Path

from packaging.version import Version

from syncd.core.releases import Order, compare

LISTS = Path(__file__).with_name("releases.toml")
MAVEN = [Path(root, "usr/share/java/maven3-artifact.jar") for root in ("/", Path(__file__).parents[2] / ".tests/maven")]
SEMVER = [
    Path(root, "npm/node_modules/semver")
    for root in ("/usr/lib/node_modules", "/usr/local/lib/node_modules", "/usr/share/nodejs")
]

Pair = tuple[str, str]


def pairs(line: str) -> Iterator[tuple[str, str, Order]]:
    """Every two releases of a line of releases.toml, with the true order of the first relative to the second."""
    if " ? " in line:
        first, *rest = line.split(" ? ")
        yield from ((first, release, Order.INCOMPARABLE) for release in rest)
        return
    ranks = [rank.split(" = ") for rank in line.split(" < ")]
    for rank in ranks:
        yield from ((left, right, Order.SAME) for left, right in combinations(rank, 2))
    for older, newer in combinations(ranks, 2):
        yield from ((left, right, Order.OLDER) for left, right in product(older, newer))


def rates(lists: Mapping[str, str]) -> tuple[Counter[str], list[str]]:
    """How many pairs are right, wrong, taken for the same or not compared, and a sentence for each that is not right."""
    count: Counter[str] = Counter()
    faults = []
    for name, line in lists.items():
        for left, right, truth in pairs(line):
            order = compare(left, right)
            kind = "right" if order is truth else order.value if order in (Order.INCOMPARABLE, Order.SAME) else "wrong"
            count["wrong" if truth is Order.INCOMPARABLE and order is not truth else kind] += 1
            if order is not truth:
                faults.append(f"{name}: {left} is {truth} relative to {right}, not {order}")
    return count, faults


@dataclass(frozen=True, slots=True)
class Judge:
    """A comparator that is not ours, and random releases of its scheme on which we claim to agree with it."""

    name: str
    release: Callable[[random.Random], str]
    verdicts: Callable[[Sequence[Pair]], list[Order]]
    available: Callable[[], bool] = lambda: True

    def disagreements(self, count: int, seed: int) -> list[str]:
        """A sentence for each pair of `count` random ones in whose order we differ."""
        source = random.Random(seed)
        some = [(self.release(source), self.release(source)) for _ in range(count)]
        verdicts = self.verdicts(some)
        assert len(verdicts) == count
        return [
            f"{self.name}: {left} is {verdict} relative to {right}, not {compare(left, right)}"
            for (left, right), verdict in zip(some, verdicts, strict=True)
            if compare(left, right) is not verdict
        ]


def _order(sign: int) -> Order:
    return Order.SAME if sign == 0 else Order.NEWER if sign > 0 else Order.OLDER


def _numbers(source: random.Random, least: int, most: int) -> str:
    return ".".join(str(source.choice((0, 1, 1, 1, 1, 2, 10))) for _ in range(source.randint(least, most)))


def _python(source: random.Random) -> str:
    """PEP 440. Left out: bare integers and `1.0a`, which have another meaning elsewhere, `pre` and `preview`, and local versions."""
    pre = source.choice(("", "", "a1", "a2", ".alpha3", "b1", "-beta.2", "_rc1", "rc10", "c2"))
    post = source.choice(("", "", ".post1", ".post2", "-1", "-r2", ".rev3"))
    dev = source.choice(("", "", ".dev1", ".dev2", "-dev10"))
    return source.choice(("", "", "v", "1!")) + _numbers(source, 2, 4) + pre + post + dev


def _by_packaging(some: Sequence[Pair]) -> list[Order]:
    return [_order((Version(left) > Version(right)) - (Version(left) < Version(right))) for left, right in some]


def _semver(source: random.Random) -> str:
    """SemVer 2.0.0. Left out: unknown words and numbers without a word, which people use for builds, `alpha.0`, and `dev` after others."""
    labels = ("alpha", "beta", "canary", "insiders", "next", "nightly", "preview", "rc", "snapshot")
    tail = source.choice(("", ".1", ".2", ".10", ".11.2", ".beta", ".rc"))
    pre = source.choice(("", f"-{source.choice(labels)}{tail}"))
    return source.choice(("", "v")) + _numbers(source, 3, 3) + pre + source.choice(("", "", "+exp.sha.5114f85", "+x"))


def _by_npm(some: Sequence[Pair]) -> list[Order]:
    package = next(path for path in SEMVER if path.exists())
    script = f"""
        const semver = require({json.dumps(str(package))});
        const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        console.log(JSON.stringify(pairs.map(([left, right]) => semver.compare(left, right))));
    """
    output = subprocess.run(["node", "-e", script], input=json.dumps(some), capture_output=True, text=True, check=True)
    return [_order(sign) for sign in json.loads(output.stdout)]


def _debian(source: random.Random) -> str:
    """deb-version(7). Left out: trailing zeros, which dpkg counts, and revisions of two distributions in one history."""
    upstream = f"{_numbers(source, 2, 2)}.{source.choice((1, 1, 2, 10))}" + source.choice(
        ("", "", "a", "b", "~rc1", "~rc2", "~beta10", "+dfsg1", "+dfsg2", "+git20240105", "~git20231224")
    )
    revision = source.choice(
        ("1", "2", "10", "1.1", "0", "1+deb12u1", "1+deb12u2", "2+deb12u10", "1~bpo12+1", "1~exp2")
    )
    return source.choice(("", "", "1:")) + f"{upstream}-{revision}"


def _by_dpkg(some: Sequence[Pair]) -> list[Order]:
    def holds(left: str, relation: str, right: str) -> bool:
        return subprocess.run(["dpkg", "--compare-versions", left, relation, right], check=False).returncode == 0

    return [_order(holds(left, "gt", right) - holds(left, "lt", right)) for left, right in some]


def _maven(source: random.Random) -> str:
    """Maven's ComparableVersion. Left out: `-1`, which it puts behind a service pack."""
    stages = (
        "",
        "",
        ".Final",
        "-GA",
        ".RELEASE",
        "-alpha-1",
        ".Alpha2",
        "-beta-1",
        ".Beta10",
        "-M1",
        "-M10",
        ".CR1",
        "-RC2",
    )
    stage = source.choice((*stages, "-rc-3", "-SNAPSHOT", ".SP1", "-SP2"))
    return (
        _numbers(source, 2, 4)
        + stage
        + source.choice(("", "", "-SNAPSHOT")) * stage.startswith(("-alpha", "-beta", "-rc"))
    )


def _by_maven(some: Sequence[Pair]) -> list[Order]:
    # It prints the order of every two neighbours.
    names = [name for pair in some for name in pair]
    archive = next(path for path in MAVEN if path.exists())
    command = ["java", "-cp", str(archive), "org.apache.maven.artifact.versioning.ComparableVersion", *names]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    signs = [line.split()[1] for line in lines if line.startswith("   ") and len(line.split()) == 3]
    assert len(signs) == len(list(pairwise(names)))
    return [{"<": Order.OLDER, "==": Order.SAME, ">": Order.NEWER}[sign] for sign in signs[::2]]


def _callable(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


JUDGES = (
    Judge("Python's packaging", _python, _by_packaging),
    Judge(
        "npm's semver",
        _semver,
        _by_npm,
        lambda: _callable("node", "--version") and any(path.exists() for path in SEMVER),
    ),
    Judge("dpkg", _debian, _by_dpkg, lambda: _callable("dpkg", "--version")),
    Judge(
        "Maven's ComparableVersion",
        _maven,
        _by_maven,
        lambda: any(path.exists() for path in MAVEN) and _callable("java", "-version"),
    ),
)


def main(arguments: Sequence[str]) -> None:
    """Print the rates by kind and every pair that is not right."""
    kinds = tomllib.loads(Path(arguments[0] if arguments else LISTS).read_text())
    total: Counter[str] = Counter()
    for kind, lists in kinds.items():
        count, faults = rates(lists)
        total += count
        print(f"{kind}: {len(lists)} lists, {summary(count)}", *faults[:20], sep="\n    ")
    print(f"all: {sum(map(len, kinds.values()))} lists, {summary(total)}")


def summary(count: Counter[str]) -> str:
    """The rates as people read them."""
    shares = (
        f"{100 * count[kind] / count.total():.2f} % {kind}" for kind in ("right", "wrong", "same", "incomparable")
    )
    return f"{count.total():,} pairs: {', '.join(shares)}"


if __name__ == "__main__":
    main(sys.argv[1:])
