import { nearest } from "@syla/contracts/nearest";
import type { NetworkConnection } from "@syla/contracts/network";
import type { RunSuggestion } from "@syla/contracts/runs";
import type { SandboxLimits } from "@syla/sandbox/spec";
import type { RunConfig } from "../../config.ts";
import { pythonPackages } from "./packages.ts";

/** What is known of a run that failed. */
export interface FailedRun {
  readonly language: string;
  readonly config: Pick<RunConfig, "program" | "network" | "models">;
  readonly limits: SandboxLimits;
  /** The paths of its own files. */
  readonly paths: readonly string[];
  readonly connections: readonly NetworkConnection[];
  /** The line that failed, when it is known. */
  readonly line: string;
}

/** A text and what it is about. */
export type Advice = Pick<RunSuggestion, "kind" | "text" | "subject">;

/** So many names are compared with one, of so many characters: a tree may have thousands, and each as long as a path can be. */
const mostNames = 500;
const longestName = 80;

/** Where packages of a language are written down. */
const manifests: Readonly<Record<string, string>> = { python: "requirements.txt or pyproject.toml", node: "package.json", go: "go.mod" };

const commands = [
  "awk",
  "base64",
  "bash",
  "bc",
  "cat",
  "chmod",
  "cp",
  "curl",
  "cut",
  "date",
  "diff",
  "echo",
  "env",
  "expr",
  "find",
  "git",
  "grep",
  "gzip",
  "head",
  "jq",
  "ls",
  "make",
  "mkdir",
  "mv",
  "node",
  "perl",
  "printf",
  "pwd",
  "python",
  "python3",
  "read",
  "rm",
  "rmdir",
  "sed",
  "seq",
  "sh",
  "sleep",
  "sort",
  "tail",
  "tar",
  "tee",
  "touch",
  "tr",
  "uniq",
  "wc",
  "wget",
  "which",
  "xargs",
];

/** What to say of a missing Python module. */
export function adviseModule(name: string, run: FailedRun): Advice {
  const [top = name] = name.split(".");
  const modules = run.paths.flatMap((path) => {
    const own = /^(?:src\/)?([A-Za-z_]\w{0,79})(?:\.py|\/)/.exec(path)?.[1];
    return own === undefined ? [] : [own];
  });
  if (!modules.includes(top)) {
    const meant = near(top, modules);
    if (meant !== null) return { kind: "did_you_mean", subject: meant, text: `The program has no module ${top}. Did you mean ${meant}?` };
    return addPackage(pythonPackages.get(name) ?? pythonPackages.get(top) ?? top.replaceAll("_", "-"), "python", run);
  }
  return {
    kind: "change_code",
    subject: name,
    text: `${top} is one of the program's own modules, and has nothing called ${name.slice(top.length + 1) || name}: check its files, and that no file hides a package of this name.`,
  };
}

/** What to say of a missing npm package. */
export function adviseNpmPackage(specifier: string, run: FailedRun): Advice {
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
  return addPackage(name, "node", run);
}

/** What to say of a missing package of Go. */
export function adviseGoPackage(path: string, run: FailedRun): Advice {
  return addPackage(path, "go", run);
}

function addPackage(name: string, manifest: string, { config }: FailedRun): Advice {
  const where = `Write ${name} into ${manifests[manifest] ?? "its dependencies"}`;
  const text =
    config.program === null
      ? `The package ${name} is not installed. Packages are installed for programs of the catalog: make a program of this, and write ${name} into ${manifests[manifest] ?? "its dependencies"}.`
      : `${where}, or add it under Dependencies, and run the program again: its environment is built anew. A file counts when it is the one that is chosen under Dependencies.`;
  return { kind: "add_dependency", subject: name, text };
}

/** What to say of a file that is not there. */
export function adviseFile(path: string, run: FailedRun): Advice {
  const wanted = path.replace(/^\/workspace\//, "").replace(/^\.\//, "");
  const sameName = run.paths.find((known) => known !== wanted && baseName(known) === baseName(wanted));
  const meant = sameName ?? near(wanted, run.paths) ?? nearStem(wanted, run.paths);
  if (meant !== null && meant !== wanted)
    return { kind: "did_you_mean", subject: meant, text: `There is no ${wanted}. Did you mean ${meant}?` };
  const text = wanted.startsWith("/")
    ? `There is no ${wanted} in the sandbox: the program sees its own files (in /workspace) and the system's, nothing of your machine.`
    : `${wanted} is not among the run's files: send it along, or make it first. Names are exact, capital letters included.`;
  return { kind: "did_you_mean", subject: wanted, text };
}

/** What to say of a command that is not there. */
export function adviseCommand(name: string): Advice {
  const meant = near(name, commands);
  if (meant !== null && meant !== name)
    return { kind: "did_you_mean", subject: meant, text: `There is no command ${name}. Did you mean ${meant}?` };
  return {
    kind: "did_you_mean",
    subject: name,
    text: `The command ${name} is not on this server: call what is, or send it along as a file.`,
  };
}

/** What to say of a variable that is not set. */
export function adviseVariable(name: string, { config }: FailedRun): Advice {
  const { program } = config;
  if (program?.withheld.includes(name) === true)
    return {
      kind: "set_variable",
      subject: name,
      text: `${name} holds a secret of the program's owner, which your runs do not get: ask the owner for it.`,
    };
  const secret = /KEY|TOKEN|SECRET|PASSWORD|URL|DSN/.test(name);
  const kept = program === null ? "make a program of it and keep the value as a secret" : "keep it as a secret of the program";
  return {
    kind: "set_variable",
    subject: name,
    text: `Set ${name} for the run (\`env\`, or -e ${name}=…)${secret ? `; if nobody should see it, ${kept}` : ""}.`,
  };
}

/** What to say of a host that could not be reached. */
export function adviseHost(host: string | null, { config, connections, line }: FailedRun): Advice {
  const failed = connections.findLast(({ outcome, host: name }) => outcome !== "completed" && (host === null || name === host));
  const name = host ?? failed?.host ?? hostIn(line);
  if (name !== null && /^(?:127\.|0\.0\.0\.0$|localhost$)/.test(name))
    return {
      kind: "change_code",
      subject: name,
      text: `Nothing answers at ${name}: a server of the program's own has to be started, and waited for, before it is called.`,
    };
  const { network } = config;
  const allow = name === null ? "the hosts that it needs" : name;
  const how = `\`network\`: {"allow": ["${name ?? "example.org"}"]}, or --allow-domain ${name ?? "example.org"}`;
  if (network === "none" || network === "gateway")
    return {
      kind: "allow_host",
      subject: name,
      text: `The run has ${network === "none" ? "no network" : "no network but the model gateway"}. Allow ${allow} (${how}).`,
    };
  if (network === "full" || name === null || isAllowed(name, network.allow))
    return {
      kind: "wait",
      subject: name,
      text: `${name ?? "The host"} did not answer as it should${failed?.reason == null ? "" : ` (${failed.reason})`}: check the address, and try again in a while.`,
    };
  return { kind: "allow_host", subject: name, text: `${name} is not among the hosts that the run may reach. Add it (${how}).` };
}

/** The host of an address that is written in a line of source. */
function hostIn(line: string): string | null {
  return /\bhttps?:\/\/([\w-]{1,63}(?:\.[\w-]{1,63}){1,10})/.exec(line)?.[1]?.toLowerCase() ?? null;
}

function isAllowed(host: string, allow: readonly string[]): boolean {
  return allow.some((entry) => {
    const name = entry.replace(/:\d+$/, "");
    return name === host || (name.startsWith("*.") && host.endsWith(name.slice(1)));
  });
}

function near(word: string, candidates: readonly string[]): string | null {
  if (word.length > longestName) return null;
  const known = [...new Set(candidates)].filter((name) => name.length <= longestName);
  return nearest(word, known.slice(0, mostNames));
}

/** The file whose name without its ending is near: modules are often named so. */
function nearStem(word: string, paths: readonly string[]): string | null {
  const stems = new Map(paths.map((path) => [path.replace(/\.\w{1,10}$/, ""), path]));
  return stems.get(near(word, [...stems.keys()]) ?? "") ?? null;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
