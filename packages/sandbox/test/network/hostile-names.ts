/** The one outside host of the escape suite: a TLS server on an address of its own. */
export const outsideName = "allowed.test";
export const outsideAddress = "127.0.77.9";

/** A name server that is on the attacker's side. Counts what it was asked. */
export function createHostileNames(): { resolve: (host: string) => Promise<readonly string[]>; lookUps: (host: string) => number } {
  const asked = new Map<string, number>();
  const answers: Readonly<Record<string, readonly string[]>> = {
    [outsideName]: [outsideAddress],
    "other.test": [outsideAddress],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata.test": ["169.254.169.254"],
    "private.test": ["10.0.0.1"],
    "mixed.test": ["192.0.2.1", "127.0.0.1"],
    "mixed6.test": ["2606:4700::1111", "::ffff:127.0.0.1"],
    localhost: ["127.0.0.1"],
    "a.localhost": ["127.0.0.1"],
  };
  const resolve = async (host: string) => {
    const times = (asked.get(host) ?? 0) + 1;
    asked.set(host, times);
    // Now the attacker's own address, where nobody answers, now the one that it wants.
    if (host === "rebinding.test") return times % 2 === 1 ? [outsideAddress] : ["127.0.0.1"];
    return answers[host] ?? [];
  };
  return { resolve, lookUps: (host) => asked.get(host) ?? 0 };
}
