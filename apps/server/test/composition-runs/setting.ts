import { setTimeout as sleep } from "node:timers/promises";
import type { CreatedComposition } from "@syla/contracts/compositions";
import type { CompositionRunInputDraft } from "@syla/contracts/composition-runs";
import type { NodeRun } from "@syla/contracts/node-runs";
import { isFinal, type Run } from "@syla/contracts/runs";
import type { TestServer } from "@syla/testkit/server";
import type { Person } from "../access/people.ts";

/** What a code node of Python is told. */
export function python(source: string, inputs: readonly string[] = [], returns = "Any") {
  return { language: "python", source, inputs: inputs.map((name) => ({ name })), returns };
}

/** Compositions of a person, and their runs. */
export function compositionsOf(server: TestServer, person: Person) {
  const send = (method: string, path: string, body?: unknown, headers: object = {}) =>
    server.send(method, `/api/v1${path}`, body, { ...person.headers, ...headers });
  const json = async <T>(answer: Response | Promise<Response>): Promise<T> => (await (await answer).json()) as T;
  let count = 0;
  const nodes = async (runId: string) => (await json<{ items: NodeRun[] }>(send("GET", `/runs/${runId}/nodes`))).items;
  const waitFor = async (id: string, enough?: (run: Run) => boolean): Promise<Run> => {
    for (;;) {
      const run = await json<Run>(send("GET", `/runs/${id}${enough === undefined ? "/wait" : ""}`));
      if (enough === undefined ? isFinal(run.status) : enough(run)) return run;
      await sleep(20);
    }
  };
  return {
    send,
    json,
    nodes,
    waitFor,
    /** A composition with this graph, by its id. */
    async make(graph: unknown): Promise<string> {
      const made = await send("POST", "/compositions", { name: `Composition ${(count += 1)} of ${person.id}` });
      const { asset } = await json<CreatedComposition>(made);
      const put = await send("PUT", `/compositions/${asset.id}/graph`, { graph }, { "if-match": "*" });
      if (put.status !== 200) throw new Error(await put.text());
      return asset.id;
    },
    /** Begins a run. */
    async start(id: string, input: CompositionRunInputDraft = {}): Promise<Run> {
      const answer = await send("POST", `/compositions/${id}/runs`, input);
      if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
      return await json<Run>(answer);
    },
    /** Runs it to its end. */
    async run(id: string, input: CompositionRunInputDraft = {}): Promise<Run> {
      return await waitFor((await this.start(id, input)).id);
    },
    async states(runId: string): Promise<Record<string, string>> {
      return Object.fromEntries((await nodes(runId)).map(({ path, state }) => [path, state]));
    },
    async outputs(runId: string): Promise<Record<string, unknown>> {
      const found = (await nodes(runId)).filter(({ kind }) => kind === "output");
      return Object.fromEntries(
        found.map(({ path, output }) => [path, output !== null && "value" in output ? (output.value as { value: unknown }).value : output]),
      );
    },
  };
}
export type Compositions = ReturnType<typeof compositionsOf>;
