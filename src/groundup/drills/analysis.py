"""A first data analysis: from a messy file of weather readings to a clean one, a summary, and a chart.

What comes in is what people send: two ways to write a date, commas for decimal points, units in the cells, six words for
"nothing was measured", sentinels such as -999, rows that are cut off, and rows that come twice. Nothing is repaired by
guessing: a row is kept by the rules below, or set aside with its line and a reason.

    python -m mine.drills.analysis readings.csv results

Wickham, Tidy Data (Journal of Statistical Software 59, 2014); RFC 4180 for CSV.
"""

import csv
import json
import math
import os
import statistics
import sys
from collections import Counter, defaultdict
from datetime import datetime
from xml.sax.saxutils import escape

COLUMNS = ("date", "station", "temperature", "rain")
MEASURES = ("temperature", "rain")
MISSING = ("", "-", "?", "na", "n/a", "nan", "null", "none")  # in whatever case
UNITS = ("°C", "C", "mm")
DATES = ("%Y-%m-%d", "%d.%m.%Y")  # 2024-02-01 and 01.02.2024 are the same day
LIMITS = {"temperature": (-60.0, 60.0), "rain": (0.0, 500.0)}  # both ends are possible; -999 is not
COLOURS = ("#a8402a", "#2b7a9e", "#8a6410", "#5b7f3a")
WIDTH, HEIGHT, MARGIN = 640, 320, 48  # of the chart, in its own units

EXAMPLE = """\
Date; Station ;Temperature;Rain
2024-01-01;Hill;-1,5;0,0
01.01.2024;valley;3.0 C;2.5 mm
2024-01-02;HILL;n/a;1.0
2024-01-02;Valley;4,5;-

2024-01-02;Valley;4,5;-
2024-01-03;Hill;-999;0.0
2024-02-30;Hill;2.0;0.0
03.02.2024;  hill ;1.5;12
2024-02-03;Valley;5.0
2024-02-04;Valley;six;0.0
2024-02-05;Valley;6.5;0.2
"""


# ---------------------------------------------------------------------------------------------------- reading


def read_rows(path):
    """Yields (line, row) for each row below the header: the number of its line, and {column: text}, or None.

    Text in UTF-8, with or without the mark that Excel writes in front (U+FEFF); values lie between ";" if the first line has more
    of these than of ",", else between ","; a value in double quotes may hold either. Values are stripped of spaces at both ends,
    names of columns too, and those in small letters. Rows with nothing but empty values are passed over; one with another
    number of values than the header is None. Columns beside COLUMNS may be there, in any order; ValueError if one of
    COLUMNS is not.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = ";" if first.count(";") > first.count(",") else ","
        reader = csv.reader(file, delimiter=delimiter)
        header = [name.strip().lower() for name in next(reader, [])]
        if absent := [name for name in COLUMNS if name not in header]:
            raise ValueError(f"{path} has no column {', '.join(absent)}")
        for values in reader:
            values = [value.strip() for value in values]
            if any(values):
                yield reader.line_num, dict(zip(header, values)) if len(values) == len(header) else None


def parse_number(text):
    """A number as people write it -> float; NaN for a word of MISSING.

    A decimal comma counts as a point, and one of UNITS may follow, with or without spaces. ValueError for anything else, an
    infinity too.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return math.nan
    for unit in UNITS:
        text = text.removesuffix(unit)
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(f"{text} is no measurement")
    return number


def parse_date(text):
    """A date in one of DATES -> "2024-02-01". ValueError for anything else, a 30th of February too."""
    for form in DATES:
        try:
            return datetime.strptime(text, form).strftime("%Y-%m-%d")
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date")


# --------------------------------------------------------------------------------------------------- cleaning


def clean(rows):
    """(line, row) pairs, as read_rows yields them -> (records, rejected), both in the order of the rows.

    A record is {"date": "2024-02-01", "station": "Hill Top", "temperature": float, "rain": float}, NaN where nothing was
    measured; the parts of a station's name are capitalised and have one space between. A rejected row is (line, reason), the
    first of these that holds: "fields" (the row is None), "date", "station" (a word of MISSING), "number" (a measure that is
    none), "range" (one outside its LIMITS), "duplicate" (a record of that date and station has been kept).
    """
    records, rejected, seen = [], [], set()
    for line, row in rows:
        record, reason = _record(row)
        if reason is None and (record["date"], record["station"]) in seen:
            reason = "duplicate"
        if reason is None:
            records.append(record)
            seen.add((record["date"], record["station"]))
        else:
            rejected.append((line, reason))
    return records, rejected


def _record(row):
    """The record of a row and None, or None and why there is none."""
    if row is None:
        return None, "fields"
    try:
        date = parse_date(row["date"])
    except ValueError:
        return None, "date"
    if row["station"].lower() in MISSING:
        return None, "station"
    try:
        measures = {name: parse_number(row[name]) for name in MEASURES}
    except ValueError:
        return None, "number"
    for name, (low, high) in LIMITS.items():
        if measures[name] < low or measures[name] > high:  # a NaN is neither
            return None, "range"
    station = " ".join(part.capitalize() for part in row["station"].split())
    return {"date": date, "station": station, **measures}, None


# ------------------------------------------------------------------------------------------------ summarising


def summarise(records, measure):
    """{station: {"n", "missing", "mean", "median", "sd", "low", "high"}} of one measure.

    n: how many values there are; missing: how many are NaN. The others are taken of the values alone, and are NaN where
    there are none. sd divides by n - 1, and is NaN where n is 1; the median of an even number is the mean of the middle two.
    """
    return {station: _summary(values) for station, values in _by_station(records, measure).items()}


def _by_station(records, measure):
    found = defaultdict(list)
    for record in records:
        found[record["station"]].append(record[measure])
    return found


def _summary(values):
    there = [x for x in values if not math.isnan(x)]
    summary = dict.fromkeys(("mean", "median", "sd", "low", "high"), math.nan)
    if there:
        summary |= {"mean": statistics.fmean(there), "median": statistics.median(there)}
        summary |= {"low": min(there), "high": max(there)}
    if len(there) > 1:
        summary["sd"] = statistics.stdev(there)
    return {"n": len(there), "missing": len(values) - len(there), **summary}


def monthly_means(records, measure):
    """{station: [(month, mean), ...]} of one measure, months as "2024-02", rising; NaN does not count.

    A month without a value is left out; a station without any has an empty list.
    """
    months = {record["station"]: defaultdict(list) for record in records}
    for record in records:
        if not math.isnan(record[measure]):
            months[record["station"]][record["date"][:7]].append(record[measure])
    return {
        station: [(month, statistics.fmean(found[month])) for month in sorted(found)]
        for station, found in months.items()
    }


# --------------------------------------------------------------------------------------------------- plotting


def chart(series, title):
    """A line chart as the text of an SVG image, whose viewBox is "0 0 640 320".

    series: {name: [(label, value), ...]}, names and labels texts, values finite. The first element is <title>, with the title.
    Then, for each series in order, a <g> of the class "series" with a <title>, its name, a <polyline>, and a <circle> (cx, cy) for
    each value, in order. One scale for all: cx grows in equal steps along the sorted labels of all series, cy falls evenly as
    values grow, and every circle lies within the viewBox. Text is escaped: a name may hold <, > and &. Axes, colours and legends
    are free; series without values, or with all values equal, have a chart too.
    """
    labels = sorted({label for points in series.values() for label, _ in points})
    values = [value for points in series.values() for _, value in points]
    low, high = min(values, default=0.0), max(values, default=0.0)
    place = {label: i for i, label in enumerate(labels)}

    def across(label):
        return MARGIN + (WIDTH - 2 * MARGIN) * place[label] / max(len(labels) - 1, 1)

    def down(value):
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / ((high - low) or 1.0)

    lines = [f"<title>{escape(title)}</title>", _text(MARGIN, MARGIN / 2, title)]
    lines += [_text(4, down(value) + 4, f"{value:.1f}") for value in {low, high}]
    lines += [_text(across(label) - 20, HEIGHT - MARGIN / 2, label) for label in labels[:: max(len(labels) - 1, 1)]]
    for i, (name, points) in enumerate(series.items()):
        places = [(across(label), down(value)) for label, value in points]
        lines += _series(name, places, COLOURS[i % len(COLOURS)])
        lines.append(_text(WIDTH - 2.5 * MARGIN, MARGIN / 2 + 14 * i, name, COLOURS[i % len(COLOURS)]))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
    return "\n".join([head, *lines, "</svg>"]) + "\n"


def _series(name, places, colour):
    path = " ".join(f"{x:.3f},{y:.3f}" for x, y in places)
    yield f'<g class="series"><title>{escape(name)}</title>'
    yield f'<polyline points="{path}" fill="none" stroke="{colour}"/>'
    yield from (f'<circle cx="{x:.3f}" cy="{y:.3f}" r="3" fill="{colour}"/>' for x, y in places)
    yield "</g>"


def _text(x, y, text, colour="#666666"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}">{escape(text)}</text>'


# ---------------------------------------------------------------------------------------------------- results


def analyse(source, folder):
    """The whole way: reads the file `source`, and leaves four files in `folder`, which is made if it is not there.

    clean.csv: the records, by date and then by station, under the header date,station,temperature,rain, with "," between and
    nothing where a measure is NaN. rejected.csv: line,reason and below it the rejected rows. summary.json: {measure: what
    summarise gives} for each of MEASURES, null in place of NaN, for JSON has none. temperature.svg: the chart of the monthly
    means of the temperature. Gives {"kept": how many records, and each reason that occurred: how many rows}.
    """
    records, rejected = clean(read_rows(source))
    records.sort(key=lambda record: (record["date"], record["station"]))
    os.makedirs(folder, exist_ok=True)
    rows = [["" if record[name] != record[name] else record[name] for name in COLUMNS] for record in records]
    _write_csv(os.path.join(folder, "clean.csv"), COLUMNS, rows)
    _write_csv(os.path.join(folder, "rejected.csv"), ("line", "reason"), rejected)
    summary = {measure: _without_nan(summarise(records, measure)) for measure in MEASURES}
    with open(os.path.join(folder, "summary.json"), "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=2, allow_nan=False)
    drawn = chart(monthly_means(records, "temperature"), "Mean temperature by month")
    with open(os.path.join(folder, "temperature.svg"), "w", encoding="utf-8") as file:
        file.write(drawn)
    return {"kept": len(records), **Counter(reason for _, reason in rejected)}


def _write_csv(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _without_nan(summary):
    return {s: {name: None if x != x else x for name, x in parts.items()} for s, parts in summary.items()}


def main(arguments):
    """The script: arguments are [source, folder], the words after the file's name. Gives the status to exit with.

    0 after the analysis, whose counts it prints, one a line. 2, with one line on standard error and nothing written, if there are
    not two arguments, the source cannot be opened, or a column is not there. The last lines of this file, yours to add, call it:
    `if __name__ == "__main__":` and below it `sys.exit(main(sys.argv[1:]))`.
    """
    if len(arguments) != 2:
        print("usage: python -m mine.drills.analysis SOURCE FOLDER", file=sys.stderr)
        return 2
    try:
        counts = analyse(*arguments)
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    for name, count in counts.items():
        print(f"{name:10} {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
