import { createSealedText } from "../two-factor/sealed-text.ts";
import type { Exchange } from "../sessions.ts";
import { z } from "zod";

/** What a browser keeps for us while somebody signs in by a provider: sealed, so that it can neither read nor change it. */
const Flow = z.object({
  kind: z.literal("flow"),
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  /** Whose account is to be linked; null when somebody signs in. */
  linkTo: z.object({ userId: z.string(), sessionId: z.string() }).nullable(),
  until: z.number(),
});
export type Flow = z.infer<typeof Flow>;

/** Somebody whom a provider has let in, and who still owes a code. */
const Pending = z.object({ kind: z.literal("pending"), userId: z.string(), returnTo: z.string(), until: z.number() });
export type Pending = z.infer<typeof Pending>;

const minutes = 10;

/** Keeps one of each in the browser that began. */
export function createFlowCookies(options: { secret: string; https: boolean; basePath: string }) {
  const sealed = createSealedText(options.secret, "sign-in-flow");
  const name = (kind: string) => `${options.https ? "__Secure-" : ""}syla.sign-in-${kind}`;
  const attributes = `Path=${options.basePath}/api/v1/sign-in; HttpOnly; SameSite=Lax${options.https ? "; Secure" : ""}`;

  const keep = ({ reply }: Exchange, value: Flow | Pending) => {
    reply.header(
      "set-cookie",
      `${name(value.kind)}=${sealed.seal(JSON.stringify(value), value.kind)}; Max-Age=${minutes * 60}; ${attributes}`,
    );
  };
  /** What is there, once: it is taken away. Undefined when there is none, or it is too old. */
  const take = <T extends Flow | Pending>({ request, reply }: Exchange, kind: T["kind"], schema: z.ZodType<T>): T | undefined => {
    const cookies = (request.headers.cookie ?? "").split(";").map((cookie) => cookie.trim());
    const text = cookies.find((cookie) => cookie.startsWith(`${name(kind)}=`))?.slice(name(kind).length + 1);
    if (text === undefined) return undefined;
    reply.header("set-cookie", `${name(kind)}=; Max-Age=0; ${attributes}`);
    try {
      const value = schema.parse(JSON.parse(sealed.open(text, kind)));
      return value.until > Date.now() ? value : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    keepFlow: (exchange: Exchange, flow: Omit<Flow, "kind" | "until">) =>
      keep(exchange, { kind: "flow", ...flow, until: Date.now() + minutes * 60_000 }),
    takeFlow: (exchange: Exchange) => take(exchange, "flow", Flow),
    keepPending: (exchange: Exchange, pending: Omit<Pending, "kind" | "until">) =>
      keep(exchange, { kind: "pending", ...pending, until: Date.now() + minutes * 60_000 }),
    takePending: (exchange: Exchange) => take(exchange, "pending", Pending),
  };
}

export type FlowCookies = ReturnType<typeof createFlowCookies>;
