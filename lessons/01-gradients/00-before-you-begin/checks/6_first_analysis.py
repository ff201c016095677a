"""Python: a first analysis. A messy file is made from clean records, so that what ought to be read is known."""

import contextlib
import csv
import io
import json
import math
import os
import re
import statistics
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from groundup.course import checkpoint

ABSENT = ("", "-", "?", "NA", "n/a", "NaN", "null", "None")
REASONS = ("fields", "date", "station", "number", "range")  # in the order in which they count


def plain(x):
    """A Counter, a defaultdict, a named tuple as the dictionary or tuple that it is as well."""
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return (list if isinstance(x, list) else tuple)(map(plain, x))
    return x


@checkpoint("Python: a first analysis, one cell at a time", count=20)
def cells(lib, texts, dates):
    module = lib.drills.analysis
    return {
        "parse_number": [number_or_error(module.parse_number, text) for text in texts],
        "parse_date": [number_or_error(module.parse_date, text) for text in dates],
    }


def number_or_error(parse, text):
    try:
        return parse(text)
    except ValueError:
        return "ValueError"


@cells.cases
def _(draw):
    numbers, dates = [measured(draw, 40.0) for _ in range(3)], [dated(draw) for _ in range(2)]
    bad = ["six", "1.2.3", "12 K", "inf", "-1e999", "--", "C", "3 4", "0x10"]
    texts = [text for text, _ in numbers] + [draw.choice(ABSENT), draw.choice(bad)]
    undated = draw.choice(["2024-02-30", "31.04.2024", "yesterday", "2024", "2024-13-01", ""])
    return dict(
        texts=texts,
        dates=[text for text, _ in dates] + [undated],
        _numbers=[number for _, number in numbers] + [math.nan, "ValueError"],
        _days=[day for _, day in dates] + ["ValueError"],
    )


@cells.edges
def _():
    return [
        dict(texts=["-1,5"], dates=["03.02.2024"], _numbers=[-1.5], _days=["2024-02-03"]),
        dict(texts=["2.5mm", "3 °C"], dates=["29.02.2024"], _numbers=[2.5, 3.0], _days=["2024-02-29"]),
        dict(texts=["n/a"], dates=["29.02.2023"], _numbers=[math.nan], _days=["ValueError"]),
    ]


@cells.oracle
def _(texts, dates, numbers, days):
    return {"parse_number": numbers, "parse_date": days}


def measured(draw, most):
    """A measure as somebody might write it, and what it is; or a word for none, and NaN."""
    if draw.boolean(0.2):
        return draw.choice(ABSENT), math.nan
    number = draw.integer(0, int(10 * most)) / 10
    text = draw.choice([f"{number}", f"{number}".replace(".", ","), f"{number:.2f}", f"{number:g}"])
    unit = draw.choice(["", "", " C", "°C", " mm", "mm"])
    return text + unit, number


def dated(draw):
    """A date in one of two forms, and in the first."""
    year, month, day = draw.choice([2024, 2023]), draw.integer(1, 12), draw.integer(1, 28)
    date = f"{year}-{month:02}-{day:02}"
    return draw.choice([date, f"{day:02}.{month:02}.{year}"]), date


def messy(draw, most=8):
    """Rows as they come in, with what is to become of them: known here because this is where they are spoilt."""
    stations = {
        "Hill": ["Hill", "hill", "HILL"],
        "Lake House": ["Lake House", "lake  house", "LAKE HOUSE"],
        "Ål": ["ål", "ÅL"],
    }
    line, rows, records, rejected, seen = 1, [], [], [], set()
    for _ in range(draw.integer(0, most)):
        line += 1
        if draw.boolean(0.1):
            line += 1  # an empty row in between
        (day, date), name = dated(draw) if draw.boolean(0.7) else ("2024-01-01",) * 2, draw.choice(list(stations))
        (temperature, degrees), (rain, amount) = measured(draw, 60.0), measured(draw, 500.0)
        if degrees == degrees and draw.boolean(0.4):
            temperature, degrees = f"-{temperature}", -degrees
        row = {"date": day, "station": draw.choice(stations[name]), "temperature": temperature, "rain": rain}
        wrong = {reason for reason in REASONS if draw.boolean(0.08)}
        if "date" in wrong:
            row["date"] = draw.choice(["2024-02-30", "", "Monday"])
        if "station" in wrong:
            row["station"] = draw.choice(ABSENT)
        if "number" in wrong:
            row["temperature"] = draw.choice(["cold", "1.2.3", "inf"])
        if "range" in wrong:
            row["rain"] = draw.choice(["-999", "500.1", "-0,1"])
        if not wrong and draw.boolean(0.1):
            row["temperature"], degrees = draw.choice([("-60", -60.0), ("60,0 C", 60.0)])
        reason = next((reason for reason in REASONS if reason in wrong), None)
        if reason is None and (date, name) in seen:
            reason = "duplicate"
        rows.append((line, None if "fields" in wrong else row))
        if reason is None:
            seen.add((date, name))
            records.append({"date": date, "station": name, "temperature": degrees, "rain": amount})
        else:
            rejected.append((line, reason))
    return rows, records, rejected


def file_of(draw, rows):
    """The text of a file with such rows, and what reading it gives: a further column, or quotes, may have come in."""
    delimiter, end = draw.choice([",", ";"]), draw.choice(["\n", "\r\n"])
    columns = ["date", "station", "temperature", "rain", *draw.choice([[], ["note"]])]
    columns = [columns[i] for i in draw.permutation(len(columns))]
    heads = [draw.choice([name, name.upper(), f" {name.title()} "]) for name in columns]
    lines, read = [delimiter.join(heads)], []
    for line, row in rows:
        while len(lines) < line - 1:
            lines.append(draw.choice(["", delimiter * 3, "  "]))
        if row is None:
            values, got = ["2024-01-01", "Hill", "cut off"], None
        else:
            note = draw.choice(["", "calm", 'they said "cold", twice; no more'])
            got = {**row, "note": note}
            got = {name: got[name] for name in columns}
            values = [draw.choice(["", " "]) + got[name] + draw.choice(["", "  "]) for name in columns]
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator="").writerow(values)
        lines.append(out.getvalue())
        if row is None or any(value.strip() for value in values):
            read.append((line, got))
    text = draw.choice(["", "\ufeff"]) + end.join(lines) + draw.choice([end, ""])
    return text, read


@checkpoint("Python: a first analysis, a messy file read", count=12)
def reading(lib, text):
    path = "readings.csv"
    Path(path).write_bytes(text.encode())
    try:
        return plain(list(lib.drills.analysis.read_rows(path)))
    except ValueError:
        return "ValueError"


@reading.cases
def _(draw):
    text, read = file_of(draw, messy(draw)[0])
    return dict(text=text, _read=read)


@reading.edges
def _():
    row = {"date": "2024-01-01", "station": "Hill", "temperature": "1,5", "rain": "0"}
    return [
        dict(text='date,station,temperature,rain\n2024-01-01,Hill,"1,5",0\n', _read=[(2, row)]),
        dict(text="\ufeffRain; Station ;DATE;temperature\r\n0;Hill; 2024-01-01 ;1,5\r\n", _read=[(2, row)]),
        dict(text="date,station,temperature,rain\n\n1,2\n , ,,\n", _read=[(3, None)]),
        dict(text="date,station,temperature\n2024-01-01,Hill,1\n", _read="ValueError"),
        dict(text="", _read="ValueError"),
    ]


@reading.oracle
def _(text, read):
    return read


@reading.shown
def _(text):
    return "\n".join(f"{i:2} {line}" for i, line in enumerate(text.splitlines(), 1))


@checkpoint("Python: a first analysis, rows kept, or set aside with a reason", count=20)
def cleaning(lib, rows):
    return plain(lib.drills.analysis.clean(iter(rows)))


@cleaning.cases
def _(draw):
    rows, records, rejected = messy(draw)
    return dict(rows=rows, _records=records, _rejected=rejected)


@cleaning.edges
def _():
    row = {"date": "2024-01-01", "station": "hill  top", "temperature": "1,5 C", "rain": "-"}
    record = {"date": "2024-01-01", "station": "Hill Top", "temperature": 1.5, "rain": math.nan}
    return [
        dict(rows=[(2, row)], _records=[record], _rejected=[]),
        dict(rows=[(2, row), (3, {**row, "date": "01.01.2024"})], _records=[record], _rejected=[(3, "duplicate")]),
        dict(rows=[(2, {**row, "temperature": "-999"}), (3, row)], _records=[record], _rejected=[(2, "range")]),
        dict(rows=[(2, None), (4, {**row, "station": "?", "rain": "wet"})], _records=[], _rejected=[(2, "fields"), (4, "station")]),
    ]  # fmt: skip


@cleaning.oracle
def _(rows, records, rejected):
    return records, rejected


@cleaning.shown
def _(rows):
    return "\n".join(f"{line:3} {'(cut off)' if row is None else ' | '.join(row.values())}" for line, row in rows)


@checkpoint("Python: a first analysis, summaries by station and by month", atol=1e-9, count=15)
def summaries(lib, records, measure):
    module = lib.drills.analysis
    return plain(
        {"summarise": module.summarise(records, measure), "monthly_means": module.monthly_means(records, measure)}
    )


@summaries.cases
def _(draw):
    return dict(records=messy(draw)[1], measure=draw.choice(["temperature", "rain"]))


@summaries.edges
def _():
    def record(date, station, temperature):
        return {"date": date, "station": station, "temperature": temperature, "rain": 0.0}

    some = [record("2024-02-01", "Hill", 3.0), record("2024-01-05", "Hill", 1.0), record("2024-01-09", "Hill", 4.0)]
    gaps = [
        record("2024-01-01", "Hill", math.nan),
        record("2024-01-02", "Hill", 2.0),
        record("2024-01-01", "Lake", math.nan),
    ]
    return [dict(records=records, measure="temperature") for records in (some, some[:2], gaps, [])]


@summaries.oracle
def _(records, measure):
    stations = {record["station"] for record in records}
    summary, months = {}, {}
    for station in stations:
        values = np.array([r[measure] for r in records if r["station"] == station])
        there = values[~np.isnan(values)]
        keys, none = ("mean", "median", "sd", "low", "high"), math.nan
        taken = [none] * 5 if len(there) == 0 else [there.mean(), np.median(there), none, there.min(), there.max()]
        if len(there) > 1:
            taken[2] = there.std(ddof=1)
        summary[station] = {"n": len(there), "missing": len(values) - len(there), **dict(zip(keys, map(float, taken)))}
        dates = [r["date"][:7] for r in records if r["station"] == station]
        months[station] = [
            (month, float(np.mean([v for d, v in zip(dates, values) if d == month and v == v])))
            for month in sorted({d for d, v in zip(dates, values) if v == v})
        ]
    return {"summarise": summary, "monthly_means": months}


@summaries.shown
def _(records, measure):
    return f"{measure} of\n" + "\n".join(f"{r['date']} {r['station']:10} {r[measure]}" for r in records)


@checkpoint("Python: a first analysis, a chart in which the numbers can be read", count=15)
def charts(lib, series, title):
    return lib.drills.analysis.chart(series, title)


@charts.cases
def _(draw):
    names = [draw.choice(["Hill", "R&D <1>"]), draw.choice(["Lake", 'the "old" one'])][: draw.integer(0, 2)]
    months = ["2024-01", "2024-02", "2024-03", "2024-10"]
    series = {name: [(month, draw.integer(-50, 200) / 10) for month in months if draw.boolean(0.8)] for name in names}
    return dict(series=series, title=draw.choice(["Mean temperature", "R&D"]))


@charts.edges
def _():
    return [
        dict(series={"Hill": [("2024-01", 1.0), ("2024-02", 3.0), ("2024-04", 2.0)]}, title="Mean"),
        dict(
            series={"Hill": [("2024-02", 3.0)], "Lake": [("2024-01", 1.0), ("2024-02", 2.0), ("2024-03", 5.0)]},
            title="Mean",
        ),
        dict(series={"A & B": [("2024-01", 2.0), ("2024-02", 2.0)]}, title="a < b"),
        dict(series={}, title="nothing"),
        dict(series={"Hill": []}, title="none"),
    ]


@charts.accepts
def _(got, series, title):
    if not isinstance(got, str) or "<!" in got:
        return "A chart is the text of one <svg> element, without a document type."
    try:
        root = ElementTree.fromstring(got)
    except ElementTree.ParseError as problem:
        return f"It is not well-formed XML ({problem}). Have &, < and > in names been escaped?"
    if root.get("viewBox") != "0 0 640 320" or not root.tag.endswith("svg"):
        return 'The outermost element is <svg> with viewBox="0 0 640 320".'
    if len(root) == 0 or not root[0].tag.endswith("title") or root[0].text != title:
        return f"The first element is <title>, with the text {title!r}."
    groups = [element for element in root.iter() if element.get("class") == "series"]
    return says_of_groups(groups, series)


def says_of_groups(groups, series):
    """True where the circles of each group are one affine image of the series; else what is wrong."""
    if len(groups) != len(series):
        return f'There are {len(groups)} elements of the class "series" for {len(series)} series.'
    labels = sorted({label for points in series.values() for label, _ in points})
    across, down = [], []
    for group, (name, points) in zip(groups, series.items()):
        heading = next((element.text for element in group if element.tag.endswith("title")), None)
        circles = [element for element in group if element.tag.endswith("circle")]
        if heading != name or not any(element.tag.endswith("polyline") for element in group):
            return f"The group of {name!r} has its name as <title>, and a <polyline>."
        if len(circles) != len(points):
            return f"The series {name!r} has {len(points)} values and {len(circles)} circles."
        places = [(float(circle.get("cx")), float(circle.get("cy"))) for circle in circles]
        if not all(0 <= x <= 640 and 0 <= y <= 320 for x, y in places):
            return f"A circle of {name!r} lies outside the viewBox, at one of {places}."
        across += [(labels.index(label), x) for (label, _), (x, _) in zip(points, places)]
        down += [(value, y) for (_, value), (_, y) in zip(points, places)]
    if not in_line(across, 1):
        return f"cx does not grow in equal steps along the sorted labels {labels}: {across}"
    return in_line(down, -1) or f"cy does not fall evenly as values grow, on one scale for all series: {down}"


def in_line(pairs, direction):
    """Whether y is a straight function of x that rises (1) or falls (-1); whole units are exact enough to be read."""
    xs = [x for x, _ in pairs]
    if len(set(xs)) < 2:
        return max((y for _, y in pairs), default=0.0) - min((y for _, y in pairs), default=0.0) <= 1.0
    (a, y0), (b, y1) = min(pairs), max(pairs)
    gradient = (y1 - y0) / (b - a)
    straight = all(abs(y0 + gradient * (x - a) - y) <= 1.0 for x, y in pairs)
    return straight and direction * (y1 - y0) > 1.0


@charts.shown
def _(series, title):
    return f"title = {title!r}\n" + "\n".join(f"{name!r}: {points}" for name, points in series.items())


@checkpoint("Python: a first analysis, the whole script on a messy file", atol=1e-9, count=5)
def script(lib, text, arguments):
    before = os.getcwd()
    os.chdir(tempfile.mkdtemp(dir="."))
    Path("in.csv").write_bytes(text.encode())
    out, problem = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(problem):
            status = lib.drills.analysis.main(arguments)
        counts = lib.drills.analysis.analyse("in.csv", "again") if status == 0 else {}
        folder = os.path.join("out", "deep")
        found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return {
            "status": status,
            "analyse gives": plain(counts),
            "printed": sorted(re.findall(r"\w+", line) for line in out.getvalue().splitlines()),
            "lines of complaint": len(problem.getvalue().splitlines()),
            "files": found,
            **{name: parsed(os.path.join(folder, name)) for name in found},
        }
    finally:
        os.chdir(before)


def parsed(path):
    """What stands in a file of results: rows with numbers read, JSON as data, of a chart how many circles there are."""
    text = Path(path).read_bytes().decode()
    if path.endswith(".csv"):
        return [[number_if(value) for value in row] for row in csv.reader(io.StringIO(text))]
    return json.loads(text) if path.endswith(".json") else text.count("<circle")


def number_if(text):
    try:
        return float(text)
    except ValueError:
        return text


@script.cases
def _(draw):
    rows, records, rejected = messy(draw)
    text, read = file_of(draw, rows)
    kept = {line for line, _ in read}
    return dict(
        text=text,
        arguments=draw.choice([["in.csv", "out/deep"]] * 3 + [["in.csv"], ["nowhere.csv", "out/deep"]]),
        _records=records,
        _rejected=[pair for pair in rejected if pair[0] in kept],
    )


@script.edges
def _():
    text = "date,station,temperature,rain\n2024-01-02,hill,3,0\n2024-01-01,Hill,-999,0\n01.01.2024,HILL,1,-\n"
    hill = {"station": "Hill"}
    records = [
        {"date": "2024-01-02", **hill, "temperature": 3.0, "rain": 0.0},
        {"date": "2024-01-01", **hill, "temperature": 1.0, "rain": math.nan},
    ]
    return [
        dict(text=text, arguments=["in.csv", "out/deep"], _records=records, _rejected=[(3, "range")]),
        dict(text="date,station\n", arguments=["in.csv", "out/deep"], _records=None, _rejected=None),
    ]


@script.oracle
def _(text, arguments, records, rejected):
    if len(arguments) != 2 or arguments[0] != "in.csv" or records is None:
        return {"status": 2, "analyse gives": {}, "printed": [], "lines of complaint": 1, "files": []}
    records = sorted(records, key=lambda record: (record["date"], record["station"]))
    counts = {"kept": len(records)}
    for _, reason in rejected:
        counts[reason] = counts.get(reason, 0) + 1
    blank = [[float(x) if x == x else "" for x in (r["temperature"], r["rain"])] for r in records]
    return {
        "status": 0,
        "analyse gives": counts,
        "printed": sorted([name, str(count)] for name, count in counts.items()),
        "lines of complaint": 0,
        "files": ["clean.csv", "rejected.csv", "summary.json", "temperature.svg"],
        "clean.csv": [["date", "station", "temperature", "rain"], *([r["date"], r["station"], *b] for r, b in zip(records, blank))],
        "rejected.csv": [["line", "reason"], *([float(line), reason] for line, reason in rejected)],
        "summary.json": {measure: summary_of(records, measure) for measure in ("temperature", "rain")},
        "temperature.svg": len({(r["station"], r["date"][:7]) for r in records if r["temperature"] == r["temperature"]}),
    }  # fmt: skip


def summary_of(records, measure):
    summary = {}
    for station in {record["station"] for record in records}:
        values = [r[measure] for r in records if r["station"] == station]
        there = [x for x in values if x == x]
        summary[station] = {
            "n": len(there),
            "missing": len(values) - len(there),
            "mean": statistics.fmean(there) if there else None,
            "median": statistics.median(there) if there else None,
            "sd": statistics.stdev(there) if len(there) > 1 else None,
            "low": min(there, default=None),
            "high": max(there, default=None),
        }
    return summary


@script.shown
def _(text, arguments):
    return f"{arguments} with in.csv:\n" + "\n".join(f"{i:2} {line}" for i, line in enumerate(text.splitlines(), 1))
