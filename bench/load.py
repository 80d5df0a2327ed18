"""Load: wrk with varied notifications of 1 to 4 KB, and what it saw."""

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
GROUPS = 500  # so that most are repetitions, as in the field
SMALLEST, LARGEST = 1024, 4096
SEED = 7
FIRST_COUNT = 100_000_000  # as long as any that is posted: none of them is an exact redelivery
# Words of which texts are made that are alike where they are of one group, and else only as programs are.
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
_WORDS = (
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
    """What came of one run: requests answered 2xx a second, how long answers took in milliseconds, and how much of a core the sender took."""

    rate: float
    p50: float
    p99: float
    busy: float


def bodies(folder: Path) -> Path:
    """A file of notifications, one a line, of SMALLEST to LARGEST bytes; the same ones each time."""
    chosen = random.Random(SEED)
    path = folder / "bodies"
    told = (notification(number, chosen) for number in range(BODIES))
    path.write_text("".join(f"{_COUNT.sub(_FIRST, one, 1)}\n" for one in told))
    return path


_COUNT = re.compile(r'"occurrences": \d+')
_FIRST = f'"occurrences": {FIRST_COUNT}'
_counts = itertools.count(FIRST_COUNT, 1_000_000)  # further apart than one run gets


def notification(number: int, chosen: random.Random) -> str:
    """One, as Backtrace writes them: what belongs to its group is the same each time, what was counted is not."""
    group = number % GROUPS
    same = random.Random(f"{SEED} {group}")
    size = same.randint(SMALLEST, LARGEST)
    told = crash(group, total=number + 1)
    told["callstack"] = [_symbol(same) for _ in range(size // 160)] + ["main", "__libc_start_call_main", "_start"]
    attributes: dict[str, list[list[object]]] = told["attributes"]
    names = same.sample(_ATTRIBUTES, len(_ATTRIBUTES))
    while names and len(json.dumps(told)) < size - 150:
        attributes[names.pop()] = [[_value(same), chosen.randint(1, number + 1)] for _ in range(same.randint(1, 4))]
    return json.dumps(told)[:LARGEST]


def _symbol(chosen: random.Random) -> str:
    name = "::".join(chosen.choice(_NOUNS) for _ in range(chosen.randint(1, 3)))
    return f"{name}::{chosen.choice(_VERBS)}_{chosen.choice(_NOUNS)}({chosen.choice(_TYPES)})"


def _value(chosen: random.Random) -> str:
    return chosen.choice((f"{chosen.getrandbits(32):08x}", str(chosen.randrange(10**6)), chosen.choice(_WORDS)))


def post(address: tuple[str, int], file: Path, clients: int, seconds: int, path: str = PATH) -> Observation:
    """So many clients, each posting as fast as it is answered. Raises RuntimeError where one request was not answered 2xx."""
    host, port = address
    bounds = ["-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s"]
    arguments = [str(file), path, LOGIN, str(next(_counts))]
    command = ["wrk", *bounds, "-s", str(SCRIPT), f"http://{host}:{port}", "--", *arguments]
    before = _spent()
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout.splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise RuntimeError(f"{host}:{port} did not answer well: {told}")
    return Observation(told["requests"] / told["seconds"], told["p50"], told["p99"], (_spent() - before) / seconds)


def _spent() -> float:
    """Seconds of CPU that children which have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
