import type { TreeChange, TreeFile } from "@syla/contracts/programs";
import type { Workspace } from "@syla/contracts/workspaces";
import type { TestServer } from "@syla/testkit/server";
import type { Person } from "../access/people.ts";
import { json } from "../catalog/programs.ts";

type Files = Readonly<Record<string, string>>;

/** Creates a workspace of these files. */
export async function createWorkspace(
  server: TestServer,
  owner: Pick<Person, "headers">,
  name: string,
  files: Files = { "a.txt": "1\n2\n3\n4\n5\n" },
  more: object = {},
): Promise<Workspace> {
  const body = { name, files: Object.entries(files).map(([path, content]) => ({ path, content })), ...more };
  const answer = await server.send("POST", "/api/v1/workspaces", body, owner.headers);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return await json<Workspace>(answer);
}

/** A file to be written. */
export function write(path: string, content: string): TreeChange {
  return { op: "write", file: { path, content, executable: false } };
}

/** The files of a workspace with what is in them. */
export async function readFiles(
  server: TestServer,
  owner: Pick<Person, "headers">,
  id: string,
  query = "",
): Promise<Record<string, string>> {
  const { items } = await json<{ items: TreeFile[] }>(server.fetch(`/api/v1/workspaces/${id}/files${query}`, { headers: owner.headers }));
  const entries = items.map(async ({ path, sha256 }) => {
    const bytes = await server.context.blobs.get(sha256);
    return [path, bytes.toString()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
