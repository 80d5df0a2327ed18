"""Load: wrk with varied notifications of 1 to 4 KB, and its measurements."""

import base64
import itertools
import json
import random
import re
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from syncd.intake.receiver import PATH
from tests.prove.crashes import crash
from tests.system.daemon import PASSWORD

SCRIPT = Path(__file__).with_name("post.lua")
LOGIN = base64.b64encode(f"backtrace:{PASSWORD}".encode()).decode()
BODIES = 2000
GROUPS = 500  # most notifications repeat a group, as in the field
SMALLEST, LARGEST = 1024, 4096
SEED = 7
FIRST_COUNT = 100_000_000  # has as many digits as every posted count, so that no delivery is an exact redelivery
# Texts of one group are made of the same words; texts of two groups differ as those of two programs do.
_NOUNS = (
    "glacier", "harbour", "lantern", "meadow", "orchard", "pebble", "quarry", "ribbon", "saddle", "thicket", "umbra", "vessel", "willow",
    "anvil", "beacon", "cobble", "drift", "ember", "fjord", "gravel", "hollow", "inlet", "jetty", "kiln", "ledge", "marsh", "nettle",
)  # fmt: skip
_VERBS = (
    "upload",
    "decode",
    "merge",
    "walk",
    "flush",
    "bind",
    "resolve",
    "spawn",
    "reap",
    "pack",
    "sweep",
    "settle",
    "poll",
    "hash",
)
_TYPES = ("", "int", "char const*, unsigned long", "Chunk&", "float, float", "Span<unsigned char>", "Handle", "bool")
_VALUES = (
    "amber",
    "basalt",
    "copper",
    "dolomite",
    "emerald",
    "flint",
    "garnet",
    "halite",
    "indigo",
    "jasper",
    "kyanite",
    "lapis",
)
_ATTRIBUTES = (
    "hostname", "process.age", "uname.sysname", "uname.version", "cpu.brand", "cpu.count", "gpu.name", "gpu.driver", "vm.rss.size",
    "error.message", "error.type", "language", "locale", "country", "build.channel", "scene", "match.mode", "match.players", "store.front",
    "session.age", "battery", "thermal.state", "display.mode", "audio.device", "network.kind", "shader.model", "mod.list", "save.slot",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observation:
    """One run of wrk: 2xx responses per second, response times in milliseconds, and the share of a core that wrk used."""

    rate: float
    p50: float
    p99: float
    busy: float


def bodies(folder: Path) -> Path:
    """Write a file of notifications, one per line, of SMALLEST to LARGEST bytes; its content is always the same."""
    chosen = random.Random(SEED)
    path = folder / "bodies"
    lines = (notification(number, chosen) for number in range(BODIES))
    path.write_text("".join(f"{_COUNT.sub(_FIRST, line, 1)}\n" for line in lines))
    return path


_COUNT = re.compile(r'"occurrences": \d+')
_FIRST = f'"occurrences": {FIRST_COUNT}'
_counts = itertools.count(FIRST_COUNT, 1_000_000)  # further apart than the number of requests in one run


def notification(number: int, chosen: random.Random) -> str:
    """One notification in the form that Backtrace sends. Stack and attribute names depend on the group alone, the counts on `number`."""
    group = number % GROUPS
    same = random.Random(f"{SEED} {group}")
    size = same.randint(SMALLEST, LARGEST)
    content = crash(group, total=number + 1)
    content["callstack"] = [_symbol(same) for _ in range(size // 160)] + ["main", "__libc_start_call_main", "_start"]
    attributes: dict[str, list[list[object]]] = content["attributes"]
    names = same.sample(_ATTRIBUTES, len(_ATTRIBUTES))
    while names and len(json.dumps(content)) < size - 150:
        attributes[names.pop()] = [[_value(same), chosen.randint(1, number + 1)] for _ in range(same.randint(1, 4))]
    return json.dumps(content)[:LARGEST]


def _symbol(chosen: random.Random) -> str:
    name = "::".join(chosen.choice(_NOUNS) for _ in range(chosen.randint(1, 3)))
    return f"{name}::{chosen.choice(_VERBS)}_{chosen.choice(_NOUNS)}({chosen.choice(_TYPES)})"


def _value(chosen: random.Random) -> str:
    return chosen.choice((f"{chosen.getrandbits(32):08x}", str(chosen.randrange(10**6)), chosen.choice(_VALUES)))


def post(address: tuple[str, int], file: Path, clients: int, seconds: int, path: str = PATH) -> Observation:
    """Post from `clients` connections, each as fast as it gets responses. Raises RuntimeError if a response is not 2xx."""
    host, port = address
    bounds = ["-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s"]
    arguments = [str(file), path, LOGIN, str(next(_counts))]
    command = ["wrk", *bounds, "-s", str(SCRIPT), f"http://{host}:{port}", "--", *arguments]
    before = _child_cpu_seconds()
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    summary = json.loads(ran.stdout.splitlines()[-1])
    if summary["refused"] or summary["broken"] or not summary["requests"]:
        raise RuntimeError(f"{host}:{port} refused requests or broke connections: {summary}")
    return Observation(
        summary["requests"] / summary["seconds"],
        summary["p50"],
        summary["p99"],
        (_child_cpu_seconds() - before) / seconds,
    )


def _child_cpu_seconds() -> float:
    """CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
