import type { Readable } from "node:stream";
import { sandboxProcessRoutes, TerminalSize, type SandboxProcessEvent } from "@syla/contracts/sandboxes/processes";
import type { WebSocket } from "ws";
import type { Http } from "../access/http.ts";
import { during, type Hold } from "../access/service.ts";
import { answerEvents } from "../platform/event-stream.ts";
import { answer } from "../platform/http-call.ts";
import { toSpec } from "./exec.ts";
import { signalNumber, type FollowedProcess } from "./followed-process.ts";
import type { LiveSandbox } from "./live-sandbox.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";
import { keepAlive, parseMessage, sendMessage } from "../platform/socket.ts";
import { endWithAccess } from "./access-socket.ts";

/** Closing codes above 4000 are ours: the process has ended. */
const processEnded = 4000;

/** Binds processes, their output, input and terminals. */
export function registerProcessRoutes(http: Http, sandboxes: LongLivedSandboxes): void {
  http.bind(sandboxProcessRoutes.startProcess, async ({ params, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const { terminal, ...rest } = body;
    const { process } = await live.startProcess({ ...toSpec(rest), ...(terminal === undefined ? {} : { terminal }) });
    return answer(201, { pid: process.pid, terminal: terminal !== undefined });
  });
  http.bind(sandboxProcessRoutes.listProcesses, async ({ params }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const found = await live.look((session) => session.processes());
    const items = found.map(({ pid, parent, state, command, cpuMs, memoryBytes, startedMs }) => {
      const terminal = live.isTerminal(pid);
      const startedAt = new Date(Math.min(Math.max(startedMs, 0), 8.64e15)).toISOString();
      return {
        pid,
        parent,
        state,
        command: [...command],
        cpuMs,
        memoryBytes,
        startedAt,
        followed: terminal !== null,
        terminal: terminal === true,
      };
    });
    return { items };
  });
  http.bind(sandboxProcessRoutes.streamProcess, async ({ params }, call) => {
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      const followed = live.process(params.pid);
      const events = live.stream(() => followed.follow(hold.signal));
      return await answerEvents(during(hold, events), hold.signal);
    });
  });
  http.bind(sandboxProcessRoutes.writeProcess, async ({ params, query, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const { process } = live.process(params.pid);
    await live.use(async () => {
      for await (const bytes of body as Readable) await process.write(bytes as Buffer);
      if (query.end) process.endInput();
    });
    return answer(204);
  });
  http.bind(sandboxProcessRoutes.signalProcess, async ({ params, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    await live.use((session) => session.signal(params.pid, signalNumber(body.signal)));
    return answer(204);
  });
  http.bindSocket(sandboxProcessRoutes.openTerminal, async ({ params }, call) => {
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      const followed = live.process(params.pid);
      await live.use(() => Promise.resolve()); // a paused one is refused before the socket opens, an idle one goes on
      return (socket: WebSocket) => attach(socket, live, followed, hold);
    });
  });
}

/** Joins a terminal and a socket until either ends. The terminal outlives the socket. */
async function attach(socket: WebSocket, live: LiveSandbox, followed: FollowedProcess, hold: Hold): Promise<void> {
  const gone = new AbortController();
  keepAlive(socket);
  endWithAccess(socket, hold);
  socket.on("close", () => gone.abort());
  socket.on("message", (message, isBinary) => void receive(socket, live, followed, message as Buffer, isBinary));
  try {
    for await (const event of live.stream(() => followed.follow(gone.signal))) await send(socket, event);
    if (!hold.signal.aborted) socket.close(processEnded, "ended");
  } catch {
    socket.close(1011, "sandbox_ended");
  }
}

function send(socket: WebSocket, event: SandboxProcessEvent): Promise<void> {
  return sendMessage(socket, event.type === "output" ? Buffer.from(event.data, "base64") : JSON.stringify(event));
}

/** Keys are typed as fast as the program reads them. */
async function receive(
  socket: WebSocket,
  live: LiveSandbox,
  { process }: FollowedProcess,
  message: Buffer,
  isBinary: boolean,
): Promise<void> {
  live.lastActive = Date.now();
  if (isBinary) {
    socket.pause();
    await process.write(message);
    socket.resume();
    return;
  }
  const size = TerminalSize.safeParse(parseMessage(message));
  if (size.success) process.resize(size.data);
  else socket.close(1007, "invalid_request");
}
