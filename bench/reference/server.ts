import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";
import { createInterface } from "node:readline";
import { join } from "node:path";

/** The throw-away HTTP server in front of two reference agents in bubblewrap jails. Prints its port. */

const jail = [
  "--unshare-all",
  "--uid",
  "1000",
  "--gid",
  "1000",
  "--die-with-parent",
  "--ro-bind",
  "/usr",
  "/usr",
  "--symlink",
  "usr/bin",
  "/bin",
];
jail.push(
  "--symlink",
  "usr/lib",
  "/lib",
  "--symlink",
  "usr/lib64",
  "/lib64",
  "--proc",
  "/proc",
  "--dev",
  "/dev",
  "--dir",
  "/newroot",
  "--tmpfs",
  "/tmp",
);

interface Agent {
  readonly input: Writable;
  readonly waiting: ((line: string) => void)[];
}

function startAgent(): Agent {
  const words = [...jail, "--ro-bind", join(import.meta.dirname, "agent.py"), "/agent.py", "/usr/bin/python3", "/agent.py"];
  const asUser =
    process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bwrap", ...words] : ["bwrap", ...words];
  const child = spawn(asUser[0] as string, asUser.slice(1), { stdio: ["pipe", "inherit", "inherit", "pipe"], cwd: "/" });
  const agent: Agent = { input: child.stdin as Writable, waiting: [] };
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => agent.waiting.shift()?.(line));
  return agent;
}

const agents = [startAgent(), startAgent()];

async function execute(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { code } = JSON.parse(Buffer.concat(parts).toString()) as { code: string };
  const agent = agents.reduce((least, next) => (next.waiting.length < least.waiting.length ? next : least));
  return await new Promise((resolve) => {
    agent.waiting.push(resolve);
    agent.input.write(`${JSON.stringify({ code })}\n`);
  });
}

const server = createServer((request, response) => {
  void execute(request).then((answer) => response.setHeader("content-type", "application/json").end(answer));
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.resume().on("end", () => process.exit(0));
