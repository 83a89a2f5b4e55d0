/** Headers as they travel: name, value, name, value. */
export type RawHeaders = readonly string[];

/** Of one connection, not of what travels over it (RFC 9110, 7.6.1). */
const hopByHop = ["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade"];
/** Said anew by us: what a caller claims about himself is not believed. */
const forwarding = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip"];
/** They act beyond the preview's own origin: on the domain that all previews, and perhaps the product, are below. */
const farReaching = ["clear-site-data", "strict-transport-security", "alt-svc", "public-key-pins"];
/** The product's cookies, whatever prefix they have: `__Secure-syla.session_token`. */
const ownCookie = /^\s*(__Secure-|__Host-)?syla\./i;
/** The product's keys. */
const ownKey = /^\s*bearer\s+syla_/i;

/** Where a request came from. */
export interface Origin {
  readonly host: string;
  readonly address: string;
  readonly scheme: string;
}

/** What the program gets to see of a request. `upgrade`: it becomes a WebSocket. */
export function requestHeaders(raw: RawHeaders, origin: Origin, upgrade: boolean): string[] {
  const dropped = new Set([...hopByHop, ...forwarding, ...namedByConnection(raw)]);
  const kept = pairs(raw).flatMap(([name, value]) => {
    const known = name.toLowerCase();
    if (dropped.has(known) || (known === "authorization" && ownKey.test(value))) return [];
    return known === "cookie" ? withoutOwnCookies(name, value) : [name, value];
  });
  const { host, address, scheme } = origin;
  const said = ["X-Forwarded-For", address, "X-Forwarded-Host", host, "X-Forwarded-Proto", scheme];
  return [...kept, ...said, ...(upgrade ? ["Connection", "Upgrade", "Upgrade", "websocket"] : ["Connection", "close"])];
}

/** What a browser gets to see of an answer. */
export function responseHeaders(raw: RawHeaders): string[] {
  const dropped = new Set([...hopByHop, "transfer-encoding", ...farReaching, ...namedByConnection(raw)]);
  const kept = pairs(raw).flatMap(([name, value]) => {
    const known = name.toLowerCase();
    if (dropped.has(known) || (known === "set-cookie" && ownCookie.test(value))) return [];
    // A cookie stays with the preview that set it.
    return [name, known === "set-cookie" ? value.replaceAll(/;\s*domain\s*=[^;]*/gi, "") : value];
  });
  const named = new Set(pairs(kept).map(([name]) => name.toLowerCase()));
  // The address is the key to the preview: it is not told to other sites unless the program wants that.
  return [...kept, ...(named.has("referrer-policy") ? [] : ["Referrer-Policy", "same-origin"]), "X-Robots-Tag", "noindex"];
}

function withoutOwnCookies(name: string, value: string): string[] {
  const kept = value.split(";").filter((cookie) => !ownCookie.test(cookie));
  return kept.length === 0 ? [] : [name, kept.join(";").trim()];
}

function namedByConnection(raw: RawHeaders): string[] {
  return pairs(raw)
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "transfer-encoding" && name !== "content-length"); // the body's end is never up to a list
}

function pairs(raw: RawHeaders): (readonly [string, string])[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] ?? "", raw[index * 2 + 1] ?? ""] as const);
}
