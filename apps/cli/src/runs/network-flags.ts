import type { NetworkPolicy } from "@syla/sdk";
import { Option } from "commander";
import { usageError } from "../cli-error.ts";
import { collect } from "../commands/command.ts";

/** What `--network` and `--allow-domain` said. */
export interface NetworkFlags {
  readonly network?: Extract<NetworkPolicy, string>;
  readonly allowDomain: readonly string[];
}

export function networkOption(): Option {
  const summary = "what it may reach: nothing, the model gateway, or (administrators) every public host";
  return new Option("--network <policy>", summary).choices(["none", "gateway", "full"]);
}

export function allowDomainOption(): Option {
  const option = new Option("--allow-domain <host>", "let it reach this host: example.org, *.example.org, example.org:8443 (repeatable)");
  return option.argParser(collect).default([]);
}

/** The policy that they mean; undefined when nothing was said. */
export function readNetwork({ network, allowDomain }: NetworkFlags): NetworkPolicy | undefined {
  if (allowDomain.length === 0) return network;
  if (network !== undefined)
    throw usageError("--network and --allow-domain cannot be combined.", "--allow-domain alone lets the program reach just those hosts.");
  return { allow: [...allowDomain] };
}
