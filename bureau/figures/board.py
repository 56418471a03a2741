"""What the dashboard shows: tiles and charts that the rooms plug in. Each tile is one figure, each bar a part of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bureau.figures.figure import Asked, Figure


@dataclass(frozen=True)
class Line:
    """The small line of a tile: what, how much, and how it should strike (`bad`, `warn`, `down-g`, `up-n`)."""

    text: str
    value: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Tile:
    """One indicator at the top of the dashboard. `line` and `foot` are asked only when the tile is drawn.

    A `private` one is drawn only for those who may open its rows: where few are counted, the number itself tells.
    """

    figure: Figure
    icon: str
    tone: str
    line: Callable[[Asked], Line]
    foot: Callable[[Asked], str] = field(default=lambda asked: "")
    private: bool = False


@dataclass(frozen=True)
class Series:
    """One colour of a chart. `meaning` is due, done, trouble or returned, which look the same on every chart.

    `urls[i]` opens the rows behind `values[i]`.
    """

    name: str
    meaning: str
    values: list[int]
    urls: list[str | None]


@dataclass(frozen=True)
class ChartData:
    labels: list[str]
    series: list[Series]
    unit: str

    @property
    def is_empty(self) -> bool:
        return not any(any(series.values) for series in self.series)

    @property
    def table(self) -> list[tuple[str, list[tuple[int, str | None, str]]]]:
        """The same numbers row by row, each with its link and meaning."""
        return [
            (label, [(series.values[i], series.urls[i], series.meaning) for series in self.series])
            for i, label in enumerate(self.labels)
        ]

    @property
    def totals(self) -> list[int]:
        return [sum(series.values) for series in self.series]

    def as_json(self) -> dict:
        return {
            "labels": self.labels,
            "unit": self.unit,
            "series": [
                {"name": s.name, "meaning": s.meaning, "values": s.values, "urls": s.urls}
                for s in self.series
            ],
        }


@dataclass(frozen=True)
class Chart:
    """One question, said in the title. `axis` is what the labels are, for the table view; `hint` how to use it."""

    code: str
    title: str
    axis: str
    hint: str
    right: str
    data: Callable[[Asked], ChartData]


def divided(
    asked: Asked, part: str, groups: Sequence[tuple[object, str]], shown: Sequence[tuple[str, str, Figure]]
) -> ChartData:
    """Figures side by side, by `part`: `groups` are (value, label) in their order, `shown` (name, meaning, figure).

    Groups in which nothing is counted are left out; rows without a value belong to a group of NO_PART.
    """
    counts = [figure.counts(asked, part) for _, _, figure in shown]
    groups = [(value, label) for value, label in groups if any(count.get(value) for count in counts)]
    series = [
        Series(
            name,
            meaning,
            [count.get(value, 0) for value, _ in groups],
            [figure.url(asked.of(**{part: str(value)})) for value, _ in groups],
        )
        for (name, meaning, figure), count in zip(shown, counts, strict=True)
    ]
    return ChartData([label for _, label in groups], series, shown[0][2].unit.label)


_tiles: dict[str, Tile] = {}
_charts: dict[str, Chart] = {}
_tables: dict[str, Chart] = {}


def register_tile(tile: Tile) -> None:
    _tiles[tile.figure.code] = tile


def register_chart(chart: Chart) -> None:
    _charts[chart.code] = chart


def tiles() -> list[Tile]:
    return list(_tiles.values())


def register_table(table: Chart) -> None:
    """The same thing as a chart, shown as a table across the page."""
    _tables[table.code] = table


def tables(account) -> list[Chart]:
    return [table for table in _tables.values() if account.may(table.right)]


def charts(account) -> list[Chart]:
    return [chart for chart in _charts.values() if account.may(chart.right)]
