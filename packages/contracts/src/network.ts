import { z } from "zod";

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const maxHostLength = 253;

/**
 * An entry of an allow list in its one form: lower case, punycode, no trailing dot, a plain port. Null for what is none: notations that two
 * readers could understand differently (`0x7f.1`, `127.1`), zones, users, paths, a `*` anywhere but as the first label.
 */
export function normalizeAllowEntry(text: string): string | null {
  const parts = /^(\*\.)?(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]\\%*]+)(?::(\d{1,5}))?$/u.exec(text);
  if (parts === null) return null;
  const [, star = "", written = "", portText] = parts;
  const host = normalizeHost(written);
  const isAddress = host !== null && (host.startsWith("[") || /^[\d.]+$/.test(host));
  const port = portText === undefined ? null : Number(portText);
  if (host === null || (isAddress && star !== "") || (port !== null && (port < 1 || port > 65_535))) return null;
  return `${star}${host}${port === null ? "" : `:${port}`}`;
}

function normalizeHost(written: string): string | null {
  const text = written.toLowerCase().replace(/\.$/, "");
  const url = `http://${text}/`;
  if (!URL.canParse(url)) return null;
  const host = new URL(url).hostname;
  if (host.startsWith("[")) return host;
  if (/^[\d.]+$/.test(host)) return host === text ? host : null;
  return host.length <= maxHostLength && host.split(".").every((part) => label.test(part)) ? host : null;
}

const AllowEntry = z
  .string()
  .max(300)
  .overwrite((text) => normalizeAllowEntry(text) ?? text)
  .refine((text) => normalizeAllowEntry(text) !== null, "must be a host, *.host or a public address, with or without :port");

/** What a run may reach. Private ranges, this server and the metadata services of clouds are out of reach whatever it says. */
export const NetworkPolicy = z
  .union([
    z.enum(["none", "gateway", "full"], { error: 'must be "none", "gateway", "full" or {"allow": […]} with 1 to 100 hosts' }),
    z.strictObject({
      allow: z
        .array(AllowEntry)
        .min(1)
        .max(100)
        .describe("hosts, `*.host` for every name below one, addresses; ports 80 and 443 unless `:port` says another"),
    }),
  ])
  .describe(
    "`none`: no network; `gateway`: the model gateway only; `allow`: these hosts only; `full`: every public host, for administrators",
  )
  .meta({ id: "NetworkPolicy" });
export type NetworkPolicy = z.output<typeof NetworkPolicy>;

/** What a run did with its network, in numbers. */
export const NetworkUsage = z
  .object({
    policy: NetworkPolicy,
    sentBytes: z.int(),
    receivedBytes: z.int(),
    connections: z.int().describe("all of them, refused ones included"),
    refused: z.int(),
  })
  .meta({ id: "NetworkUsage" });
export type NetworkUsage = z.infer<typeof NetworkUsage>;

/** One connection, or one plain HTTP request. */
export const NetworkConnection = z
  .object({
    host: z.string(),
    port: z.int(),
    address: z.string().nullable().describe("where the host was; null when nothing was connected to"),
    startedAt: z.iso.datetime(),
    ms: z.int(),
    sentBytes: z.int(),
    receivedBytes: z.int(),
    outcome: z.enum(["completed", "refused", "failed", "cut"]),
    reason: z.string().nullable().describe("why it did not complete"),
  })
  .meta({ id: "NetworkConnection" });
export type NetworkConnection = z.infer<typeof NetworkConnection>;

/** The connections of a run, when it has ended. */
export const RunNetwork = z
  .object({
    policy: NetworkPolicy,
    usage: NetworkUsage.nullable(),
    connections: z.array(NetworkConnection).describe("the first 500, in the order in which they ended"),
    omitted: z.int().describe("how many more there were"),
  })
  .meta({ id: "RunNetwork" });
export type RunNetwork = z.infer<typeof RunNetwork>;

/** The connections of a long-lived sandbox so far; those that are open come when they end. */
export const SandboxNetwork = z.object({ ...RunNetwork.shape }).meta({ id: "SandboxNetwork" });
export type SandboxNetwork = z.infer<typeof SandboxNetwork>;
