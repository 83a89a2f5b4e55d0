import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox, SandboxInputDraft } from "@syla/contracts/sandboxes";
import type { TestServer } from "./server.ts";

/** Creates a long-lived sandbox as a person, or as the first admin. */
export async function createSandbox(
  server: TestServer,
  input: SandboxInputDraft = {},
  person: Record<string, string> = {},
): Promise<Sandbox> {
  const response = await server.send("POST", "/api/v1/sandboxes", input, person);
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Sandbox;
}

/** Resolves when something in a sandbox listens on a port. */
export async function waitForPort(server: TestServer, id: string, port: number, person: Record<string, string> = {}): Promise<void> {
  for (;;) {
    const answer = await server.fetch(`/api/v1/sandboxes/${id}/ports`, { headers: person });
    const { items } = (await answer.json()) as { items: { port: number }[] };
    if (items.some((item) => item.port === port)) return;
    await sleep(50);
  }
}

/** The data of every event of a stream, to its end or until `enough`. */
export async function readEvents<T>(response: Response, enough: (events: readonly T[]) => boolean = () => false): Promise<T[]> {
  const events: T[] = [];
  let text = "";
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("there is no body");
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return events;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) events.push(JSON.parse(data) as T);
    }
    if (enough(events)) {
      await reader.cancel();
      return events;
    }
  }
}
