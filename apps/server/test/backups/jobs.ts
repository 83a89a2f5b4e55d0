import { BackupJob } from "@syla/contracts/backups";
import type { TestServer } from "@syla/testkit/server";
import { expect } from "vitest";

export const passphrase = "correct horse battery staple";

/** A server that can be asked, in this process or in another. */
export type Asked = Pick<TestServer, "fetch" | "send">;

export async function read<T>(server: Asked, path: string): Promise<T> {
  return (await (await server.fetch(path)).json()) as T;
}

/** The job that was begun with this answer, when it has ended. */
async function ended(server: Asked, answer: Response): Promise<BackupJob> {
  const { id } = BackupJob.parse(await answer.json());
  const job = async () => BackupJob.parse(await read(server, `/api/v1/backup-jobs/${id}`));
  await expect.poll(async () => (await job()).state, { timeout: 60_000, interval: 50 }).not.toBe("running");
  return await job();
}

export const backUp = async (server: Asked): Promise<BackupJob> => await ended(server, await server.send("POST", "/api/v1/backups", {}));

export async function verify(server: Asked, id: string | null, deep: boolean): Promise<BackupJob> {
  return await ended(server, await server.send("POST", `/api/v1/backups/${id}/verify`, { deep }));
}

/** @returns its hash */
export async function upload(server: Asked, bytes: Buffer): Promise<string> {
  const headers = { "content-type": "application/octet-stream" };
  const answer = await server.fetch("/api/v1/blobs", { method: "POST", headers, body: new Uint8Array(bytes) });
  return ((await answer.json()) as { sha256: string }).sha256;
}
