import { setTimeout as sleep } from "node:timers/promises";
import type { NewApiKey } from "@syla/contracts/api-keys";
import type { Asset } from "@syla/contracts/assets";
import type { Webhook } from "@syla/contracts/webhooks";
import { hasRedis } from "@syla/testkit/redis";
import { hasS3 } from "@syla/testkit/s3";
import { seededRandom } from "@syla/testkit/seeded-random";
import { startWebhookReceiver } from "@syla/testkit/webhook-receiver";
import { expect, test } from "vitest";
import { examine, examineHost, examineWebhooks, watchConcurrency } from "./checks.ts";
import { faultKinds, inflict, type FaultKind } from "./faults.ts";
import { startInstallation, type Installation } from "./installation.ts";
import { perform, spreadMs, type Ground } from "./load.ts";
import { Report } from "./report.ts";
import { countSideEffects } from "./side-effects.ts";

/** A few rounds on every day, many with `npm run long`. A seed repeats what is random. */
const rounds = Number(process.env["SYLA_FAULT_ROUNDS"] ?? 5);
const seed = Number(process.env["SYLA_FAULT_SEED"] ?? 1);
/** A server that is killed while it sends to a webhook holds that delivery for two minutes. */
const webhookMs = rounds > 20 ? 150_000 : 20_000;
const mostProblems = 40;

/** Every kind once, in any order, and again. */
function* kindsInTurn(random: () => number): Generator<FaultKind, never> {
  for (;;) {
    const left = [...faultKinds];
    while (left.length > 0) yield* left.splice(Math.floor(random() * left.length), 1);
  }
}

/** What all rounds have in common: somebody who may have one run at a time, a program that is scheduled, a webhook that is told of all. */
async function prepare(
  installation: Installation,
  hookUrl: string,
): Promise<Omit<Ground, "effects"> & { keyId: string; webhookId: string }> {
  const [node] = installation.nodes;
  if (node === undefined) throw new Error("there are no servers");
  const send = async <T>(method: string, path: string, body: object): Promise<T> => {
    const answer = await installation.call(node, method, path, { body });
    expect([path, answer.ok]).toEqual([path, true]);
    return (await answer.json()) as T;
  };
  const key = await send<NewApiKey>("POST", "/api/v1/api-keys", { name: "One at a time" });
  await send("PATCH", `/api/v1/api-keys/${key.id}/quotas`, { concurrentRuns: 1 });
  const program = await send<Asset>("POST", "/api/v1/assets", {
    type: "program",
    name: "Scheduled",
    files: [{ path: "main.sh", content: "echo scheduled\n" }],
    config: { runtime: "bash", entrypoint: "main.sh" },
  });
  const hook = await send<Webhook>("POST", "/api/v1/webhooks", { name: "All", url: hookUrl, events: ["run.finished"] });
  const [owner] = await installation.query<{ owner_id: string }>("select owner_id from assets where id = $1", [program.id]);
  return {
    installation,
    limitedKey: key.key,
    keyId: key.id,
    webhookId: hook.id,
    scheduledProgram: { id: program.id, ownerId: owner?.owner_id ?? "" },
  };
}

// Redis and the S3 service are installed by tools/test.sh where that is possible; the servers need both.
test.skipIf(!hasRedis || !hasS3)(
  `${rounds} rounds of kills under load lose nothing, run nothing twice and leave nothing behind (seed ${seed})`,
  { timeout: 240_000 + rounds * 60_000 },
  async () => {
    const random = seededRandom(seed);
    const report = new Report();
    await using effects = await countSideEffects();
    await using receiver = await startWebhookReceiver();
    const problems: string[] = [];
    await using installation = await startInstallation({
      SYLA_NETWORK_ALLOW_PRIVATE: effects.address,
      SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1",
    });
    const ground = { ...(await prepare(installation, receiver.url)), effects };
    {
      await using limited = watchConcurrency(installation, ground.keyId);
      const kinds = kindsInTurn(random);
      for (let round = 1; round <= rounds && problems.length < mostProblems; round += 1) {
        const kind = kinds.next().value;
        const began = performance.now();
        const asked = perform(ground, seededRandom(seed * 1000 + round));
        const waitMs = random() * (spreadMs + 300);
        await sleep(waitMs);
        const fault = await inflict(installation, kind, random);
        await fault.mend();
        const outcome = await examine(ground, fault, await asked);
        report.add(kind, outcome, (await asked).refused, performance.now() - began);
        const told = outcome.problems.map((problem) => `round ${round}, ${kind} after ${Math.round(waitMs)} ms: ${problem}`);
        if (rounds > 5) process.stdout.write([`round ${round}: ${kind}, ${outcome.accepted} runs`, ...told, ""].join("\n"));
        problems.push(...told);
      }
      if (limited.most > 1) problems.push(`${limited.most} runs at once of a key that may have one`);
    }
    problems.push(...(await examineWebhooks(installation, ground.webhookId, receiver.received, webhookMs)));
    for (const { server } of installation.nodes) server.child.kill("SIGTERM");
    for (const { name, server } of installation.nodes)
      if ((await server.exited()) !== 0) problems.push(`the ${name} server did not stop in order`);
    problems.push(...(await examineHost(installation)));
    process.stdout.write(report.toText(seed, problems.length));
    if (problems.length > 0) process.stdout.write(installation.output());
    expect(problems).toEqual([]);
  },
);
