"""Applies `work` to each row of the run's datasets, or of rows.jsonl when it has none; results and failures go to /output."""

import csv
import json
import os
import sys
from pathlib import Path


def work(row):
    return {"id": row["id"], "words": len(row["text"].split())}


def read_rows(path):
    """The rows of a dataset, with a function for each: a line that cannot be read fails alone."""
    with open(path, encoding="utf-8", newline="") as file:
        if path.endswith(".csv"):
            for row in csv.DictReader(file):
                yield lambda row=row: row
        else:
            for line in file:
                if line.strip():
                    yield lambda line=line: json.loads(line)


datasets = json.loads(os.environ.get("SYLA_DATASETS", "{}")) or {"rows": {"path": "rows.jsonl"}}
results, failures = [], []
for name, dataset in datasets.items():
    for number, read in enumerate(read_rows(dataset["path"]), 1):
        try:
            results.append(work(read()))
        except (KeyError, ValueError) as error:
            failures.append({"dataset": name, "row": number, "error": f"{type(error).__name__}: {error}"})
            print(f"{name}, row {number}: {type(error).__name__}: {error}", file=sys.stderr)
Path("/output/results.jsonl").write_text("".join(json.dumps(result) + "\n" for result in results))
Path("/output/failures.jsonl").write_text("".join(json.dumps(failure) + "\n" for failure in failures))
print(f"{len(results)} rows done, {len(failures)} failed")
