import { isIP } from "node:net";
import { parseAuthority, type Target } from "./target.ts";

/** What a run may reach. Entries of `allow`: `host`, `*.host`, `host:port`, an address; without a port they mean 80 and 443. */
export type NetworkPolicy = "none" | "gateway" | "full" | AllowPolicy;

/** `named`: the operator named these hosts, not whoever wrote the program, so they may be in a private network or on this machine. */
export interface AllowPolicy {
  readonly allow: readonly string[];
  readonly named?: boolean;
}

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
  /** Its hosts may be private ones. */
  readonly isNamed: boolean;
  allows(target: Target): boolean;
}

/** @throws Error on an entry that is none */
export function compilePolicy(policy: NetworkPolicy): CompiledPolicy {
  if (policy === "full") return { isFull: true, isNamed: false, allows: () => true };
  const rules = typeof policy === "string" ? [] : policy.allow.map(parseRule);
  const isNamed = typeof policy !== "string" && policy.named === true;
  return { isFull: false, isNamed, allows: (target) => rules.some((rule) => matches(rule, target)) };
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
