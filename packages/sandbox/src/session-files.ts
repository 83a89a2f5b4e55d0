import { z } from "zod";
import { parseAs } from "./session-channel.ts";
import type { SessionDaemon } from "./session-daemon.ts";
import type { FileContent, FileEntry, SessionFiles, SessionPath, WatchEvent } from "./session.ts";

/** Files of a session: every operation is done by its daemon, with the rights of the programs there. */

const Bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
const Entry = z.object({
  path: Bytes,
  kind: z.enum(["file", "folder", "link", "other"]),
  size: z.int().nonnegative(),
  mode: z.int().nonnegative(),
  modifiedMs: z.number(),
  changedMs: z.number(),
  stamp: z.string().max(100),
  target: Bytes.nullable(),
});
const OneEntry = z.object({ entry: Entry });
const Entries = z.object({ entries: z.array(Entry) });
const Truncated = z.object({ truncated: z.boolean() });
const Change = z.object({ type: z.enum(["created", "modified", "deleted", "attributes"]), path: Bytes, folder: z.boolean() });
const Changes = z.object({ changes: z.array(Change), overflow: z.boolean() });

export function createFiles(daemon: SessionDaemon): SessionFiles {
  const one = async (op: string, path: SessionPath, options: Readonly<Record<string, unknown>> = {}): Promise<FileEntry> =>
    (await daemon.ask({ op, path: encodePath(path), ...options }, OneEntry)).entry;
  return {
    stat: (path) => one("stat", path),
    mkdir: (path, options = {}) => one("mkdir", path, options),
    move: (path, target, options = {}) => one("move", path, { target: encodePath(target), ...options }),
    chmod: (path, mode) => one("chmod", path, { mode }),
    remove: async (path, options = {}) => void (await daemon.ask({ op: "remove", path: encodePath(path), ...options }, z.unknown())),
    async list(path, { depth, limit, ignore = [], whole = false }) {
      const channel = daemon.open({ op: "list", path: encodePath(path), depth, limit, ignore, whole });
      const entries: FileEntry[] = [];
      for await (const piece of channel.pieces())
        if (piece.type === "event" && entries.length <= limit) entries.push(...parseAs(Entries, piece.value).entries);
      return { entries, ...(await channel.result(Truncated)) };
    },
    read: (path, range = {}) => read(daemon, path, range),
    async write(path, content, options = {}) {
      const channel = daemon.open({ op: "write", path: encodePath(path), ...options });
      try {
        for await (const bytes of content) await channel.write(bytes);
        channel.end();
        return (await channel.result(OneEntry)).entry;
      } finally {
        channel.close(); // nothing to one that is over
      }
    },
    async watch(path, { recursive, signal }) {
      const channel = daemon.open({ op: "watch", path: encodePath(path), recursive });
      signal.addEventListener("abort", () => channel.close(), { once: true });
      await channel.firstEvent(z.object({ ready: z.literal(true) }));
      return watchEvents(channel.pieces(), signal);
    },
  };
}

/** Paths travel as bytes. */
function encodePath(path: SessionPath): string {
  return Buffer.from(path).toString("base64");
}

async function read(daemon: SessionDaemon, path: SessionPath, range: object): Promise<FileContent> {
  const channel = daemon.open({ op: "read", path: encodePath(path), ...range });
  const { entry } = await channel.firstEvent(OneEntry);
  async function* data(): AsyncGenerator<Buffer, void, void> {
    try {
      for await (const piece of channel.pieces()) if (piece.type === "data") yield piece.data;
    } finally {
      channel.close();
    }
  }
  return { entry, data: data() };
}

async function* watchEvents(pieces: AsyncIterable<{ type: string; value?: unknown }>, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  try {
    for await (const piece of pieces) if (piece.type === "event") yield parseAs(Changes, piece.value);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
