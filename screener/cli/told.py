"""What `replay` and `tune` print. A stranger's text is printable by the time it comes here, and is never markup."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import click
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from screener.cli.show import COLOURS
from screener.policy.phrase import duration
from screener.policy.verdict import Treatment
from screener.replay.compass import Direction
from screener.replay.faults import Faults
from screener.replay.knobs import written
from screener.replay.result import Result, Sheet
from screener.replay.tally import Listed, Scores, by_treatment
from screener.replay.times import LocalTimes
from screener.replay.tune import Compared, Tuned, interval

SHOWN: Final = 10
"""Calls, called numbers and campaigns that are shown on a terminal; `--json` and the report have more."""


def faults(found: Faults) -> None:
    """Print the rows that were skipped, on standard error."""
    for line in found.shown:
        click.echo(line, err=True)
    if found.untold:
        click.echo(f"... and {found.untold} more", err=True)


def replayed(result: Result) -> None:
    """Print what came of a replay."""
    faults(result.faults)
    first, last = result.span
    directions = result.played.directions
    _line(f"{_many(result.book.rows, 'row')}, {_many(len(result.book), 'call')} from {first} to {last}", "bold")
    if result.faults.count:
        _line(f"{_many(result.faults.count, 'bad row')} skipped", "yellow")
    _line(
        f"{_many(directions[Direction.INBOUND], 'inbound call')} judged; "
        f"{_many(directions[Direction.OUTBOUND], 'outbound call')} gave the called numbers trust; "
        f"{_many(directions[Direction.INTERNAL], 'internal one')} left out"
    )
    for hint in result.hints:
        _line(hint, "yellow")
    for sheet in result.sheets:
        _line(f"policy {sheet.version} ({sheet.name}), as if its mode were live", "dim")
    main = result.sheets[0]
    if not main.tally.calls:
        return
    _false_alarms(result.sheets)
    _treatments(result.sheets)
    _reasons(result.sheets)
    _labels(result.sheets)
    _differences(result)
    _dids(main)
    _hours(main)
    _shut_out(main)
    _campaigns(main, result)
    _notices(result)


def tuned(found: Tuned, name: str, times: LocalTimes) -> None:
    """Print a policy as YAML, with what it would change in comments, so that the output is a configuration file."""
    bound = 1000 * found.bound
    lines = [
        f"the policy of {name}, searched for at most {bound:g} false alarms in 1,000 wanted calls",
        "",
        *_compared(f"calls before {times.text(found.split)}, which the search has seen", found.searched),
        *_compared(f"calls from {times.text(found.split)} on, which it has not seen", found.checked),
        "",
    ]
    if found.left_out:
        lines.insert(1, f"the first {found.left_out:,} calls were too many and are left out")
    after = found.checked.after
    low, high = interval(after.false_positives, after.wanted.total())
    measured = (
        f"{after.false_positives} of {after.wanted.total()} wanted calls: {1000 * low:.1f} to {1000 * high:.1f} "
        "in 1,000 with 95 % confidence"
    )
    if not found.changes:
        lines.append("nothing better was found: this is the policy as it was")
    if found.searched.after.false_positives > found.bound * found.searched.after.wanted.total():
        lines.append("the search did not get below the bound on the calls that it has seen: give it more --rounds")
    if found.holds:
        lines.append(f"the bound holds on the calls that were not seen ({measured})")
    else:
        lines.append(f"THE BOUND DOES NOT HOLD on the calls that were not seen ({measured})")
        click.echo(lines[-1], err=True)
    for line in lines:
        click.echo(f"# {line}".rstrip())
    click.echo(as_yaml(found))


def _compared(what: str, scores: Compared) -> list[str]:
    return [f"{what}:", f"  before: {verdict_on(scores.before)}", f"  after:  {verdict_on(scores.after)}"]


def as_yaml(found: Tuned) -> str:
    """Return the policy as YAML; what was turned says what it was."""
    text = yaml.safe_dump({"policy": written(found.settings)}, sort_keys=False, allow_unicode=True)
    lines, root = text.splitlines(), yaml.compose(text, Loader=yaml.SafeLoader)
    for path, (old, _) in found.changes.items():
        node = root
        for part in ("policy", *path):
            if isinstance(node, yaml.MappingNode):
                node = next(value for key, value in node.value if key.value == str(part))
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part]
        if node is not None:
            lines[node.start_mark.line] += f"  # was {old:g}"
    return "\n".join(lines)


def _false_alarms(sheets: Sequence[Sheet]) -> None:
    main, *others = (sheet.tally for sheet in sheets)
    _head(
        f"Likely false alarms: {_n(main.long_stopped)} of {_n(main.long_calls)} calls with a long conversation "
        "would not have passed" + "".join(f", and {_n(other.long_stopped)} by the other policy" for other in others)
    )
    _calls(main.likely_false_alarms)


def _shut_out(sheet: Sheet) -> None:
    if sheet.tally.shut:
        _head("Without a way through to a person (voicemail, busy, tarpit, reject), the first")
        _calls(sheet.tally.shut)


def _calls(found: Sequence[Listed]) -> None:
    for one in found[:SHOWN]:
        talked = f", talked {duration(one.talked)}" if one.talked else ""
        name = f" {one.name!r}" if one.name else ""
        _print(
            Text.assemble(
                (f"  {one.start}  ", "dim"),
                (f"{one.caller}{name}", "bold"),
                f" to {one.did}{talked}: ",
                (str(one.treatment), COLOURS.get(one.treatment, "")),
                f", because {one.why}",
            )
        )
    if len(found) > SHOWN:
        _line(f"  ... and more: --report and --json list {len(found)}", "dim")


def _treatments(sheets: Sequence[Sheet]) -> None:
    _head("Treatments")
    rows: list[Sequence[str | Text]] = [
        [
            Text(str(treatment), COLOURS.get(treatment, "")),
            *_figures(sheets, [s.tally.treatments[treatment] for s in sheets]),
        ]
        for treatment in Treatment
        if any(sheet.tally.treatments[treatment] for sheet in sheets)
    ]
    _table(rows)


def _reasons(sheets: Sequence[Sheet]) -> None:
    codes = Counter[str]()
    for sheet in sheets:
        codes.update(sheet.tally.reasons)
    if codes:
        _head("Reasons, for and against; a call may have several")
        _table([code, *_figures(sheets, [s.tally.reasons[code] for s in sheets])] for code, _ in codes.most_common())
    shadowed = sheets[0].tally.shadowed
    if shadowed:
        _head("Reasons of rules in shadow mode, which added nothing")
        _table([code, _n(count)] for code, count in shadowed.most_common())


def _labels(sheets: Sequence[Sheet]) -> None:
    if not any(sheet.tally.is_labelled for sheet in sheets):
        return
    _head("By labels")
    for sheet in sheets:
        scores, name = sheet.tally.labels, f"{sheet.version}: " if len(sheets) > 1 else ""
        _line(f"  {name}{verdict_on(scores)}")
    rows: list[Sequence[str | Text]] = [["", "", "passed", "did not pass", "of these without a way through"]]
    for sheet in sheets:
        scores, name = sheet.tally.labels, sheet.version if len(sheets) > 1 else ""
        wanted, spam = scores.wanted, scores.spam
        rows.append([name, "wanted", _n(wanted[Treatment.PASS]), _n(scores.false_positives), _n(scores.shut_out)])
        shut = scores.true_positives - sum(spam[t] for t in (Treatment.ANNOUNCE, Treatment.MENU, Treatment.CAPTCHA))
        rows.append([name, "spam", _n(spam[Treatment.PASS]), _n(scores.true_positives), _n(shut)])
    _table(rows)


def verdict_on(scores: Scores) -> str:
    """Return precision, recall and false alarms in a sentence."""
    precision, recall, alarms = scores.precision, scores.recall, scores.false_alarms_per_1000
    return ", ".join((
        f"recall {recall:.1%} of spam" if recall is not None else "no spam",
        f"precision {precision:.1%}" if precision is not None else "nothing stopped",
        f"{alarms:.1f} false alarms in 1,000 wanted calls" if alarms is not None else "no wanted calls",
    ))  # fmt: skip


def _differences(result: Result) -> None:
    if result.differences is None:
        return
    found = result.differences
    _head(f"Treated differently: {_many(found.count, 'call')}")
    _table([f"{one} -> {other}", _n(count)] for (one, other), count in found.moves.most_common())
    for one, other in found.listed[:SHOWN]:
        _print(
            Text.assemble(
                (f"  {one.start}  ", "dim"),
                (one.caller, "bold"),
                f" to {one.did}: ",
                (str(one.treatment), COLOURS.get(one.treatment, "")),
                f" ({one.why}) -> ",
                (str(other.treatment), COLOURS.get(other.treatment, "")),
                f" ({other.why})",
            )
        )
    if found.count > SHOWN:
        _line(f"  ... and more: --report and --json list {len(found.listed)}", "dim")


def _dids(sheet: Sheet) -> None:
    _head("By called number")
    dids = sorted(sheet.tally.dids.items(), key=lambda item: -item[1].total())
    _spread([(did, counts) for did, counts in dids[:SHOWN]])
    if len(dids) > SHOWN:
        _line(f"  ... and {len(dids) - SHOWN} more", "dim")


def _hours(sheet: Sheet) -> None:
    _head("By hour of the day")
    _spread([(f"{hour:02}", sheet.tally.hours[hour]) for hour in sorted(sheet.tally.hours)])


def _spread(counted: Sequence[tuple[str, Counter[Treatment]]]) -> None:
    met = [treatment for treatment in Treatment if any(counts[treatment] for _, counts in counted)]
    rows: list[Sequence[str | Text]] = [["", *(Text(str(treatment), COLOURS.get(treatment, "")) for treatment in met)]]
    rows.extend([name, *(_n(by_treatment(counts)[str(treatment)]) for treatment in met)] for name, counts in counted)
    _table(rows)


def _campaigns(sheet: Sheet, result: Result) -> None:
    found = sheet.tally.campaigns.found()
    if not found:
        return
    _head("Campaigns, the largest")
    _table(
        [
            one.kind, one.what, _many(one.calls, "call"), _many(one.numbers, "caller"), _many(one.dids, "DID"),
            f"{result.times.text(one.first)} to {result.times.text(one.last)}",
        ]
        for one in found[:SHOWN]
    )  # fmt: skip
    if len(found) > SHOWN:
        _line(f"  ... and {len(found) - SHOWN} more", "dim")


def _notices(result: Result) -> None:
    if result.played.notices:
        _head("What the policy would have told you")
        for one in result.played.notices[:SHOWN]:
            _line(f"  {result.times.text(one.at)}  {one.code}: {one.text}")


def _figures(sheets: Sequence[Sheet], counts: Iterable[int]) -> list[str]:
    cells = []
    for sheet, count in zip(sheets, counts, strict=True):
        cells += [_n(count), f"{count / max(sheet.tally.calls, 1):.1%}"]
    return cells


def _table(rows: Iterable[Sequence[str | Text]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    filled = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    for position in range(len(filled[0]) if filled else 0):
        is_figure = all(row[position].plain[:1].isdigit() or not row[position].plain for row in filled[1:])
        table.add_column(justify="right" if position and is_figure else "left", no_wrap=True)
    for row in filled:
        table.add_row(*row)
    _console().print(table)


def _head(text: str) -> None:
    _print(Text(f"\n{text}", "bold"))


def _line(text: str, style: str = "") -> None:
    _print(Text(text, style))


def _print(text: Text) -> None:
    # Long sentences wrap in a terminal, and stay on one line in a pipe.
    Console(highlight=False, soft_wrap=True).print(text)


def _console() -> Console:
    console = Console(highlight=False)
    # A pipe is as wide as what is written into it.
    return console if console.is_terminal else Console(highlight=False, width=400)


def _n(count: float) -> str:
    return f"{count:,.0f}"


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"
