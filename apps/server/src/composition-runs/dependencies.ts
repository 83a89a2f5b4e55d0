import { AppError } from "@syla/contracts/errors";
import type { Dependency } from "@syla/contracts/program-config";
import type { ResolvedAsset } from "../catalog/service.ts";

/** What compositions need that ask models, unless a program of theirs says which version. */
const mellea: Dependency = { name: "mellea", constraint: ">=0.8,<0.9", extras: [] };

/** Who asks for a package, for people. */
interface Wish extends Dependency {
  readonly by: string;
}

function nameOf({ name }: Pick<Dependency, "name">): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}

/** The packages of all programs of a composition together. @throws AppError `dependency_conflict` */
export function unionOfDependencies(programs: readonly ResolvedAsset<"program">[], asksModels: boolean): Dependency[] {
  const wishes = programs.flatMap(({ asset, config }) =>
    config.runtime === "python" && config.dependencies.source !== "none"
      ? config.dependencies.packages.map((one): Wish => ({ ...one, by: asset.name }))
      : [],
  );
  const byName = Map.groupBy(wishes, nameOf);
  for (const [name, asked] of byName) requireTogether(name, asked);
  const all = [...byName.values()].map(join);
  return asksModels && !byName.has("mellea") ? [...all, mellea] : all;
}

function join(asked: readonly Wish[]): Dependency {
  const constraints = [...new Set(asked.map(({ constraint }) => constraint.trim()).filter((text) => text !== ""))];
  return {
    name: asked[0]?.name ?? "",
    constraint: constraints.join(","),
    extras: [...new Set(asked.flatMap(({ extras }) => extras))].toSorted(),
  };
}

function requireTogether(name: string, asked: readonly Wish[]): void {
  for (const one of asked) {
    const exact = exactVersion(one.constraint);
    const other = exact === null ? undefined : asked.find(({ constraint }) => !lets(constraint, exact));
    if (other === undefined) continue;
    throw new AppError("dependency_conflict", {
      message: `The programs of the composition need different versions of ${name}: ${one.by} ${one.constraint}, ${other.by} ${other.constraint}.`,
      details: { package: name, wishes: asked.map(({ by, constraint }) => ({ by, constraint })) },
    });
  }
}

function exactVersion(constraint: string): string | null {
  return /^\s*={2,3}\s*([^\s,*]+)\s*$/.exec(constraint)?.[1] ?? null;
}

/** Whether a version may be right. What is not understood is left to whoever installs it. */
function lets(constraint: string, version: string): boolean {
  return constraint.split(",").every((part) => {
    const [, operator = "", bound = ""] = /^\s*(===?|>=|<=|!=|>|<)\s*(\d+(?:\.\d+)*)\s*$/.exec(part) ?? [];
    const numbers = /^\d+(?:\.\d+)*$/.test(version);
    if (operator === "" || !numbers) return true;
    const order = compare(version, bound);
    switch (operator) {
      case "==":
      case "===":
        return order === 0;
      case "!=":
        return order !== 0;
      case ">=":
        return order >= 0;
      case "<=":
        return order <= 0;
      case ">":
        return order > 0;
      default:
        return order < 0;
    }
  });
}

function compare(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
