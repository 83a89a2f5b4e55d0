import type { Asset } from "@syla/contracts/assets";
import type { Problem } from "@syla/contracts/problem";
import type { TestServer } from "@syla/testkit/server";
import type { Person } from "../access/people.ts";

export async function json<T>(answer: Response | Promise<Response>): Promise<T> {
  return (await (await answer).json()) as T;
}

/** What a refused call answered. */
export async function errorOf(answer: Response | Promise<Response>): Promise<Problem> {
  const given = await answer;
  if (given.status < 400) throw new Error(`not refused: ${given.status}`);
  return await json<Problem>(given);
}

/** Creates a program of these files. */
export async function createProgram(
  server: TestServer,
  owner: Pick<Person, "headers">,
  name: string,
  files: Readonly<Record<string, string>> = { "main.py": "print(1)\n" },
  more: object = {},
): Promise<Asset> {
  const body = { type: "program", name, files: Object.entries(files).map(([path, content]) => ({ path, content })), ...more };
  const answer = await server.send("POST", "/api/v1/assets", body, owner.headers);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return await json<Asset>(answer);
}
