import { createHash } from "node:crypto";
import { SandboxError } from "../spec.ts";

/** What names and values may be in a cluster, and how those of ours become such ones. */

const labelName = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
/** A reference as registries know it: host, path, and a tag, a digest or both. */
const reference =
  /^(?:(?=[^/]*[.:]|localhost\/)[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const longestReference = 512;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const hashLength = 24;
const longestPrefix = 63 - 1 - hashLength;

/** A setting cannot be what it says. */
class ManifestError extends SandboxError {
  constructor(what: string, value: string) {
    super("tier_unavailable", `${what} cannot be ${JSON.stringify(value.slice(0, 100))} in a cluster`);
  }
}

/** A name of RFC 1123, as pods, namespaces, secrets and runtime classes have. @throws ManifestError */
export function requireName(what: string, name: string): string {
  if (!labelName.test(name)) throw new ManifestError(what, name);
  return name;
}

/** @throws ManifestError */
export function requireLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(labels)) {
    const [name = "", prefix, ...rest] = key.split("/").toReversed();
    const isKey = name !== "" && labelValue.test(name) && rest.length === 0 && (prefix === undefined || prefix.split(".").every(isLabel));
    if (!isKey) throw new ManifestError("a label", key);
    if (!labelValue.test(value)) throw new ManifestError(`the label ${key}`, value);
  }
  return labels;
}

/** @throws ManifestError */
export function requireImage(image: string): string {
  if (image.length > longestReference || !reference.test(image)) throw new ManifestError("an image", image);
  return image;
}

/** Variables of a container. Whatever they hold stays what it is: a cluster replaces `$(NAME)` in them. @throws ManifestError */
export function containerVariables(variables: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(variables).map(([name, value]) => {
    if (!variableName.test(name)) throw new ManifestError("a variable", name);
    if (value.includes("\0")) throw new ManifestError(`the variable ${name}`, value);
    return { name, value: literal(value) };
  });
}

/** A word that a cluster is to leave as it is. */
export function literal(word: string): string {
  return word.replaceAll("$(", "$$$$(");
}

/** Names of anything, as a label can hold them: whoever it belongs to cannot choose it, nor read it back. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hashLength);
}

/** The namespace of a tenant, whatever that one is called. @throws ManifestError for a prefix that no namespace can have */
export function namespaceOf(prefix: string, tenant: string): string {
  if (prefix.length > longestPrefix) throw new ManifestError("the prefix of namespaces", prefix);
  return requireName("the prefix of namespaces", `${prefix}-${hashOf(tenant)}`);
}

function isLabel(part: string): boolean {
  return labelName.test(part);
}
