import { hash } from "node:crypto";
import type { ModelPrices } from "@syla/contracts/model-config";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { Secret } from "../platform/secret.ts";
import { priceVersionOf, type SelectedModel } from "../models/service.ts";
import { settleHeld } from "../spend/service.ts";
import { endCall, insertCall, type CallEnd, type NewCall, type SentRequest } from "./calls/store.ts";
import { costOf } from "./metering/cost.ts";
import type { Meter } from "./metering/meter.ts";
import type { Failure } from "./protocol-error.ts";
import { hideRunTokens } from "./run-tokens/service.ts";

/** What a stored text is cut to. */
const mostStored = 256 * 1024;

/** What a record is written with. */
interface CallContext {
  readonly database: Database;
  readonly logger: Logger;
  /** Its cost has been counted. */
  readonly onSettled: () => Promise<void>;
  readonly onEnded: (end: CallEnd) => void;
  /** It has ended, whether or not that could be written down. */
  readonly onOver: () => void;
}

/** What a call may cost at most. */
export interface Hold {
  /** Null where the prices are unknown. */
  readonly amount: number | null;
  readonly prices: ModelPrices;
}

/** The record of one call while it goes on: ended once, whatever happens first. */
export class CallRecord {
  readonly id: string;
  /** The answer is whole: whoever leaves now has had it. */
  isComplete = false;
  /** Are written down nowhere, whoever says them. */
  secrets: readonly Secret[] = [];
  readonly #context: CallContext;
  readonly #model: SelectedModel;
  readonly #meter: Meter;
  readonly #hold: Hold;
  #isSent = false;
  #attempts = 0;
  readonly #sent: SentRequest[] = [];
  readonly #startedAt = performance.now();
  #firstByteMs: number | null = null;
  #ending: Promise<void> | null = null;

  constructor(id: string, context: CallContext, model: SelectedModel, meter: Meter, hold: Hold) {
    this.id = id;
    this.#context = context;
    this.#model = model;
    this.#meter = meter;
    this.#hold = hold;
  }

  /** From now on the provider may be working on it. The answer is to be told when it begins, or that there is none. */
  noteSent(): (status: number | null, code: string | null) => void {
    this.#isSent = true;
    this.#attempts += 1;
    const at = performance.now();
    return (status, code) => {
      this.#sent.push({ at: at - this.#startedAt, ms: performance.now() - at, status, code });
    };
  }

  /** The provider will not do it, or was not reached. */
  noteRefused(): void {
    this.#isSent = false;
  }

  /** The answer has begun. */
  noteFirstByte(): void {
    this.#firstByteMs ??= performance.now() - this.#startedAt;
  }

  /** `isUnfinished`: the provider goes on with it, and it has cost what was held back. */
  succeed(httpStatus: number, isUnfinished = false): Promise<void> {
    return this.#end("succeeded", httpStatus, null, isUnfinished);
  }

  /**
   * Nothing came of it. What was written by then has been paid for; where the end is missing, nobody knows what the provider counts, and it
   * has cost what was held back.
   */
  fail(failure: Failure, isCancelled: boolean): Promise<void> {
    const isCut = isCancelled || failure.code !== "provider_error";
    if (isCancelled && this.isComplete) return this.#end("succeeded", 200, null, isCut);
    return this.#end(isCancelled ? "cancelled" : "failed", failure.status, isCancelled ? null : failure, isCut);
  }

  /** It cost nothing: an answer of before was given. */
  async answerFromMemory(): Promise<void> {
    this.#context.onOver();
    this.#ending = this.#context.database.queries
      .transaction()
      .execute(async (work) => {
        const none = {
          inputTokens: 0,
          outputTokens: 0,
          cachedTokens: 0,
          reasoningTokens: 0,
          isEstimate: false,
          cost: 0,
          priceVersion: null,
        };
        const nothing = { errorCode: null, errorMessage: null, responseSha256: null, responseText: null, firstByteMs: null };
        const totalMs = performance.now() - this.#startedAt;
        const end = { status: "succeeded" as const, httpStatus: 200, attempts: 0, sent: [], cached: true, totalMs, ...none, ...nothing };
        const held = await endCall(work, this.id, end);
        if (held !== undefined) await settleHeld(work, held.scopes, held.reserved, 0);
        return end;
      })
      .then((end) => this.#context.onEnded(end));
    await this.#ending;
  }

  /** Resolves when it is in the database. A call that cannot be written stays as it began, and is swept up later. */
  #end(status: "succeeded" | "failed" | "cancelled", httpStatus: number, failure: Failure | null, isCut: boolean): Promise<void> {
    this.#context.onOver();
    this.#ending ??= this.#write(status, httpStatus, failure, isCut).catch((error: unknown) =>
      this.#context.logger.warn({ err: error, call: this.id }, "the end of a model call could not be recorded"),
    );
    return this.#ending;
  }

  async #write(status: CallEnd["status"], httpStatus: number, failure: Failure | null, isCut: boolean): Promise<void> {
    const totalMs = performance.now() - this.#startedAt;
    const isUnknown = isCut && this.#isSent && !this.#meter.isWhole;
    // Before anything of an answer there is nothing to pay, unless it ended while the provider worked.
    const isFree = status !== "succeeded" && this.#firstByteMs === null && !isUnknown;
    const { tokens, isEstimate } = isFree
      ? { tokens: { input: 0, output: 0, cached: 0, reasoning: 0 }, isEstimate: false }
      : this.#meter.count();
    const { prices, store } = this.#model.config;
    const counted = isFree ? 0 : costOf(tokens, this.#hold.prices);
    const cost = counted === null || !isUnknown ? counted : Math.max(counted, this.#hold.amount ?? 0);
    const ended = await this.#context.database.queries.transaction().execute(async (work) => {
      const end: CallEnd = {
        status,
        httpStatus,
        errorCode: failure?.code ?? null,
        errorMessage: failure === null ? null : hideText(failure.message, this.secrets).slice(0, 1000).replaceAll("\0", ""),
        attempts: this.#attempts,
        sent: this.#sent,
        cached: false,
        inputTokens: tokens.input,
        outputTokens: tokens.output,
        cachedTokens: tokens.cached,
        reasoningTokens: tokens.reasoning,
        isEstimate: isEstimate || isUnknown,
        cost,
        priceVersion: cost === null || isFree ? null : await priceVersionOf(work, this.#model.id, prices),
        responseSha256: store === "off" ? null : this.#meter.digest(),
        responseText: store === "full" ? storedText(hideText(this.#meter.text, this.secrets)) : null,
        firstByteMs: this.#firstByteMs,
        totalMs,
      };
      const held = await endCall(work, this.id, end);
      if (held === undefined) return null;
      await settleHeld(work, held.scopes, held.reserved, cost ?? 0);
      return end;
    });
    if (ended !== null) this.#context.onEnded(ended);
    if (cost !== null && cost > 0) await this.#context.onSettled();
  }
}

/** A provider may say the secrets that it was sent. */
export function hideText(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((said, secret) => said.replaceAll(secret.reveal(), "[secret]"), text);
}

/** A text as a column takes it. Programs may have said their token to the model. */
export function storedText(text: string): string {
  return hideRunTokens(text.slice(0, mostStored + 64))
    .slice(0, mostStored)
    .toWellFormed()
    .replaceAll("\0", "\u{fffd}");
}

export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

/** Writes down a call that was not made, because there is nothing left to spend. */
export async function recordRefusal(
  database: Database,
  call: Omit<NewCall, "reserved" | "scopes">,
  { status, code, message }: Failure,
): Promise<void> {
  const none = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, isEstimate: false, cost: 0, priceVersion: null };
  const nothing = { responseSha256: null, responseText: null, firstByteMs: null, totalMs: 0, attempts: 0, sent: [], cached: false };
  await database.queries.transaction().execute(async (work) => {
    await insertCall(work, { ...call, reserved: 0, scopes: [] });
    const errorMessage = message.slice(0, 1000);
    await endCall(work, call.id, { status: "refused", httpStatus: status, errorCode: code, errorMessage, ...none, ...nothing });
  });
}
