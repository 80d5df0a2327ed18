"""Load: wrk with varied notifications of 1 to 4 KB, and what it saw."""

import base64
import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from syncd.receiver import PATH
from tests.prove.crashes import crash
from tests.system.daemon import PASSWORD

SCRIPT = Path(__file__).with_name("post.lua")
LOGIN = base64.b64encode(f"backtrace:{PASSWORD}".encode()).decode()
BODIES = 2000
GROUPS = 500  # so that most are repetitions, as in the field
SMALLEST, LARGEST = 1024, 4096
SEED = 7
_FRAMES = ("render", "physics", "audio", "net", "alloc", "parse", "script", "input", "save", "asset")


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one run: requests answered 2xx a second, and how long answers took in milliseconds."""

    rate: float
    p50: float
    p99: float


def bodies(folder: Path) -> Path:
    """A file of notifications, one a line, of SMALLEST to LARGEST bytes; the same ones each time."""
    chosen = random.Random(SEED)
    path = folder / "bodies"
    path.write_text("".join(f"{notification(number, chosen)}\n" for number in range(BODIES)))
    return path


def notification(number: int, chosen: random.Random) -> str:
    """One, as Backtrace writes them: a stack of calls, attributes with their histograms."""
    told = crash(number % GROUPS, total=number + 1)
    size = chosen.randint(SMALLEST, LARGEST)
    stack: list[str] = told["callstack"]
    while len(json.dumps(told)) < size * 3 // 4:
        stack.append(f"{chosen.choice(_FRAMES)}::{chosen.choice(_FRAMES)}_{chosen.randrange(10**6)}")
    attributes: dict[str, list[list[object]]] = told["attributes"]
    while (short := size - len(json.dumps(told))) > 40:
        attributes[f"hw.{chosen.randrange(10**5)}"] = [[f"{chosen.getrandbits(64):x}"[: short - 30], 1]]
    return json.dumps(told)


def post(address: tuple[str, int], file: Path, clients: int, seconds: int) -> Seen:
    """So many clients, each posting as fast as it is answered. Raises RuntimeError where one request was not answered 2xx."""
    host, port = address
    bounds = ["-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s"]
    command = ["wrk", *bounds, "-s", str(SCRIPT), f"http://{host}:{port}", "--", str(file), PATH, LOGIN]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout.splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise RuntimeError(f"{host}:{port} did not answer well: {told}")
    return Seen(told["requests"] / told["seconds"], told["p50"], told["p99"])
