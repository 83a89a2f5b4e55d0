import { setTimeout as sleep } from "node:timers/promises";
import { isFinal, Run, RunEvent, type RunInputDraft } from "@syla/contracts/runs";
import { newId } from "@syla/server/platform/ids";
import type { TestServer } from "./server.ts";

/** Runs a program and waits for its end. */
export async function execute(server: TestServer, input: RunInputDraft, headers: Record<string, string> = {}): Promise<Run> {
  return await readRun(await server.send("POST", "/api/v1/executions?wait=true", input, headers), 200);
}

/** Submits a program without waiting. */
export async function submit(server: TestServer, input: RunInputDraft, headers: Record<string, string> = {}): Promise<Run> {
  return await readRun(await server.send("POST", "/api/v1/executions", input, headers), 202);
}

/** The run as it is now. */
export async function getRun(server: TestServer, id: string): Promise<Run> {
  return await readRun(await server.fetch(`/api/v1/runs/${id}`), 200);
}

/** Waits for the end of a run, or asks for it until it is as wanted. */
export async function waitForRun(server: TestServer, id: string, wanted?: (run: Run) => boolean): Promise<Run> {
  for (;;) {
    const run = await (wanted === undefined ? readRun(await server.fetch(`/api/v1/runs/${id}/wait`), 200) : getRun(server, id));
    if (wanted === undefined ? isFinal(run.status) : wanted(run)) return run;
    await sleep(20);
  }
}

/** The events of a run, as they come, until the stream ends. */
export async function* followRun(
  server: TestServer,
  id: string,
  options: { after?: number; signal?: AbortSignal } = {},
): AsyncGenerator<RunEvent> {
  const headers = options.after === undefined ? undefined : { "last-event-id": String(options.after) };
  const response = await server.fetch(`/api/v1/runs/${id}/events`, {
    ...(headers === undefined ? {} : { headers }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (response.status !== 200 || response.body === null) throw new Error(`no events: ${response.status} ${await response.text()}`);
  yield* readEvents(response.body);
}

/** Parses server-sent events whose data are run events; checks that `id` and `event` say the same. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<RunEvent> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      if (block.startsWith(":")) continue;
      const fields = Object.fromEntries(
        block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      const event = RunEvent.parse(JSON.parse(fields["data"] ?? ""));
      if (fields["id"] !== String(event.seq) || fields["event"] !== event.type) throw new Error(`inconsistent event: ${block}`);
      yield event;
    }
  }
}

/** Another person of the server, as the headers that they send. */
export async function createPerson(
  server: TestServer,
  role: "developer" | "end_user" | "admin" = "developer",
): Promise<{ authorization: string }> {
  const { database, accounts } = server.context;
  const id = newId("user");
  await database.queries
    .insertInto("users")
    .values({ id, name: id, email: `${id}@example.org`, email_verified: true, image: null, role })
    .execute();
  const { key } = await accounts.createApiKey({ userId: id, role, via: "local" }, { name: "test", expiresInDays: undefined });
  return { authorization: `Bearer ${key}` };
}

async function readRun(response: Response, status: number): Promise<Run> {
  const body: unknown = await response.json();
  if (response.status !== status) throw new Error(`${response.status} instead of ${status}: ${JSON.stringify(body)}`);
  return Run.parse(body);
}
