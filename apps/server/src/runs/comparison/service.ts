import { isUtf8 } from "node:buffer";
import type { LlmCall } from "@syla/contracts/models";
import type { ArtifactDiff, ComparedRun, MetricDiff, ModelCallDiff, OutputDiff, RunComparison } from "@syla/contracts/run-comparison";
import type { Run } from "@syla/contracts/runs";
import { structuredPatch } from "diff";
import type { Actor } from "../../access/actor.ts";
import type { Blobs } from "../../platform/blobs.ts";
import { diffConfigs, diffFiles } from "../../platform/diff-files.ts";
import { diffEntries, type TreeEntry } from "../../platform/trees.ts";
import type { Runs } from "../service.ts";

const mostOutputBytes = 256 * 1024;
const outputMs = 300;
const contextLines = 3;
const mostArtifacts = 2000;

/** What comparing needs. */
export interface RunComparisonsContext {
  readonly blobs: Blobs;
  readonly runs: Pick<Runs, "get" | "files" | "log" | "artifacts">;
  /** The calls of models that a run made, the first of them. */
  readonly callsOf: (runId: string) => Promise<readonly LlmCall[]>;
}

/** Two runs beside each other, for somebody who may see both. */
export class RunComparisons {
  readonly #context: RunComparisonsContext;

  constructor(context: RunComparisonsContext) {
    this.#context = context;
  }

  async compare(actor: Actor, from: string, to: string): Promise<RunComparison> {
    const { runs } = this.#context;
    const [before, after] = await Promise.all([runs.get(actor, from), runs.get(actor, to)]);
    const { files, omitted } = await this.#files(actor, from, to);
    const artifacts = await this.#artifacts(actor, from, to);
    return {
      from: toCompared(before),
      to: toCompared(after),
      config: diffConfigs(configOf(before), configOf(after)),
      files,
      omittedFiles: omitted,
      stdout: await this.#output(actor, before, after, "stdout"),
      stderr: await this.#output(actor, before, after, "stderr"),
      artifacts: artifacts.slice(0, mostArtifacts),
      omittedArtifacts: Math.max(0, artifacts.length - mostArtifacts),
      metrics: metricsOf(before, after),
      models: await this.#models(before, after),
    };
  }

  async #files(actor: Actor, from: string, to: string) {
    const [before, after] = await Promise.all([from, to].map(async (id) => (await this.#context.runs.files(actor, id)).map(toEntry)));
    return await diffFiles(this.#context.blobs, diffEntries(before ?? [], after ?? []));
  }

  async #artifacts(actor: Actor, from: string, to: string): Promise<ArtifactDiff[]> {
    const { runs } = this.#context;
    const [before, after] = await Promise.all([runs.artifacts(actor, from), runs.artifacts(actor, to)]);
    const [old, current] = [before, after].map((list) => new Map(list.map((artifact) => [artifact.path, artifact])));
    const paths = [...new Set([...before, ...after].map(({ path }) => path))].toSorted((a, b) => (a < b ? -1 : 1));
    return paths.map((path) => {
      const [one, other] = [old?.get(path), current?.get(path)];
      const status = one === undefined ? "added" : other === undefined ? "removed" : one.sha256 === other.sha256 ? "equal" : "changed";
      return { path, status, from: sideOf(one), to: sideOf(other) };
    });
  }

  async #output(actor: Actor, before: Run, after: Run, stream: "stdout" | "stderr"): Promise<OutputDiff> {
    const [one, other] = await Promise.all([before, after].map((run) => this.#head(actor, run.id, stream)));
    const [fromBytes, toBytes] = [before.output[`${stream}Bytes`], after.output[`${stream}Bytes`]];
    const [old, current] = [one ?? Buffer.alloc(0), other ?? Buffer.alloc(0)];
    const cut = Math.max(old.length, current.length) > mostOutputBytes;
    const facts = { fromBytes, toBytes, cut };
    if (old.equals(current)) return { ...facts, equal: !cut, hunks: [] };
    const texts = [old, current].map((bytes) => textOf(bytes.subarray(0, mostOutputBytes), cut));
    const [left, right] = texts;
    if (left == null || right == null) return { ...facts, equal: false, hunks: null };
    const patch = structuredPatch("", "", left, right, "", "", { context: contextLines, timeout: outputMs });
    const hunks = patch?.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
      oldStart,
      oldLines,
      newStart,
      newLines,
      lines,
    }));
    return { ...facts, equal: false, hunks: hunks ?? null };
  }

  /** One byte more than is compared tells that there is more. */
  async #head(actor: Actor, id: string, stream: "stdout" | "stderr"): Promise<Buffer> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of this.#context.runs.log(actor, id, { stream, format: "raw", timestamps: false })) {
      parts.push(part);
      size += part.length;
      if (size > mostOutputBytes) break;
    }
    return Buffer.concat(parts).subarray(0, mostOutputBytes + 1);
  }

  async #models(before: Run, after: Run): Promise<ModelCallDiff[]> {
    if (before.models.length === 0 && after.models.length === 0) return [];
    const [old, current] = await Promise.all([before, after].map(async ({ id }) => addUp(await this.#context.callsOf(id))));
    const names = [...new Set([...(old?.keys() ?? []), ...(current?.keys() ?? [])])].toSorted();
    return names.map((model) => ({ model, from: old?.get(model) ?? noCalls, to: current?.get(model) ?? noCalls }));
  }
}

const noCalls = { calls: 0, failed: 0, inputTokens: 0, outputTokens: 0, cost: null } satisfies ModelCallDiff["from"];

function addUp(calls: readonly LlmCall[]): Map<string, ModelCallDiff["from"]> {
  const sums = new Map<string, ModelCallDiff["from"]>();
  for (const { model, status, inputTokens, outputTokens, cost } of calls) {
    const sum = sums.get(model.name) ?? noCalls;
    sums.set(model.name, {
      calls: sum.calls + 1,
      failed: sum.failed + (status === "succeeded" ? 0 : 1),
      inputTokens: sum.inputTokens + (inputTokens ?? 0),
      outputTokens: sum.outputTokens + (outputTokens ?? 0),
      cost: cost === null ? sum.cost : (sum.cost ?? 0) + cost,
    });
  }
  return sums;
}

function toCompared(run: Run): ComparedRun {
  const { id, status, language, entrypoint, program, retryOf, exitCode, signal, error, createdAt, finishedAt } = run;
  return { id, status, language, entrypoint, program, retryOf, exitCode, signal, error, createdAt, finishedAt };
}

/** How a run was run, field by field. */
function configOf(run: Run): Record<string, unknown> {
  const env = Object.fromEntries(Object.entries(run.env).map(([name, value]) => [`env.${name}`, value]));
  const limits = Object.fromEntries(Object.entries(run.requestedLimits).map(([name, value]) => [`limits.${name}`, value]));
  return {
    language: run.language,
    requestedVersion: run.requestedVersion,
    runtimeVersion: run.runtimeVersion,
    entrypoint: run.entrypoint,
    program: run.program?.name ?? null,
    programVersion: run.program?.version ?? null,
    environment: run.program?.environmentId ?? null,
    args: run.args,
    stdinBytes: run.stdinBytes,
    tier: run.tier,
    network: run.network,
    models: run.models,
    datasets: run.datasets.map(({ name, assetName, version, split, sha256 }) => ({ name, assetName, version, split, sha256 })),
    priority: run.priority,
    ...env,
    ...limits,
  };
}

function metricsOf(before: Run, after: Run): MetricDiff[] {
  const [from, to] = [before, after].map((run): Record<string, number | null> => {
    const llm = run.usage?.llm ?? null;
    return {
      exitCode: run.exitCode,
      queueMs: run.timings.queueMs,
      startMs: run.timings.startMs,
      runMs: run.timings.runMs,
      totalMs: run.timings.totalMs,
      cpuMs: run.usage?.cpuMs ?? null,
      peakMemoryBytes: run.usage?.peakMemoryBytes ?? null,
      stdoutBytes: run.output.stdoutBytes,
      stderrBytes: run.output.stderrBytes,
      artifacts: run.artifactCount,
      sentBytes: run.usage?.network?.sentBytes ?? null,
      receivedBytes: run.usage?.network?.receivedBytes ?? null,
      llmCalls: llm?.calls ?? null,
      inputTokens: llm?.inputTokens ?? null,
      outputTokens: llm?.outputTokens ?? null,
      cost: llm?.cost ?? null,
    };
  });
  return Object.keys(from ?? {}).flatMap((metric) => {
    const [one, other] = [from?.[metric] ?? null, to?.[metric] ?? null];
    if (one === null && other === null) return [];
    const ratio = one === null || other === null || one === 0 || metric === "exitCode" ? null : other / one;
    return [{ metric, from: one, to: other, ratio }];
  });
}

function toEntry({ path, size, sha256 }: { path: string; size: number; sha256: string }): TreeEntry {
  return { path, size, sha256, mode: 420 };
}

function sideOf(artifact: { id: string; size: number; sha256: string } | undefined): ArtifactDiff["from"] {
  return artifact === undefined ? null : { id: artifact.id, size: artifact.size, sha256: artifact.sha256 };
}

/** Null when it is no text. What was cut may end within a character. */
function textOf(bytes: Buffer, cut: boolean): string | null {
  if (bytes.includes(0)) return null;
  return cut || isUtf8(bytes) ? bytes.toString() : null;
}
