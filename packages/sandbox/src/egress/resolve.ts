import { Resolver } from "node:dns/promises";

/** All addresses of a name, IPv4 first. Rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/**
 * Asks the machine's name servers, over sockets of its own: the C library's way would take a thread of the few that every run and the
 * server itself share. `/etc/hosts` is not consulted.
 */
export function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  return async (host) => {
    if (host === "localhost" || host.endsWith(".localhost")) return ["127.0.0.1", "::1"]; // RFC 6761
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (addresses.length > 0) return addresses;
    throw new Error(`the name ${host} has no address`);
  };
}
