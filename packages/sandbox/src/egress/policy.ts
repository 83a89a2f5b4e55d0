import { isIP } from "node:net";
import { parseAuthority, type Target } from "./target.ts";

/** What a run may reach. Entries of `allow`: `host`, `*.host`, `host:port`, an address; without a port they mean 80 and 443. */
export type NetworkPolicy = "none" | "gateway" | "full" | { readonly allow: readonly string[] };

const defaultPorts: readonly number[] = [80, 443];

interface Rule {
  readonly host: string;
  /** Names below `host`, and not itself. */
  readonly below: boolean;
  readonly port: number | null;
}

/** A policy that can be asked about names. Addresses behind the names are a matter of their own (addresses.ts). */
export interface CompiledPolicy {
  readonly isFull: boolean;
  allows(target: Target): boolean;
}

/** @throws Error on an entry that is none */
export function compilePolicy(policy: NetworkPolicy): CompiledPolicy {
  if (policy === "full") return { isFull: true, allows: () => true };
  const rules = typeof policy === "string" ? [] : policy.allow.map(parseRule);
  return { isFull: false, allows: (target) => rules.some((rule) => matches(rule, target)) };
}

function parseRule(text: string): Rule {
  const below = text.startsWith("*.");
  const target = parseAuthority(below ? text.slice(2) : text, 443);
  if (target === null || (below && isIP(target.host) !== 0)) throw new Error(`${JSON.stringify(text)} cannot be allowed`);
  return { host: target.host, below, port: /:\d+$/.test(text.replace(/^\[.*\]/, "")) ? target.port : null };
}

function matches({ host, below, port }: Rule, target: Target): boolean {
  if (port === null ? !defaultPorts.includes(target.port) : port !== target.port) return false;
  return below ? target.host.endsWith(`.${host}`) : target.host === host;
}
