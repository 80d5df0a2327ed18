"""`make docs`: the generated parts of the documents. A test compares them with the program."""

import ast
import inspect
import itertools
import json
import re
import textwrap
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from syncd import config
from syncd.core.budget import Limit
from syncd.operate import needs
from syncd.platform import metrics
from syncd.plugins.gitlab.settings import GitLabSettings
from tests.operate import statuses
from tests.simulation import controls

ROOT = Path(__file__).parents[1]
UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_TABLE = re.compile(r"<!-- keys of (\w+): ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)
_CONTROLS = re.compile(r"<!-- controls -->\n.*?<!-- end -->", re.DOTALL)
_STATES = re.compile(r"<!-- states -->\n.*?<!-- end -->", re.DOTALL)
_METRICS = re.compile(r"<!-- metrics -->\n.*?<!-- end -->", re.DOTALL)


def configure(page: str) -> str:
    """docs/configure.md with every table of keys as the model has it."""
    return _TABLE.sub(lambda match: "\n".join(_table(match[0].partition("\n")[0], match[1], match[2].split())), page)


def _table(mark: str, section: str, keys: list[str]) -> list[str]:
    model = GitLabSettings if section == "GitLabSettings" else getattr(config, section)
    fields: dict[str, FieldInfo] = model.model_fields
    texts = _texts(model)
    rows = [f"| `{key}` | {_default(fields[key])} | {texts.get(key, '')} |" for key in keys]
    return [mark, "", "| key | default | |", "| --- | --- | --- |", *rows, "", "<!-- end -->"]


def _texts(section: type) -> dict[str, str]:
    """The text below each key, those of its base classes included. Pydantic could read it too, but would do so at every start of the program."""
    texts = {}
    for model in reversed([each for each in section.__mro__ if each.__module__.startswith("syncd.")]):
        (written,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
        assert isinstance(written, ast.ClassDef)
        for key, below in itertools.pairwise(written.body):
            match key, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[name] = " ".join(text.split())
    return texts


def documented(page: str) -> set[tuple[str, str]]:
    """Every key that a table has, with its section."""
    return {(section, key) for section, keys in _TABLE.findall(page) for key in keys.split()}


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    if value in (None, "") or hasattr(value, "model_fields_set"):
        return "none"
    durations = "_seconds" in repr(field.annotation) + repr(field.metadata)
    return f"`{_written(value, durations)}`"


def _written(value: Any, duration: bool) -> str:
    """As TOML has it."""
    if isinstance(value, list):
        return f"[{', '.join(_written(item, duration) for item in value)}]"
    if isinstance(value, Limit):
        return f'"{value.count}/{_duration(value.seconds)}"'
    if duration and isinstance(value, float):
        return f'"{_duration(value)}"'
    return json.dumps(value, ensure_ascii=False)


def _duration(seconds: float) -> str:
    unit, size = (
        next((unit, size) for unit, size in UNITS if seconds >= size and seconds % size == 0) if seconds else UNITS[-1]
    )
    return f"{seconds / size:g}{unit}"


def measured(page: str) -> str:
    """docs/metrics.md with the table of every metric."""
    lines = ["<!-- metrics -->", "", "| metric | label | |", "| --- | --- | --- |", *_metrics(), "", "<!-- end -->"]
    return _METRICS.sub("\n".join(lines), page)


def counted() -> list[Any]:
    """Every metric that this process counts itself."""
    return [
        value for value in vars(metrics).values() if hasattr(value, "_documentation") and hasattr(value, "_labelnames")
    ]


_ENDS = {"counter": "_total", "info": "_info"}


def _metrics() -> list[str]:
    rows = [
        f"| `{metric._name}{_ENDS.get(metric._type, '')}` | {', '.join(metric._labelnames)} | {metric._documentation} |"
        for metric in counted()
    ]
    return rows + [f"| `{name}` | {label or ''} | {help_text} |" for name, (help_text, label) in metrics.GAUGES.items()]


def guarded(page: str) -> str:
    """docs/states.md with the table of every control of the simulation."""
    rows = [f"| {control.guard} | {control.profile or 'all'} | {control.seeds:,} |" for control in controls.CONTROLS]
    lines = ["<!-- controls -->", "", "| guard | histories | seeds |", "| --- | --- | --- |", *rows, "", "<!-- end -->"]
    return _CONTROLS.sub(lambda _: "\n".join(lines), page)


def signalled(page: str) -> str:
    """docs/runbook.md with the table of what every place shows in each state."""
    head = ["what happened", "`syncd status`", "exit code", "console", "`/readyz`", "`syncd_needs`", "alert"]
    rows = [["nothing: all is well", "✓ All is well.", "0", "✓ All is well.", "200", "", ""]]
    for case, (state, status) in statuses.CASES.items():
        items = needs.needs(status, statuses.NOW)
        well, sentence = needs.sentence(items)
        (item,) = items
        mark, ready = ("✓", "-") if well else ("!", "!"), "503" if status["store"]["fault"] else "200"
        command = f" (`syncd {item.command}`)" if item.command else ""
        heading = f"{mark[0]} {sentence}" + (f" → `{item.page}`" if item.page else "")
        # The console has the metrics: without one only Prometheus' own `up` is left.
        alarm = "no_daemon" if state == "no_console" else state
        name = f"Syncd{alarm.title().replace('_', '')}" if item.alarm else ""
        alert = f"[{name}](#{name.lower()})" if name else ""
        shown_by_daemon = {
            "no_daemon": ["no answer", "no answer", ""],
            "no_console": ["no answer", f"{ready}, of the receiver", ""],
        }.get(state, [heading, ready, f"`{state}`"])
        rows.append([case, f"{mark[1]} {item.what}{command}", "0" if well else "3", *shown_by_daemon, alert])
    unread = "syncd: cannot tell whether all is well: the database … cannot be used: …"
    alert = "[SyncdStoreFault](#syncdstorefault)"
    rows.append(["the store cannot be read", unread, "75", "503 with the reason", "503", "`store_fault`", alert])
    missing = "syncd: no daemon has run with this configuration, or its store was deleted: …"
    rows.append(["the store's file does not exist", missing, "3", *rows[-1][3:]])
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return _STATES.sub(lambda _: "\n".join(["<!-- states -->", "", *lines, "", "<!-- end -->"]), page)


PAGES = {
    "docs/runbook.md": signalled,
    "docs/configure.md": configure,
    "docs/metrics.md": measured,
    "docs/states.md": guarded,
}


def main() -> None:
    """Write them."""
    for name, generate in PAGES.items():
        path = ROOT / name
        path.write_text(generate(path.read_text()))


if __name__ == "__main__":
    main()
