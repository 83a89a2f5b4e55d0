import { createHash, createHmac, hash } from "node:crypto";
import { pipeline, Readable, Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { Route } from "@syla/contracts/route";
import type { Queries } from "../../platform/database.ts";
import { Answer } from "../../platform/http-call.ts";
import { markOnce } from "../../platform/once-mark.ts";
import type { OnceRequest } from "../../platform/http.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Actor } from "../actor.ts";
import * as store from "./store.ts";

/** How long a key stands for its request. */
const keptHours = 24;
/** One that is sent while the first is being worked on waits for its answer, so long. */
const waitMs = 10_000;
const lookEveryMs = 50;

/** What it takes to do a request once. */
export interface OnceContext {
  readonly queries: Queries;
  readonly logger: Logger;
  readonly workerId: () => string;
}

/**
 * Does a request that creates something once, however often it is sent with its key: later ones get the first one's answer. A refused request
 * has changed nothing, and its key may be used again. Where something was made and no answer recorded, because the work failed or the server
 * died, later ones are told so, and what it was; where nothing was, the work is done again.
 */
export function createOnce(context: OnceContext) {
  const inHand = new Set<string>();
  return async (wish: OnceRequest<Actor>, work: () => Promise<Answer>): Promise<Answer> => {
    const { request } = wish;
    const bytes = request.body instanceof Readable ? hashed(request.body) : null;
    if (bytes !== null) request.body = bytes.stream;
    try {
      return await doOnce({ ...context, inHand }, wish, bytes?.sum ?? null, work);
    } finally {
      bytes?.stream.resume(); // what nobody has read would keep the connection
    }
  };
}

async function doOnce(
  context: OnceContext & { readonly inHand: Set<string> },
  { route, request, actor, key }: OnceRequest<Actor>,
  sumOfBytes: (() => Promise<string>) | null,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const { queries } = context;
  const hashOf = (body: unknown) =>
    createHmac("sha256", key)
      .update(JSON.stringify([route.method, request.url, request.headers["if-match"] ?? null, body]))
      .digest("hex");
  /** Of a body that comes as bytes only when all of it has come. */
  const requestHash = async () => hashOf(sumOfBytes === null ? (request.body ?? null) : await sumOfBytes());
  const asked = {
    ownerId: actor.userId,
    keyHash: hash("sha256", key, "hex"),
    requestHash: sumOfBytes === null ? hashOf(request.body ?? null) : "",
  };
  const [deadline, workerId] = [performance.now() + waitMs, context.workerId()];
  /** Takes it on, or answers what came of it; undefined: another one is at it. */
  const begin = async (isOurs: boolean): Promise<Answer | "begun" | undefined> => {
    if (isOurs && (await store.beginRequest(queries, asked, workerId, keptHours))) return "begun";
    const found = await store.findRequest(queries, asked);
    if (found === undefined) return undefined;
    if (found.request_hash !== "" && found.request_hash !== (await requestHash())) throw new AppError("idempotency_conflict");
    if (found.status !== null) return answerAgain(found);
    // What this process has not in hand it has lost, too.
    if (found.made !== null && (found.isLost || (isOurs && found.worker_id === workerId))) throw madeBefore(found.made);
    return undefined;
  };
  const name = `${asked.ownerId} ${asked.keyHash}`;
  for (;;) {
    using held = new DisposableStack();
    const isOurs = !context.inHand.has(name);
    if (isOurs) {
      context.inHand.add(name);
      held.defer(() => context.inHand.delete(name));
    }
    const begun = await begin(isOurs);
    if (begun === "begun") return await perform(context, route, asked, workerId, requestHash, work);
    if (begun !== undefined) return begun;
    if (performance.now() > deadline) throw new AppError("idempotency_in_progress", { retryAfter: 5 });
    held.dispose();
    await sleep(lookEveryMs);
  }
}

/** Does the work of a request that was taken on. */
async function perform(
  { queries, logger }: OnceContext,
  route: Route,
  asked: store.KeyedRequest,
  workerId: string,
  requestHash: () => Promise<string>,
  work: () => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await markOnce(asked, work);
  } catch (error) {
    await store
      .letGoOfRequest(queries, asked, workerId)
      .catch((err: unknown) => logger.warn({ err }, "an idempotency key could not be freed"));
    throw error;
  }
  const { status, body, headers } = answer;
  const plain = Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  try {
    const end = {
      request_hash: await requestHash(),
      status,
      headers: plain,
      answer: route.once === "answer" ? JSON.stringify(body) : null,
    };
    await store.endRequest(queries, asked, workerId, end);
    await store.forgetOldRequests(queries, keptHours);
  } catch (err) {
    // It is done, and its client hears so; only a repetition is not told.
    logger.warn({ err }, "the answer to an idempotency key could not be kept");
  }
  return answer;
}

/** A body whose hash is made while it is read. `sum` reads what is left of it. */
function hashed(body: Readable): { readonly stream: Readable; readonly sum: () => Promise<string> } {
  const sum = createHash("sha256");
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      sum.update(chunk);
      done(null, chunk);
    },
  });
  let total: Promise<string> | null = null;
  pipeline(body, stream, () => {});
  const read = async () => {
    await finished(stream.resume());
    return sum.digest("hex");
  };
  return { stream, sum: () => (total ??= read()) };
}

/** Something was made, and no answer was given. */
function madeBefore(made: string): AppError {
  return new AppError("idempotency_answer_gone", {
    message: `The request with this idempotency key was begun, and the server could not answer it.${made === "" ? "" : ` It had made ${made}.`}`,
    hint: "Look at what it made; to begin anew, delete that and send the request with a new key.",
    details: made === "" ? {} : { id: made },
  });
}

function answerAgain({ status, answer, headers }: store.StoredRequest): Answer {
  if (answer === null) throw new AppError("idempotency_answer_gone");
  return new Answer(status ?? 200, JSON.parse(answer), { ...headers, "idempotency-replayed": "true" });
}
