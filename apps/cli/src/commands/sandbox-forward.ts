import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { SandboxHandle } from "@syla/sdk";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { note } from "../output/progress.ts";
import { printLine } from "../output/print.ts";
import { joinConnection } from "../sandboxes/join-connection.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** Of one connection, on its way to a program that does not read. */
const windowBytes = 1 << 20;

interface Forward {
  readonly remote: number;
  /** 0: any free one. */
  readonly local: number;
}

export const sandboxForwardCommand: Command = defineServerCommand(
  "forward",
  "forward ports of this machine to ports of a sandbox, until Ctrl+C",
)
  .argument("<sandbox>", "its id")
  .argument("<ports...>", "REMOTE or REMOTE:LOCAL; LOCAL is REMOTE when left out, 0 is any free one")
  .action(async (id: string, texts: string[], flags: CommonFlags) => {
    const forwards = texts.map(parseForward);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.sandboxes.get(id);
    const sandbox = syla.sandboxes.open(id);
    const servers: Server[] = [];
    for (const forward of forwards) servers.push(await listen(sandbox, forward));
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), ended(sandbox)]);
    for (const server of servers) server.close();
    process.exit();
  });

function parseForward(text: string): Forward {
  const [, remote, local = remote] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? [];
  const forward = { remote: Number(remote), local: Number(local) };
  if (!(forward.remote >= 1 && forward.remote <= 65_535 && forward.local <= 65_535))
    throw usageError(`${text} is not REMOTE or REMOTE:LOCAL.`, "Ports are numbers from 1 to 65535: 9229, or 5432:15432.");
  return forward;
}

/** Listens on this machine only: whoever gets in there acts as you. */
async function listen(sandbox: SandboxHandle, { remote, local }: Forward): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    joinConnection(sandbox.connect(remote, { window: windowBytes }), socket).catch(() =>
      note(`port ${remote}: the connection was refused or lost; \`syla sandbox show\` tells whether something listens there`),
    );
  });
  try {
    await once(server.listen(local, "127.0.0.1"), "listening");
  } catch (cause) {
    const hint = `Choose another: ${remote}:0 takes any free one.`;
    throw new CliError(`Port ${local} of this machine cannot be used.`, { code: "port_in_use", exit: "usage", hint, cause });
  }
  const address = server.address();
  printLine(`127.0.0.1:${typeof address === "object" && address !== null ? address.port : local} -> ${remote}`);
  return server;
}

/** Resolves when the sandbox has ended. A server that cannot be asked may come back. */
async function ended(sandbox: SandboxHandle): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const facts = await sandbox.get().catch(() => null);
    if (facts !== null && facts.endedAt !== null) return note(`the sandbox has ended (${facts.endReason ?? facts.status})`);
  }
}
