import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTemporaryDirectory } from "./temporary-directory.ts";

const program = "/usr/bin/docker-registry";
const password = "correct horse";
/** bcrypt of the password. */
const passwordHash = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";

/** Whether images can be built and pushed here; `npm test` says how to get what is missing. */
export const hasRegistry: boolean = existsSync(program) && existsSync("/usr/bin/buildah");

/** A registry for images on loopback, over plain HTTP, that demands a user name and a password. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** Asks it for something as that user; `path` begins with the repository. */
  get(path: string, accept?: string): Promise<Response>;
}

/** Starts Debian's docker-registry, which is the reference implementation of the distribution project. */
export async function startTestRegistry(): Promise<TestRegistry> {
  const directory = createTemporaryDirectory();
  const host = `127.0.0.1:${await freePort()}`;
  const file = (name: string) => join(directory.path, name);
  writeFileSync(file("users"), `tester:${passwordHash}\n`);
  const settings = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: file("content") } },
    http: { addr: host },
    auth: { htpasswd: { realm: "test", path: file("users") } },
  };
  writeFileSync(file("config.yml"), JSON.stringify(settings)); // JSON is YAML
  const child = spawn(program, ["serve", file("config.yml")], { stdio: "ignore" });
  const authorization = `Basic ${Buffer.from(`tester:${password}`).toString("base64")}`;
  const get = async (path: string, accept = "*/*") => await fetch(`http://${host}/v2/${path}`, { headers: { authorization, accept } });
  for (let tries = 0; ; tries += 1) {
    const answer = await get("").catch(() => null);
    if (answer?.ok === true) break;
    if (tries === 200 || child.exitCode !== null) throw new Error("the registry did not start");
    await sleep(50);
  }
  return {
    host,
    username: "tester",
    password,
    get,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await gone;
      directory[Symbol.dispose]();
    },
  };
}

/** It cannot say which port it has taken, so it is told one. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
