import type { Document, Store } from "./store.ts";

/** What an API server refuses: a name, a namespace that is not there, a pod that is not locked up, a quota that is used up. */

export interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

const name = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const units: Readonly<Record<string, number>> = { "": 1, m: 0.001, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 };

export function refusalOf(store: Store, resource: string, document: Document): Refusal | null {
  const { namespace, name: own } = document.metadata;
  if (!name.test(own)) return invalid(resource, own, "metadata.name: a lowercase RFC 1123 subdomain must consist of lower case characters");
  if (namespace !== undefined && store.get("namespaces", undefined, namespace) === undefined)
    return { code: 404, reason: "NotFound", message: `namespaces "${namespace}" not found` };
  if (store.get(resource, namespace, own) !== undefined)
    return { code: 409, reason: "AlreadyExists", message: `${resource} "${own}" already exists` };
  if (resource !== "pods") return null;
  return podSecurity(store, document) ?? overQuota(store, document);
}

/** The level `restricted`, as the Pod Security Standards have it. */
function podSecurity(store: Store, { metadata, spec }: Document): Refusal | null {
  const level = store.get("namespaces", undefined, metadata.namespace ?? "")?.metadata.labels?.["pod-security.kubernetes.io/enforce"];
  if (level !== "restricted") return null;
  const broken: string[] = [];
  const says = (isBroken: boolean, what: string) => isBroken && broken.push(what);
  says(spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true, "host namespaces");
  for (const volume of spec.volumes ?? []) {
    const kind = Object.keys(volume).find((field) => field !== "name") ?? "";
    says(
      !["configMap", "emptyDir", "secret", "persistentVolumeClaim", "projected", "downwardAPI", "csi", "ephemeral"].includes(kind),
      `restricted volume types (${kind})`,
    );
  }
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const own = container.securityContext ?? {};
    const both = { ...spec.securityContext, ...own };
    says(own.privileged === true, "privileged");
    says(own.allowPrivilegeEscalation !== false, "allowPrivilegeEscalation != false");
    says(own.capabilities?.drop?.includes("ALL") !== true, "unrestricted capabilities");
    says(
      (own.capabilities?.add ?? []).some((added: string) => added !== "NET_BIND_SERVICE"),
      "added capabilities",
    );
    says(both.runAsNonRoot !== true, "runAsNonRoot != true");
    says(both.runAsUser === 0, "runAsUser=0");
    says(!["RuntimeDefault", "Localhost"].includes(both.seccompProfile?.type), "seccompProfile");
  }
  if (broken.length === 0) return null;
  return forbidden("pods", metadata.name, `violates PodSecurity "restricted:latest": ${broken.join(", ")}`);
}

function overQuota(store: Store, pod: Document): Refusal | null {
  const live = store
    .list("pods", pod.metadata.namespace)
    .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
  for (const quota of store.list("resourcequotas", pod.metadata.namespace)) {
    for (const [resource, hard] of Object.entries<string>(quota["spec"].hard)) {
      const [requested, used] = [amountOf(pod, resource), live.reduce((sum, other) => sum + (amountOf(other, resource) ?? 0), 0)];
      if (requested === null || used + requested <= parseQuantity(hard)) continue;
      const words = `exceeded quota: ${quota.metadata.name}, requested: ${resource}=${requested}, used: ${resource}=${used}, limited: ${resource}=${hard}`;
      return forbidden("pods", pod.metadata.name, words);
    }
  }
  return null;
}

/** What a pod takes of a resource that a quota names; null: pods take nothing of it. */
function amountOf({ spec }: Document, resource: string): number | null {
  if (resource === "pods") return 1;
  const [, kind = "", unit = ""] = /^(requests|limits)\.(.+)$/.exec(resource) ?? [];
  if (kind === "") return null;
  const amounts = spec.containers.map((container: Document) => container["resources"]?.[kind]?.[unit]);
  return amounts.reduce((sum: number, amount: string | undefined) => sum + parseQuantity(amount ?? "0"), 0);
}

function parseQuantity(text: string): number {
  const [, digits = "", unit = ""] = /^([0-9.]+)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = units[unit];
  if (digits === "" || factor === undefined) throw new RangeError(`no quantity: ${text}`);
  return Number(digits) * factor;
}

function invalid(resource: string, own: string, message: string): Refusal {
  return { code: 422, reason: "Invalid", message: `${resource} "${own}" is invalid: ${message}` };
}

function forbidden(resource: string, own: string, message: string): Refusal {
  return { code: 403, reason: "Forbidden", message: `${resource} "${own}" is forbidden: ${message}` };
}
