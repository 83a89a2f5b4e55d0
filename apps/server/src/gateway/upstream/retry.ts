import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { Send, UpstreamAnswer, UpstreamRequest } from "./send.ts";

const attempts = 3;
const firstWaitMs = 400;
/** A provider that wants more patience than this is not waited for. */
const longestWaitMs = 10_000;

/** Sends again while the provider is busy or out of reach: nothing of an answer has reached the caller by then. */
export async function sendWithRetries(send: Send, request: UpstreamRequest): Promise<UpstreamAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === attempts;
    let waitMs = firstWaitMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
    try {
      const answer = await send(request);
      const asked = retryAfterMs(answer.headers["retry-after"]);
      if (isLast || !isPassing(answer.status) || (asked !== null && asked > longestWaitMs)) return answer;
      waitMs = asked ?? waitMs;
      await answer.body[Symbol.asyncIterator]().return?.(); // the connection is of no more use
    } catch (error) {
      if (isLast || request.signal.aborted || !(error instanceof AppError) || error.code !== "model_unreachable" || isRefusal(error))
        throw error;
    }
    await sleep(waitMs, undefined, { signal: request.signal });
  }
}

function isPassing(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Forbidden by the rules: asking again changes nothing. */
function isRefusal(error: AppError): boolean {
  return error.message.includes(" is refused: ");
}

function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
