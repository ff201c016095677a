"""The analysis by other means: a class for the readings, NumPy for the sums, an element tree for the chart."""

import csv
import datetime as dates
import json
import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

NOTHING = {"", "-", "?", "na", "n/a", "nan", "null", "none"}
NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?)\s*(?:°C|C|mm)?")
WANTED = {"date", "station", "temperature", "rain"}


def read_rows(path):
    text = Path(path).read_bytes().decode("utf-8-sig")
    lines = re.split(r"\r\n|\n|\r", text)
    separator = ";" if lines[0].count(";") > lines[0].count(",") else ","
    header = [cell.strip().lower() for cell in _cells(lines[0], separator)]
    if WANTED - set(header):
        raise ValueError(f"missing: {sorted(WANTED - set(header))}")
    return _rows(lines, header, separator)


def _rows(lines, header, separator):
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in _cells(line, separator)]
        if any(cells):
            yield number, (dict(zip(header, cells)) if len(cells) == len(header) else None)


def _cells(line, separator):
    return next(csv.reader([line], delimiter=separator), [])


def parse_number(text):
    text = text.strip()
    if text.lower() in NOTHING:
        return float("nan")
    match = NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(text)
    number = float(match[1].replace(",", "."))
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def parse_date(text):
    if match := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", text):
        text = "-".join(match.group(3, 2, 1))
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(text)
    return dates.date.fromisoformat(text).isoformat()


def clean(rows):
    kept, away = {}, []
    for line, row in rows:
        try:
            key, record = _checked(row)
            if key in kept:
                raise LookupError("duplicate")
            kept[key] = record
        except LookupError as problem:
            away.append((line, problem.args[0]))
    return list(kept.values()), away


def _checked(row):
    if row is None:
        raise LookupError("fields")
    record = {"date": _or("date", parse_date, row["date"])}
    if row["station"].lower() in NOTHING:
        raise LookupError("station")
    words = row["station"].lower().split()
    record["station"] = " ".join(word[0].upper() + word[1:] for word in words)
    for name in ("temperature", "rain"):
        record[name] = _or("number", parse_number, row[name])
    if abs(record["temperature"]) > 60 or not (record["rain"] != record["rain"] or 0 <= record["rain"] <= 500):
        raise LookupError("range")
    return (record["date"], record["station"]), record


def _or(reason, parse, text):
    try:
        return parse(text)
    except ValueError:
        raise LookupError(reason) from None


def summarise(records, measure):
    found = {}
    for station in dict.fromkeys(r["station"] for r in records):
        values = np.array([r[measure] for r in records if r["station"] == station])
        there = np.sort(values[values == values])
        n = int(there.size)
        nan = float("nan")
        found[station] = {
            "n": n,
            "missing": int(values.size) - n,
            "mean": float(there.mean()) if n else nan,
            "median": float(there[(n - 1) // 2] + there[n // 2]) / 2 if n else nan,
            "sd": float(there.std() * (n / (n - 1)) ** 0.5) if n > 1 else nan,
            "low": float(there[0]) if n else nan,
            "high": float(there[-1]) if n else nan,
        }
    return found


def monthly_means(records, measure):
    found = {r["station"]: {} for r in records}
    for r in sorted(records, key=lambda r: r["date"]):
        if r[measure] == r[measure]:
            found[r["station"]].setdefault(r["date"][:-3], []).append(r[measure])
    return {s: [(month, sum(values) / len(values)) for month, values in months.items()] for s, months in found.items()}


def chart(series, title):
    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 640 320"})
    ElementTree.SubElement(root, "title").text = title
    labels = sorted(set().union(*({label for label, _ in points} for points in series.values())))
    values = [value for points in series.values() for _, value in points] or [0.0]
    span = max(values) - min(values) or 1
    for name, points in series.items():
        group = ElementTree.SubElement(root, "g", {"class": "series"})
        ElementTree.SubElement(group, "title").text = name
        places = [(100 + 30 * labels.index(x), 300 - 280 * (y - min(values)) / span) for x, y in points]
        ElementTree.SubElement(group, "polyline", {"points": " ".join(f"{x},{y}" for x, y in places)})
        for x, y in places:
            ElementTree.SubElement(group, "circle", cx=str(x), cy=str(y), r="2")
    return ElementTree.tostring(root, encoding="unicode")


def analyse(source, folder):
    records, away = clean(read_rows(source))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = ["date", "station", "temperature", "rain"]
    with (folder / "clean.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for r in sorted(records, key=lambda r: r["date"] + " " + r["station"]):
            writer.writerow({name: r[name] if r[name] == r[name] else None for name in names})
    lines = ["line,reason"] + [f"{line},{reason}" for line, reason in away]
    (folder / "rejected.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = json.dumps({m: summarise(records, m) for m in ("temperature", "rain")})
    (folder / "summary.json").write_text(text.replace("NaN", "null"), encoding="utf-8")
    drawing = chart(monthly_means(records, "temperature"), "monthly means")
    (folder / "temperature.svg").write_text(drawing, encoding="utf-8")
    counts = Counter(reason for _, reason in away)
    counts["kept"] = len(records)
    return counts


def main(arguments):
    try:
        source, folder = arguments
        counts = analyse(source, folder)
    except (ValueError, OSError) as problem:
        sys.stderr.write(f"cannot be done: {problem}\n")
        return 2
    print("\n".join(f"{name}: {count}" for name, count in counts.items()))
    return 0
