import { normalizeAllowEntry } from "@syla/contracts/network";
import type { NetworkPolicy } from "@syla/sdk";

/** What is chosen under Network; `hosts` holds the list of `hosts` while another choice is made, one a line. */
export interface DraftNetwork {
  readonly network: "none" | "hosts" | "gateway" | "full";
  readonly hosts: string;
}

export const noNetwork: DraftNetwork = { network: "none", hosts: "" };
const mostHosts = 100;

/** What is wrong with it, in words; null when it can be sent. */
export function networkProblem({ network, hosts }: DraftNetwork): string | null {
  if (network !== "hosts") return null;
  const lines = hosts.split("\n").map((line) => line.trim());
  const wrong = lines.findIndex((line) => line !== "" && normalizeAllowEntry(line) === null);
  if (wrong >= 0) return `Line ${wrong + 1} is not a host, *.host or address: ${lines[wrong]?.slice(0, 40)}`;
  const count = hostLines(hosts).length;
  if (count === 0) return "Name at least one host.";
  return count > mostHosts ? `There are ${count} hosts; ${mostHosts} are the most.` : null;
}

/** What is sent. */
export function networkInput({ network, hosts }: DraftNetwork): NetworkPolicy {
  return network === "hosts" ? { allow: hostLines(hosts) } : network;
}

/** The fields that repeat a run's policy. */
export function networkFields(policy: NetworkPolicy): DraftNetwork {
  return typeof policy === "string" ? { network: policy, hosts: "" } : { network: "hosts", hosts: policy.allow.join("\n") };
}

function hostLines(hosts: string): string[] {
  return hosts
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
