import { createServer, connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { GuestControl } from "../../src/microvm/guest-control.ts";
import { Qmp } from "../../src/microvm/qmp.ts";

/** Both ends of a connection. */
async function pair(): Promise<[Socket, Socket]> {
  const arrived = Promise.withResolvers<Socket>();
  const server = createServer(arrived.resolve);
  const address = `\0syla-pair-${process.pid}-${Math.random()}`;
  await new Promise<void>((resolve) => server.listen(address, resolve));
  const ours = connect(address);
  const theirs = await arrived.promise;
  server.close();
  onTestFinished(() => void [ours, theirs].map((socket) => socket.destroy()));
  return [ours, theirs];
}

/** Somebody who answers each line by `answer`. */
function answerWith(socket: Socket, answer: (wish: Record<string, unknown>) => string): void {
  socket.on("data", (data) => {
    for (const line of data.toString().split("\n").filter(Boolean)) socket.write(answer(JSON.parse(line)));
  });
}

test("a guest carries out what it is asked, and refuses with its reason", async () => {
  const [ours, theirs] = await pair();
  const wishes: unknown[] = [];
  answerWith(theirs, ({ id, ...wish }) => {
    wishes.push(wish);
    return `${JSON.stringify(wish["op"] === "limit" ? { id, error: "limit: no such group" } : { id, oomKills: 1, peakMemoryBytes: 5 })}\n`;
  });
  const control = new GuestControl(ours, () => {});
  await control.start(["/usr/bin/python3"], 1000);
  expect(wishes[0]).toMatchObject({ op: "start", words: ["/usr/bin/python3"], entropy: expect.stringMatching(/^[0-9a-f]{128}$/) });
  expect(await control.stats()).toEqual({ oomKills: 1, peakMemoryBytes: 5 });
  await expect(control.limit({ cpus: 1, memoryBytes: 1, processes: 1 })).rejects.toMatchObject({
    code: "sandbox_failed",
    message: expect.stringContaining("no such group"),
  });
});

test.each([
  ["no JSON", "what?\n"],
  ["a message of no form", '{"event":"exploded"}\n'],
  ["no end of a line", "x".repeat(3 << 20)],
])("a guest that sends %s is let go of", async (_, text) => {
  const [ours, theirs] = await pair();
  const control = new GuestControl(ours, () => {});
  theirs.on("error", () => {});
  theirs.write(text);
  await expect(control.limit({ cpus: 1, memoryBytes: 1, processes: 1 })).rejects.toMatchObject({ code: "sandbox_failed" });
  expect(ours.destroyed).toBe(true);
});

test("counts that no kernel would give are none", async () => {
  const [ours, theirs] = await pair();
  answerWith(theirs, ({ id }) => `${JSON.stringify({ id, oomKills: -1, peakMemoryBytes: "much" })}\n`);
  expect(await new GuestControl(ours, () => {}).stats()).toBeNull();
});

test("a guest that says that it failed is told of", async () => {
  const [ours, theirs] = await pair();
  const told = Promise.withResolvers<string>();
  const control = new GuestControl(ours, told.resolve);
  theirs.write('{"event":"failed","message":"the agent has ended"}\n');
  expect(await told.promise).toBe("the agent has ended");
  theirs.destroy();
  await expect(control.start([], 1000)).rejects.toMatchObject({ code: "sandbox_failed" });
});

test("QEMU is asked only after both have agreed, and what it refuses is told", async () => {
  const [ours, theirs] = await pair();
  const commands: unknown[] = [];
  theirs.write('{"QMP":{"version":{},"capabilities":[]}}\n{"event":"RESUME","timestamp":{}}\n');
  answerWith(theirs, ({ id, execute }) => {
    commands.push(execute);
    return `${JSON.stringify(execute === "cont" ? { id, error: { class: "GenericError", desc: "not now" } } : { id, return: {} })}\n`;
  });
  const monitor = new Qmp(ours);
  expect(await monitor.execute("stop")).toEqual({});
  await expect(monitor.execute("cont")).rejects.toMatchObject({ code: "sandbox_failed", message: expect.stringContaining("not now") });
  expect(commands).toEqual(["qmp_capabilities", "stop", "cont"]);
});
