"""The configuration file: YAML in, settings out, or every fault of it with its line."""

import difflib
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from screener.asterisk.ami_settings import AmiSettings
from screener.asterisk.fastagi_settings import FastAgiSettings
from screener.asterisk.settings import AriSettings, OverloadSettings, PromptSettings
from screener.memory.settings import JournalSettings, MemorySettings
from screener.policy.faults import UnusableSettingError
from screener.policy.policy import compile_policy
from screener.policy.section import Section
from screener.policy.settings import PolicySettings
from screener.policy.text import printable
from screener.policy.verdict import Treatment
from screener.telling.settings import MetricsSettings, WebhookSettings

LARGEST_FILE: Final = 8 << 20
"""Bytes: some 100,000 list entries."""
DEEPEST: Final = 20
"""Levels of nesting; ours need seven."""
SHOWN: Final = 60
"""Characters of a wrong value that a message quotes."""
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where there is one: a list of 100,000 numbers takes 5 s with it and 24 s without."""
ANY_ENTRY: Final = "+1*"
"""An entry of a list of numbers that is right everywhere."""

_MEMBER: Final = re.compile(r"<\w+\.\w+: ('[^']*')>")
_QUOTED: Final = re.compile(r"'([^']*)'")
_MANY: Final = frozenset({"calendars", "dids", "feeds", "groups"})
"""Sections of sections: what one of them knows is no key of their own."""
_HINTS: Final = {
    "cannot start any token": "; a tab, perhaps: YAML is indented by spaces",
    "tab character": ": YAML is indented by spaces",
    "mapping values are not allowed": "; a line that is indented differently from its neighbours, perhaps",
    "did not find expected key": "; a line that is indented differently from its neighbours, perhaps",
}
_PLAINER: Final = {
    "a valid tuple": "a list",
    "a valid dictionary": "a section",
    "a valid number, unable to parse string as a number": "a number",
    "a valid integer, unable to parse string as an integer": "a whole number",
    "a valid URL, relative URL without a base": "an address with its scheme, such as http://127.0.0.1:8088",
    "expected greater": "expected a number greater",
    "expected less": "expected a number less",
    "expected False": "expected false",
}
"""What pydantic says, in words for who does not know Python."""

Path_ = tuple[str | int, ...]


class LogSettings(Section):
    """What the daemon writes to standard error, that is, to the system's journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """`info` has a line for each call; `warning` only what somebody should look at."""
    lines_per_second: int = Field(default=200, ge=1, le=100_000)
    """Lines a second at the most (warnings: twice that); what is dropped is counted in the next line."""


class Config(Section):
    """All of the configuration file."""

    policy: PolicySettings
    asterisk: AriSettings = AriSettings()
    ami: AmiSettings = AmiSettings()
    fastagi: FastAgiSettings = FastAgiSettings()
    journal: JournalSettings = JournalSettings()
    memory: MemorySettings = MemorySettings()
    prompts: PromptSettings = PromptSettings()
    overload: OverloadSettings = OverloadSettings()
    webhook: WebhookSettings = WebhookSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _overload_has_a_box(self) -> Self:
        if self.overload.treatment is Treatment.VOICEMAIL and self.policy.voicemail.mailbox is None:
            raise ValueError("overload.treatment is voicemail, but no mailbox is set (policy.voicemail.mailbox)")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong in a file."""

    line: int
    path: str
    message: str


class ConfigError(Exception):
    """A configuration that cannot be used; says all that is wrong with it, a line for each."""

    def __init__(self, file: Path | str, *faults: Fault) -> None:
        self.faults = sorted(faults, key=lambda fault: (fault.line, fault.path))
        lines = (
            ": ".join(filter(None, (f"{file}:{fault.line}" if fault.line else str(file), fault.path, fault.message)))
            for fault in self.faults
        )
        super().__init__("\n".join(lines))


def load(file: Path) -> Config:
    """Read and validate a configuration file. Raises ConfigError."""
    try:
        mode = file.stat().st_mode
        with file.open("rb") as opened:
            text = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(file, Fault(line=0, path="", message=f"cannot be read: {error.strerror}")) from error
    if len(text) > LARGEST_FILE:
        raise ConfigError(file, Fault(line=0, path="", message=f"longer than {LARGEST_FILE >> 20} MB"))
    config = parse(text, file)
    for path, written in (("asterisk.password", config.asterisk.password), ("ami.secret", config.ami.secret)):
        if written is not None and mode & stat.S_IROTH:
            message = f"holds a password and is readable by everybody: chmod 640 {file}"
            raise ConfigError(file, Fault(line=0, path=path, message=message))
    return config


def parse(text: bytes, file: Path | str = "<text>") -> Config:
    """Validate the text of a configuration file. Raises ConfigError with all faults."""
    document = _Document(text, file)
    faults = list(document.faults)
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        told = {fault.path for fault in faults}
        faults += [fault for one in wrong if (fault := _fault(document, one)).path not in told]
        # What is right may hold numbers that cannot be read: those are told in the same breath.
        for one in wrong:
            _remove(document.data, one["loc"])
        try:
            config = Config.model_validate(document.data)
        except ValidationError:
            raise ConfigError(file, *faults) from None
    faults += _unusable(document, config)
    if faults:
        raise ConfigError(file, *faults)
    return config


class _Document:
    """A YAML file as plain data, and where each part of it stands."""

    def __init__(self, text: bytes, file: Path | str) -> None:
        self.lines: dict[Path_, int] = {}
        self.written: dict[Path_, str] = {}
        """Each scalar as it was written, before YAML made a number or a truth of it."""
        self.faults: list[Fault] = []
        self._seen: set[int] = set()
        self._loader = yaml.SafeLoader(b"")
        try:
            root = _compose(text)
            self.data = {} if root is None else self._value(root, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or error.context or ""
            hint = next((hint for part, hint in _HINTS.items() if part in problem), "")
            what = printable(f"not YAML: {problem}{hint}", 200)
            raise ConfigError(file, Fault(line=mark.line + 1 if mark else 0, path="", message=what)) from None
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            what = printable(f"not YAML: {str(error).splitlines()[0]}", 200)
            raise ConfigError(file, Fault(line=0, path="", message=what)) from None

    def line(self, path: Path_) -> int:
        """Return the line of the nearest part of `path` that stands in the file."""
        return next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), 1)

    def _value(self, node: yaml.Node, path: Path_) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            return self._refuse(path, "anchors and aliases (& and *) are not used here: write it out")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, place)) for place, item in enumerate(node.value)]
        self.written[path] = node.value
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            what = "no such date or time" if node.tag.endswith(":timestamp") else "no value that is understood here"
            return self._refuse(path, f"{what}: {_quoted(node.value)}")

    def _items(self, node: yaml.MappingNode, path: Path_) -> Iterator[tuple[str, Any]]:
        names: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            here = (*path, name)
            self.lines.setdefault(here, key.start_mark.line + 1)
            if name in names:
                self.faults.append(
                    Fault(line=key.start_mark.line + 1, path=_dotted(here), message="this key stands here twice")
                )
            names.add(name)
            yield name, self._value(value, here)

    def _refuse(self, path: Path_, message: str) -> None:
        self.faults.append(Fault(line=self.line(path), path=_dotted(path), message=message))


def _compose(text: bytes) -> yaml.Node | None:
    """Return the tree of a YAML text. Raises yaml.YAMLError, and UnicodeDecodeError.

    The depth is looked at first: libyaml's composer overflows the stack of the process on a hundred thousand brackets.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = event.start_mark
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)  # type: ignore[arg-type]
    node: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    return node


def _fault(document: _Document, error: Any) -> Fault:
    path: Path_ = error["loc"]
    # A ladder or an entry may be of several types; pydantic then adds the type's name to the path.
    while path and path not in document.lines and error["type"] != "missing":
        path = path[:-1]
    return Fault(line=document.line(path), path=_dotted(path), message=_message(document, error, path))


def _message(document: _Document, error: Any, path: Path_) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _keys(path[:-1])
        meant = _below(path) or _nearest(str(path[-1]), known) or f"expected one of {', '.join(sorted(known))}"
        return f"there is no such key; {meant}"
    if kind == "missing":
        return "this key is needed and is missing"
    if kind == "model_type" and not (path and isinstance(path[-1], int)):
        return f"expected a section, with keys such as {_keys(path)[0]}"
    if "password" in path or "secret" in path:
        return "expected text in quotes"
    if path[:2] == ("policy", "bypass") and path[-1:] == ("code",):
        return _about_value(kind, error["msg"], None) if kind == "value_error" else "expected digits in quotes"
    # An address may hold a password where none belongs: not quoted.
    return _about_value(kind, error["msg"], None if path[-1:] == ("url",) else document.written.get(path))


def _about_value(kind: str, message: str, written: str | None) -> str:
    """Say what is wrong with a value; `written` is how it stands in the file, if it is a scalar."""
    if kind in ("string_type", "model_type") and written is not None:
        return f"expected text, but YAML reads {_quoted(written)} as something else: put it in quotes"
    # Of a choice among members of an enumeration pydantic shows what Python calls them.
    said = _MEMBER.sub(r"\1", message).removeprefix("Value error, ").replace("Input should be", "expected")
    for theirs, ours in _PLAINER.items():
        said = said.replace(theirs, ours)
    if written is None:
        return said
    nearest = _nearest(written, _QUOTED.findall(said)) if kind in ("enum", "literal_error") else ""
    return f"{said}, not {_quoted(written)}" + (f"; {nearest}" if nearest else "")


def _nearest(written: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(written, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else ""


def _below(path: Path_) -> str:
    """Ask whether a key belongs into a section beside it, if it can only be that one."""
    name = str(path[-1])
    beside = [section for section in _keys(path[:-1]) if section not in _MANY]
    found = [section for section in beside if name in _keys((*path[:-1], section))]
    return f"did you mean {_dotted((*path[:-1], found[0], name))}?" if len(found) == 1 else ""


def _keys(path: Path_) -> list[str]:
    """Return the keys that the section at `path` knows."""
    models: list[type[BaseModel]] = [Config]
    for part in path:
        inner = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        # A place in a list and a DID lead into the element, which the field's annotation already gave.
        models = [found for annotation in inner for found in _models(annotation)] or models
    return [name for model in models for name in model.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _unusable(document: _Document, config: Config) -> list[Fault]:
    """Return a fault for each setting that is well formed and cannot be used."""
    try:
        compile_policy(config.policy)
    except* UnusableSettingError as group:
        paths = [
            (("policy", *one.path), one.message) for one in group.exceptions if isinstance(one, UnusableSettingError)
        ]
        found = [Fault(line=document.line(path), path=_dotted(path), message=message) for path, message in paths]
    else:
        found = []
    return found


def _remove(data: Any, path: Path_) -> None:
    """Take out what stands at `path`, or the part of it that there is.

    An entry in a list of numbers is replaced, so that the others keep their places and are looked at too.
    """
    if path[:2] == ("policy", "lists") and len(path) > 3 and isinstance(data["policy"]["lists"][path[2]], list):
        data["policy"]["lists"][path[2]][path[3]] = ANY_ENTRY
        return
    for part in path[:-1]:
        try:
            inner = data[part]
        except (KeyError, IndexError, TypeError):
            return
        if not isinstance(inner, dict | list):
            break
        data = inner
    if isinstance(data, dict) and path:
        data.pop(path[-1], None)


def _dotted(path: Path_) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{printable(part, SHOWN)}" for part in path)
    return "".join(parts).lstrip(".")


def _quoted(text: str) -> str:
    return repr(printable(text, SHOWN))
