"""The report: one HTML file that needs nothing else, in light and dark.

Whatever a stranger wrote is escaped by the template (and by the charts' XML writer), and the page forbids scripts.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO
from xml.etree import ElementTree

import pygal
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from pygal.style import Style

from screener import __version__
from screener.policy.phrase import duration, plural
from screener.policy.verdict import Treatment
from screener.replay.compass import Direction
from screener.replay.result import Result

# It puts an importer for plug-ins with maps in front of everybody's imports, in a form that Python 3.12 dropped.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]

DAYS: Final = 400
"""Days of the chart of days: the last ones."""
DIDS: Final = 15
REASONS: Final = 20

_SCRIPT: Final = "script"
_STYLE: Final = Style(
    background="transparent",
    plot_background="transparent",
    # The page has these colours, for light and for dark.
    foreground="var(--ink)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--faint)",
    font_family="inherit",
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    tooltip_font_size=13,
    opacity=".9",
    opacity_hover="1",
    transition="0s",
)


def write_report(file: TextIO, result: Result) -> None:
    """Write the report of a replay."""
    environment = Environment(
        loader=PackageLoader("screener.replay", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["duration"] = duration
    environment.filters["number"] = lambda value: f"{value:,.0f}"
    environment.filters["share"] = lambda value: "-" if value is None else f"{value:.1%}"
    tally = result.sheets[0].tally
    page = environment.get_template("report.html.j2").render(
        version=__version__,
        result=result,
        sheets=result.sheets,
        main=result.sheets[0],
        tally=tally,
        directions={str(direction): result.played.directions[direction] for direction in Direction},
        treatments=[one for one in Treatment if any(sheet.tally.treatments[one] for sheet in result.sheets)],
        plural=plural,
        time=result.times.text,
        passed=Treatment.PASS,
        charts=_charts(result),
        campaigns=tally.campaigns.found(),
        codes=_codes(result),
        dids=sorted(tally.dids.items(), key=lambda item: -item[1].total())[:DIDS],
    )
    file.write(page)


def _codes(result: Result) -> list[str]:
    together: Counter[str] = Counter()
    for sheet in result.sheets:
        together.update(sheet.tally.reasons)
    return [code for code, _ in together.most_common(REASONS)]


def _charts(result: Result) -> dict[str, Markup]:
    tally = result.sheets[0].tally
    days = sorted(tally.days)[-DAYS:]
    hours = range(24)
    charts = {
        "days": _stacked(days, [tally.days[day] for day in days], most_labels=12),
        "hours": _stacked([f"{hour:02}" for hour in hours], [tally.hours.get(hour, {}) for hour in hours]),
    }
    codes = _codes(result)
    if codes:
        series = [(sheet.name, [sheet.tally.reasons[code] for code in codes]) for sheet in result.sheets]
        charts["reasons"] = _bars(codes, series)
    return charts


def _stacked(labels: Sequence[str], counts: Sequence[Mapping[Treatment, int]], most_labels: int = 24) -> Markup:
    chart = pygal.StackedBar(**_options(320), show_minor_x_labels=len(labels) <= most_labels)
    chart.x_labels = labels
    chart.x_labels_major_every = max(1, -(-len(labels) // most_labels))
    met = [one for one in Treatment if any(count.get(one, 0) for count in counts)]
    for treatment in met:
        chart.add(str(treatment), [count.get(treatment, 0) for count in counts])
    return _drawn(chart, [f"var(--{treatment})" for treatment in met])


def _bars(labels: Sequence[str], series: Iterable[tuple[str, Sequence[int]]]) -> Markup:
    chart = pygal.HorizontalBar(**_options(80 + 30 * len(labels)))
    # It draws from the bottom up.
    chart.x_labels = labels[::-1]
    names = list(series)
    chart.show_legend = len(names) > 1
    for name, counts in names:
        chart.add(name, counts[::-1])
    return _drawn(chart, ["var(--one)", "var(--other)"])


def _options(height: int) -> dict[str, Any]:
    return {
        "style": _STYLE, "js": (), "width": 960, "height": height, "legend_at_bottom": True, "legend_box_size": 12,
        "truncate_legend": -1, "truncate_label": 40, "margin": 8, "no_data_text": "no calls",
        "value_formatter": lambda value: f"{value:,.0f}",
    }  # fmt: skip


def _drawn(chart: Any, colours: Sequence[str]) -> Markup:
    """Return the chart as markup: without its script, which only moved tooltips about."""
    chart.config.style = Style(**{**_STYLE.to_dict(), "colors": tuple(colours)})
    tree = chart.render_tree()
    for parent in tree.iter():
        for child in list(parent):
            if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == _SCRIPT:
                parent.remove(child)
            elif not isinstance(child.tag, str):
                parent.remove(child)  # a comment with addresses elsewhere
    drawn = ElementTree.tostring(tree, encoding="unicode")
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn))  # noqa: S704 - an XML writer escaped what is in it
