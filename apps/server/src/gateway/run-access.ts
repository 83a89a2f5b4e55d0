import type { RunLlmUsage } from "@syla/contracts/runs";
import { relayPort } from "@syla/sandbox/egress/environment";
import type { CallBook } from "../models/service.ts";
import type { Secret } from "../platform/secret.ts";
import { confidentialPart, type RunTokenInput, type RunTokens } from "./run-tokens/service.ts";

/** After the time of a run, for what comes before and after it. */
const marginMs = 15 * 60_000;
const gateway = `http://127.0.0.1:${relayPort}`;

/** A sandbox's way to its models, as long as it lasts. */
export interface SandboxAccess {
  readonly token: Secret;
  /** The part of the token that nobody knows: not to be found in what is said inside. */
  readonly confidential: Secret;
  /** What tells client libraries where models are. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A run's way to its models. */
export interface RunAccess extends SandboxAccess {
  /** What it has called so far. */
  totals(): Promise<RunLlmUsage>;
}

/** Who calls, and what they may call. */
interface AccessInput {
  readonly userId: string;
  readonly programId: string | null;
  readonly keyId: string | null;
  readonly modelIds: readonly string[];
  readonly wallMs: number;
}

/** Opens the gateway for runs and for long-lived sandboxes. */
export interface ModelAccess {
  open(input: AccessInput & { readonly runId: string }): Promise<RunAccess>;
  openForSandbox(input: AccessInput & { readonly sandboxId: string }): Promise<SandboxAccess>;
}

export function createModelAccess(tokens: RunTokens, calls: CallBook): ModelAccess {
  const issue = async ({ wallMs, ...caller }: AccessInput, holder: RunTokenInput["holder"]) => {
    const token = await tokens.issue({ ...caller, holder, expiresAt: new Date(Date.now() + wallMs + marginMs) });
    return { token, confidential: confidentialPart(token), env: clientEnvironment(token) };
  };
  return {
    async open({ runId, ...caller }) {
      return {
        ...(await issue(caller, { runId })),
        async totals() {
          const { total } = await calls.ofRun(runId, { limit: 1 });
          const { calls: count, failed, inputTokens, outputTokens, cachedTokens, cost, unknownCosts } = total;
          return { calls: count, failed, inputTokens, outputTokens, cachedTokens, cost, unknownCosts };
        },
        close: () => tokens.revoke(runId),
      };
    },
    async openForSandbox({ sandboxId, ...caller }) {
      return { ...(await issue(caller, { sandboxId })), close: () => tokens.revokeOfSandbox(sandboxId) };
    },
  };
}

/**
 * The variables of the client libraries. The key is the run's token: libraries want one, and it opens nothing but the gateway, which knows
 * the run by its connection anyway.
 */
function clientEnvironment(token: Secret): Record<string, string> {
  const key = token.reveal();
  return {
    OPENAI_BASE_URL: `${gateway}/v1`,
    OPENAI_API_BASE: `${gateway}/v1`,
    OPENAI_API_KEY: key,
    ANTHROPIC_BASE_URL: gateway,
    ANTHROPIC_API_BASE: gateway,
    ANTHROPIC_API_KEY: key,
    OLLAMA_HOST: gateway,
    OLLAMA_API_BASE: gateway,
  };
}
