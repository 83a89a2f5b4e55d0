import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { sandboxFileRoutes } from "@syla/contracts/sandboxes/files";
import type { FileContent, SessionPath } from "@syla/sandbox/session";
import type { Http } from "../access/http.ts";
import { during } from "../access/service.ts";
import { parseRange } from "../platform/byte-range.ts";
import { answerEvents } from "../platform/event-stream.ts";
import { answer } from "../platform/http-call.ts";
import type { LiveSandbox } from "./live-sandbox.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";
import { toFile, toPath } from "./presenter.ts";
import { inSession } from "./session-error.ts";

interface GivenPath {
  readonly path?: string | undefined;
  readonly pathBase64?: string | undefined;
}

/** Binds the files of sandboxes. */
export function registerSandboxFileRoutes(http: Http, sandboxes: LongLivedSandboxes): void {
  http.bind(sandboxFileRoutes.listSandboxFiles, async ({ params, query }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const path = query.path === undefined && query.pathBase64 === undefined ? "/workspace" : readPath(query);
    const { entries, truncated } = await live.use((session) => session.files.list(path, query));
    return { items: entries.map(toFile), truncated };
  });
  http.bind(sandboxFileRoutes.statSandboxFile, async ({ params, query }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    return toFile(await live.use((session) => session.files.stat(readPath(query))));
  });
  http.bind(sandboxFileRoutes.watchSandboxFiles, async ({ params, query }, call) => {
    const path = readPath(query);
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      const { signal } = hold;
      const events = await live.use((session) => session.files.watch(path, { recursive: query.recursive, signal }));
      return await answerEvents(during(hold, toChanges(live.stream(() => events))), signal);
    });
  });
  http.bind(sandboxFileRoutes.readSandboxFile, async ({ params, query, headers }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const path = readPath(query);
    const { size } = await live.use((session) => session.files.stat(path));
    const range = parseRange(headers.range, size);
    const content = await live.use((session) => session.files.read(path, range ?? {}));
    return answer(range === null ? 200 : 206, Readable.from(whileUsed(live, content)), {
      "content-type": "application/octet-stream",
      "content-security-policy": "sandbox; default-src 'none'",
      "accept-ranges": "bytes",
      ...(range === null ? {} : { "content-range": `bytes ${range.offset}-${range.offset + range.length - 1}/${size}` }),
    });
  });
  http.bind(sandboxFileRoutes.writeSandboxFile, async ({ params, query, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const path = readPath(query);
    const upload = body as Readable;
    const { mode, parents } = query;
    const options = { parents, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) };
    try {
      return toFile(
        await live.use((session) =>
          session.files.write(path, upload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, options),
        ),
      );
    } finally {
      upload.resume(); // after a refusal the rest is dropped: else the connection would be stuck
    }
  });
  bindChanges(http, sandboxes);
}

function bindChanges(http: Http, sandboxes: LongLivedSandboxes): void {
  http.bind(sandboxFileRoutes.updateSandboxFile, async ({ params, query, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    return toFile(await live.use((session) => session.files.chmod(readPath(query), body.mode)));
  });
  http.bind(sandboxFileRoutes.moveSandboxFile, async ({ params, query, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    return toFile(await live.use((session) => session.files.move(readPath(query), readPath(body), { overwrite: body.overwrite })));
  });
  http.bind(sandboxFileRoutes.deleteSandboxFile, async ({ params, query }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    await live.use((session) => session.files.remove(readPath(query), { recursive: query.recursive }));
    return answer(204);
  });
  http.bind(sandboxFileRoutes.createSandboxFolder, async ({ params, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const entry = await live.use((session) => session.files.mkdir(readPath(body), { parents: body.parents }));
    return answer(201, toFile(entry));
  });
}

/** @throws AppError `invalid_request` unless exactly one of the two forms is given */
function readPath({ path, pathBase64 }: GivenPath): SessionPath {
  if (path !== undefined && pathBase64 === undefined && path.isWellFormed()) return path;
  if (path === undefined && pathBase64 !== undefined && pathBase64 !== "") return Buffer.from(pathBase64, "base64");
  throw new AppError("invalid_request", {
    fields: [{ path: "path", message: "give `path`, or `pathBase64` for a path that is not UTF-8" }],
  });
}

async function* whileUsed(live: LiveSandbox, content: FileContent): AsyncGenerator<Buffer> {
  try {
    yield* live.stream(() => content.data);
  } finally {
    await content.data.return(undefined);
  }
}

async function* toChanges(
  events: AsyncGenerator<{ changes: readonly { type: string; path: Buffer; folder: boolean }[]; overflow: boolean }>,
) {
  yield { type: "ready" };
  const next = () => inSession(() => events.next());
  for (let result = await next(); result.done !== true; result = await next()) {
    const { changes, overflow } = result.value;
    yield { type: "changes", changes: changes.map(({ type, path, folder }) => ({ type, ...toPath(path), folder })), overflow };
  }
}
