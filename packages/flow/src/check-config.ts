import type { FlowNode } from "@syla/contracts/flow";
import { isIdentifier, isJavaScriptName } from "./names.ts";
import { normalizeSource, scanPython } from "./python/user-code.ts";

const slotReserved = new Set([
  "m",
  "context",
  "backend",
  "precondition_requirements",
  "requirements",
  "strategy",
  "model_options",
  "format",
  "images",
]);

function badNames(names: readonly string[], isGood: (name: string) => boolean, of: string): string[] {
  return names.filter((name) => !isGood(name)).map((name) => `${JSON.stringify(name)} cannot be the name of ${of}.`);
}

/** What a configuration says that no shape can tell: each a sentence. */
export function checkConfig(node: FlowNode): string[] {
  switch (node.kind) {
    case "slot": {
      const names = node.config.inputs.map(({ name }) => name);
      const reserved = names.filter((name) => slotReserved.has(name)).map((name) => `A slot cannot have an argument ${name}.`);
      const words = [node.config.name, ...(node.config.module?.split(".") ?? [])];
      return [...badNames(names, isIdentifier, "an argument"), ...reserved, ...badNames(words, isIdentifier, "a function or module")];
    }
    case "instruct": {
      const names = node.config.inputs.map(({ name }) => name);
      return badNames(names, isIdentifier, "a variable");
    }
    case "code": {
      const names = node.config.inputs.map(({ name }) => name);
      if (node.config.language === "javascript") return badNames(names, isJavaScriptName, "an input");
      const { problem } = scanPython(normalizeSource(node.config.source));
      return [...badNames(names, isIdentifier, "an input"), ...(problem === undefined ? [] : [problem])];
    }
    case "http": {
      if (!URL.canParse(node.config.url)) return ["The URL cannot be read."];
      const url = new URL(node.config.url);
      if (url.protocol !== "https:" && url.protocol !== "http:") return ["The URL must begin with https:// or http://."];
      if (url.username !== "" || url.password !== "") return ["A URL must hold no credentials."];
      return isAllowedHost(url.hostname, node.config.allowedHosts) ? [] : [`The host ${url.hostname} is not in the list of allowed hosts.`];
    }
    case "verifier":
      if (node.config.rule === "requirement" && node.config.text.trim() === "") return ["A requirement needs a text."];
      return [];
    default:
      return [];
  }
}

/** Whether a host is named by a list of `example.org` and `*.example.org`. */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) =>
    pattern.startsWith("*.") ? host.endsWith(pattern.slice(1).toLowerCase()) : host === pattern.toLowerCase(),
  );
}
