"""Figures of each group of a table, and two plots of them as PNG files in /output."""

import csv
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws into files: there is no screen
import matplotlib.pyplot as plt

OUTPUT = Path("/output")


def read_groups(path: str) -> dict[str, list[float]]:
    """Values by group. A row that cannot be read is named and left out."""
    groups: dict[str, list[float]] = defaultdict(list)
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                groups[row["group"]].append(float(row["value"]))
            except (KeyError, TypeError, ValueError) as error:
                print(f"a row was left out: {row} ({error})", file=sys.stderr)
    return groups


def summarize(name: str, values: list[float]) -> dict[str, object]:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"group": name, "count": len(values), "mean": round(statistics.mean(values), 3), "stdev": round(spread, 3)}


def draw_means(summaries: list[dict[str, object]]) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    names = [summary["group"] for summary in summaries]
    axes.bar(names, [summary["mean"] for summary in summaries], yerr=[summary["stdev"] for summary in summaries], capsize=4)
    axes.set(title="Mean of each group", ylabel="value")
    figure.savefig(OUTPUT / "means.png", dpi=150)


def draw_spread(groups: dict[str, list[float]]) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.boxplot(list(groups.values()))
    axes.set_xticks(range(1, len(groups) + 1), list(groups))
    axes.set(title="Spread of each group", ylabel="value")
    figure.savefig(OUTPUT / "spread.png", dpi=150)


def main(path: str) -> int:
    groups = read_groups(path)
    if not groups:
        print(f"{path} has no rows with a group and a value", file=sys.stderr)
        return 1
    summaries = [summarize(name, values) for name, values in groups.items()]
    for summary in summaries:
        print("{group:10} n={count} mean={mean:.2f} stdev={stdev:.2f}".format(**summary))
    with open(OUTPUT / "summary.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, summaries[0].keys())
        writer.writeheader()
        writer.writerows(summaries)
    draw_means(summaries)
    draw_spread(groups)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "data.csv"))
