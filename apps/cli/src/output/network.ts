import type { NetworkConnection, NetworkPolicy, NetworkUsage } from "@syla/sdk";
import { plainLine } from "./terminal-text.ts";
import { formatBytes } from "./units.ts";

/** A network policy on one line. */
export function describeNetwork(policy: NetworkPolicy): string {
  return plainLine(typeof policy === "string" ? policy : policy.allow.join(", "));
}

/** What went over the network, on one line. */
export function describeNetworkUse({ connections, refused, sentBytes, receivedBytes }: NetworkUsage): string {
  const count = `${connections} ${connections === 1 ? "connection" : "connections"}${refused > 0 ? ` (${refused} refused)` : ""}`;
  return `${count}, ${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received`;
}

/** One connection on one line. What the other side or the program chose is printed as plain text. */
export function describeConnection(connection: NetworkConnection): string {
  const { host, port, outcome, sentBytes, receivedBytes, reason } = connection;
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const bytes = `${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received`;
  return plainLine(`${outcome.padEnd(10)}${where}  ${bytes}${reason === null ? "" : `  (${reason})`}`);
}
