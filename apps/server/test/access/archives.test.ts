import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, setStatus, share, type Person } from "./people.ts";
import { createProgram } from "../catalog/programs.ts";
import { createWorkspace } from "../workspaces/workspaces.ts";

/** Far more than what lies between a server and a client who reads nothing. */
const fileCount = 40;
const fileBytes = 512 * 1024;

let server: TestServer;
let ann: Person;
let bob: Person;
/** What has much in it, and is Ann's. */
let large: Record<"workspace" | "asset" | "run", string>;
/** The same with little, which is Bob's. */
let small: Record<"workspace" | "asset", string>;
let grants: readonly string[];

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
  const files = Array.from({ length: fileCount }, (_, index) => ({
    path: `part-${index}.bin`,
    contentBase64: randomBytes(fileBytes).toString("base64"),
  }));
  const fill = async (path: string) => {
    for (let from = 0; from < fileCount; from += 10) {
      const changes = files.slice(from, from + 10).map((file) => ({ op: "write", file }));
      const changed = await server.send("POST", path, { changes }, { ...ann.headers, "if-match": "*" });
      if (changed.status !== 200) throw new Error(`${changed.status}: ${await changed.text()}`);
    }
  };
  const [workspace, asset] = [(await createWorkspace(server, ann, "Large", {})).id, (await createProgram(server, ann, "Large")).id];
  await fill(`/api/v1/workspaces/${workspace}/files`);
  await fill(`/api/v1/programs/${asset}/files`);
  const code = `import os\nfor n in range(${fileCount}): open(f"/output/{n}.bin", "wb").write(os.urandom(${fileBytes}))`;
  const submitted = await server.send("POST", "/api/v1/runs", { language: "python", code }, ann.headers);
  const { id: run } = (await submitted.json()) as { id: string };
  const ended = await (await server.fetch(`/api/v1/runs/${run}/wait`, { headers: ann.headers })).json();
  if ((ended as { artifactCount: number }).artifactCount !== fileCount) throw new Error(JSON.stringify(ended));
  large = { workspace, asset, run };
});
beforeEach(async () => {
  bob = await createAccount(server);
  small = {
    workspace: (await createWorkspace(server, bob, "Small", { "a.txt": "bob's\n" })).id,
    asset: (await createProgram(server, bob, "Small")).id,
  };
  grants = await Promise.all(
    (["workspace", "asset", "run"] as const).map((resourceType) =>
      share(server, ann, { resourceType, resourceId: large[resourceType], email: bob.email, level: "view" }),
    ),
  );
});
afterAll(() => server[Symbol.asyncDispose]());

/** Begins a download and reads nothing more than its beginning. */
async function begin(path: string, person: Person): Promise<IncomingMessage> {
  const asked = get(server.url + path, { headers: person.headers, agent: false });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  await once(answer, "readable");
  return answer;
}

/** Reads the rest, as over a slow line. @returns how much that was, and whether it was all */
async function finish(answer: IncomingMessage, pauseMs = 0): Promise<{ readonly bytes: number; readonly isWhole: boolean }> {
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      bytes += (chunk as Buffer).length;
      if (pauseMs > 0) await sleep(pauseMs);
    }
    return { bytes, isWhole: answer.complete };
  } catch {
    return { bytes, isWhole: false };
  }
}

const downloads: Readonly<Record<string, (own: Partial<typeof small>) => string>> = {
  "of a workspace's files as a zip archive": () => `/api/v1/workspaces/${large.workspace}/export`,
  "of a workspace's files as a tar archive": () => `/api/v1/workspaces/${large.workspace}/export?format=tar`,
  "of several workspaces, of which one is still one's own": ({ workspace }) =>
    `/api/v1/workspaces/export?ids=${[workspace, large.workspace].filter(Boolean).join(",")}`,
  "of several assets, of which one is still one's own": ({ asset }) =>
    `/api/v1/assets/export?ids=${[asset, large.asset].filter(Boolean).join(",")}`,
  "of what a run left": () => `/api/v1/runs/${large.run}/artifacts/zip`,
};

const ends: Readonly<Record<string, () => Promise<unknown>>> = {
  "the grant is taken back": () =>
    Promise.all(grants.map((grant) => server.fetch(`/api/v1/grants/${grant}`, { method: "DELETE", headers: ann.headers }))),
  "the account is suspended": () => setStatus(server, bob, "suspended"),
  "the key is revoked": () => server.fetch(`/api/v1/api-keys/${bob.keyId}`, { method: "DELETE", headers: bob.headers }),
};

describe.each(Object.keys(downloads))("a download %s", (what) => {
  const path = (own: Partial<typeof small>) => downloads[what]?.(own) ?? "";

  it.each(Object.keys(ends))("is cut off when %s in the middle of it, and does not look whole", async (how) => {
    const answer = await begin(path(small), bob);
    const other = await begin(path({}), ann);
    await ends[how]?.();
    const { bytes, isWhole } = await finish(answer, 5);
    expect(isWhole).toBe(false);
    expect(bytes).toBeLessThan((fileCount * fileBytes) / 2);
    // Whoever keeps the access gets all of it.
    const whole = await finish(other);
    expect(whole.isWhole).toBe(true);
    expect(whole.bytes).toBeGreaterThan(fileCount * fileBytes);
  });
});
