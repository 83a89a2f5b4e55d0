import { isIP } from "node:net";
import type { ControlPlane, Quota } from "@syla/sandbox/kubernetes/manifest";
import { namespaceOf, requireImage, requireLabels, requireName } from "@syla/sandbox/kubernetes/names";

// As those of config-values.ts: each takes the text of an option of the kubernetes tier, or throws an Error whose message completes «SYLA_X: …».

const units = { "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 } as const;
const mostBytes = 2 ** 50;

/** A name of a kubeconfig's context: clouds put colons and slashes into them. */
export function contextName(text: string): string {
  if (text.length > 256 || !/^[\x21-\x7e]+$/.test(text)) throw new Error("must be the name of a context, without spaces");
  return text;
}

/** What a name in a cluster may be. */
export function kubernetesName(text: string): string {
  return allowed(() => requireName("a name", text), "must be a name of small letters, digits and hyphens");
}

/** Several of them. */
export function kubernetesNames(text: string): readonly string[] {
  return text.split(",").map((name) => kubernetesName(name.trim()));
}

/** What names of namespaces can begin with. */
export function namespacePrefix(text: string): string {
  allowed(() => namespaceOf(text, ""), "must be at most 38 small letters, digits and hyphens");
  return text;
}

/** `name=value,name=value` */
export function kubernetesLabels(text: string): Readonly<Record<string, string>> {
  const labels = Object.fromEntries(text.split(",").map((entry) => splitAt(entry.trim(), "=")));
  return allowed(() => requireLabels(labels), "must be labels like example.org/kind=sandboxes, separated by commas");
}

/** An image for all languages (`*`), or images by the names of languages. */
export function imagesByLanguage(text: string): ReadonlyMap<string, string> {
  const what = "must be an image like registry.example.org/syla/python:3.11, or images like python=…,node=…,*=…";
  const entries = text.split(",").map((entry) => (entry.includes("=") ? splitAt(entry.trim(), "=") : (["*", entry.trim()] as const)));
  if (new Set(entries.map(([language]) => language)).size < entries.length) throw new Error("names a language twice");
  if (entries.some(([language]) => !/^(?:\*|[a-z][a-z0-9+#.@-]{0,60})$/.test(language))) throw new Error(what);
  return new Map(entries.map(([language, image]) => [language, allowed(() => requireImage(image), what)]));
}

/** `pods=…,cpus=…,memory=…,disk=…`, all of them. */
export function podQuota(text: string): Quota {
  const entries = new Map(text.split(",").map((entry) => splitAt(entry.trim(), "=")));
  const what = "must be like pods=20,cpus=20,memory=40Gi,disk=200Gi";
  const take = (name: string, pattern: RegExp): string => {
    const value = entries.get(name) ?? "";
    if (!entries.delete(name) || !pattern.test(value)) throw new Error(what);
    return value;
  };
  const bytes = /^\d{1,12}(?:|Ki|Mi|Gi|Ti)$/;
  const quota = {
    pods: Number(take("pods", /^\d{1,6}$/)),
    cpus: Number(take("cpus", /^\d{1,6}(?:\.\d{1,3})?$/)),
    memoryBytes: toBytes(take("memory", bytes)),
    diskBytes: toBytes(take("disk", bytes)),
  };
  if (entries.size > 0 || quota.memoryBytes > mostBytes || quota.diskBytes > mostBytes) throw new Error(what);
  return quota;
}

/** A WebSocket's origin. */
export function agentUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url !== null && ["ws:", "wss:"].includes(url.protocol) && url.pathname === "/" && url.search === "" && url.hash === "";
  if (!isOrigin || url.hostname === "" || url.username !== "") throw new Error("must be an address like wss://syla.example.org:7880");
  return url.origin;
}

/** A network, or a namespace and labels in it; the port is the listener's. */
export type ControlPlaneAddress = { readonly cidr: string } | Omit<Extract<ControlPlane, { readonly namespace: string }>, "port">;

export function controlPlane(text: string): ControlPlaneAddress {
  const [address, bits] = splitAt(text, "/");
  const family = isIP(address);
  if (family !== 0) {
    if (!/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) throw new Error("must be a network like 10.1.2.3/32");
    return { cidr: text };
  }
  return { namespace: kubernetesName(address), labels: kubernetesLabels(bits) };
}

function splitAt(text: string, separator: string): readonly [string, string] {
  const place = text.indexOf(separator);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place + 1)];
}

function toBytes(text: string): number {
  const unit = /[A-Z]?i?$/.exec(text)?.[0] ?? "";
  return Number.parseInt(text, 10) * units[unit as keyof typeof units];
}

function allowed<T>(check: () => T, what: string): T {
  try {
    return check();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
}
