/** Where a slot's relay listens, on both loopback addresses. */
export const relayPort = 3128;
/** Connections of one run at once. */
export const connectionsPerRun = 256;

const proxy = `http://127.0.0.1:${relayPort}`;
const variables: Readonly<Record<string, string>> = {
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  // Not `socks5h`, which the proxy speaks too: several clients refuse to start with it when an extra of theirs is missing.
  ALL_PROXY: proxy,
  NO_PROXY: "localhost,127.0.0.1,::1",
};

/** What tells programs about their proxy. A variable that the run sets itself, in either case, is left to it. */
export function proxyEnvironment(own: Readonly<Record<string, string>>): Record<string, string> {
  const names = new Set(Object.keys(own).map((name) => name.toUpperCase()));
  const entries = Object.entries(variables).filter(([name]) => !names.has(name));
  return {
    ...Object.fromEntries(entries.flatMap(([name, value]) => [[name, value] as const, [name.toLowerCase(), value] as const])),
    NODE_USE_ENV_PROXY: "1",
  };
}
