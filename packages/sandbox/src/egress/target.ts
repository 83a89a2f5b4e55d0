import { isIP, isIPv4, isIPv6 } from "node:net";

/** Where a program wants to go: a name or an address, as it will be looked up, and nothing else. */
export interface Target {
  /** Lower case, without a trailing dot or brackets. */
  readonly host: string;
  readonly port: number;
}

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * A host as programs write it, brought to one form. Null for everything that two readers could understand differently: odd notations of
 * addresses, zones, bytes outside of ASCII.
 */
export function parseHost(text: string): string | null {
  const inner = /^\[([0-9A-Fa-f:.]+)\]$/.exec(text)?.[1];
  if (inner !== undefined) return isIPv6(inner) ? canonical6(inner) : null;
  if (isIPv6(text) && !text.includes("%")) return canonical6(text);
  const host = text.toLowerCase().replace(/\.$/, "");
  if (isIPv4(host)) return host;
  const labels = host.split(".");
  if (host.length > 253 || !labels.every((part) => label.test(part))) return null;
  // `127.1`, `0x7f.1`, `2130706433`: an address to some readers.
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) return null;
  return host;
}

function canonical6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** `host:port`, `[::1]:443`. Null when it is anything else, such as with a user in front. */
export function parseAuthority(text: string, defaultPort: number | null): Target | null {
  const parts = /^(\[[^\]]*\]|[^:@/?#\\\s]+)(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] === undefined ? null : parseHost(parts[1]);
  const port = parts?.[2] === undefined ? defaultPort : Number(parts[2]);
  return host === null || port === null || port < 1 || port > 65_535 ? null : { host, port };
}

/** As it stands in a `Host` header or a message. */
export function formatTarget({ host, port }: Target, defaultPort: number | null = null): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === defaultPort ? name : `${name}:${port}`;
}
