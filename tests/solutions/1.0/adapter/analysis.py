"""The analysis on pandas: Series for the cells, a DataFrame for the records, groupby for the summaries."""

import csv
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

COLUMNS = ["date", "station", "temperature", "rain"]
MISSING = ["", "-", "?", "na", "n/a", "nan", "null", "none"]


def read_rows(path):
    text = Path(path).read_text(encoding="utf-8-sig")
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    lines = text.splitlines() or [""]
    header = [name.strip().lower() for name in lines[0].split(separator)]
    if set(COLUMNS) - set(header):
        raise ValueError("a column is missing")
    for number, line in enumerate(lines[1:], 2):
        if line.replace(separator, "").strip():
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
            yield number, dict(zip(header, cells)) if len(cells) == len(header) else None


def parse_number(text):
    text = text.strip()
    if text.lower() in MISSING:
        return float("nan")
    plain = pd.Series([text]).str.replace(r"\s*(°?C|mm)$", "", regex=True).str.replace(",", ".")
    number = float(pd.to_numeric(plain)[0]) if plain.str.fullmatch(r"[-+]?\d+(\.\d*)?").all() else np.inf
    if np.isinf(number):
        raise ValueError(text)
    return number


def parse_date(text):
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        day = pd.to_datetime(text, format=form, errors="coerce")
        if not pd.isna(day) and text:
            return str(day.date())
    raise ValueError(text)


def clean(rows):
    kept, away = [], []
    for line, row in rows:
        reason, record = "fields", None
        if row is not None:
            reason, record = _record(row)
        if reason is None and any((r["date"], r["station"]) == (record["date"], record["station"]) for r in kept):
            reason = "duplicate"
        if reason is None:
            kept.append(record)
        else:
            away.append((line, reason))
    return kept, away


def _record(row):
    try:
        date = parse_date(row["date"])
    except ValueError:
        return "date", None
    if row["station"].lower() in MISSING:
        return "station", None
    try:
        measures = pd.Series({name: parse_number(row[name]) for name in COLUMNS[2:]})
    except ValueError:
        return "number", None
    if not (measures.isna() | measures.between([-60, 0], [60, 500])).all():
        return "range", None
    return None, {"date": date, "station": " ".join(row["station"].title().split()), **measures.to_dict()}


def summarise(records, measure):
    if not records:
        return {}
    found = {}
    for station, values in pd.DataFrame(records).groupby("station")[measure]:
        n = int(values.count())
        parts = {
            "mean": values.mean(),
            "median": values.median(),
            "sd": values.std(),
            "low": values.min(),
            "high": values.max(),
        }
        found[station] = {"n": n, "missing": len(values) - n, **{name: float(x) for name, x in parts.items()}}
    return found


def monthly_means(records, measure):
    if not records:
        return {}
    table = pd.DataFrame(records)
    table["month"] = table["date"].str[:7]
    means = table.groupby(["station", "month"])[measure].mean().dropna()
    return {
        station: [(month, float(mean)) for (name, month), mean in means.items() if name == station]
        for station in table["station"].unique()
    }


def chart(series, title):
    root = ElementTree.Element("svg", viewBox="0 0 640 320")
    ElementTree.SubElement(root, "title").text = title
    table = pd.DataFrame(
        [(n, label, value) for n, points in series.items() for label, value in points], columns=["n", "x", "y"]
    )
    table["x"] = table["x"].rank(method="dense") * 10
    table["y"] = 310 - 300 * (table["y"] - table["y"].min()) / ((table["y"].max() - table["y"].min()) or 1)
    for name in series:
        group = ElementTree.SubElement(root, "g", {"class": "series"})
        ElementTree.SubElement(group, "title").text = name
        ElementTree.SubElement(group, "polyline", points="")
        for x, y in table[table["n"] == name][["x", "y"]].itertuples(index=False):
            ElementTree.SubElement(group, "circle", cx=f"{x}", cy=f"{y}", r="1")
    return ElementTree.tostring(root, encoding="unicode")


def analyse(source, folder):
    records, away = clean(read_rows(source))
    table = pd.DataFrame(records, columns=COLUMNS).sort_values(["date", "station"])
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "clean.csv", index=False)
    rejected = pd.DataFrame(away, columns=["line", "reason"])
    rejected.to_csv(folder / "rejected.csv", index=False)
    summary = {measure: summarise(records, measure) for measure in COLUMNS[2:]}
    (folder / "summary.json").write_text(json.dumps(summary).replace("NaN", "null"), encoding="utf-8")
    (folder / "temperature.svg").write_text(chart(monthly_means(records, "temperature"), "means"), encoding="utf-8")
    return {"kept": len(table), **rejected["reason"].value_counts().to_dict()}


def main(arguments):
    try:
        counts = analyse(*arguments)
    except (TypeError, ValueError, OSError) as problem:
        print(str(problem).splitlines()[0], file=sys.stderr)
        return 2
    for name, count in counts.items():
        print(name, count)
    return 0
