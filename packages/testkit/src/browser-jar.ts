/** A browser of plain HTTP: keeps cookies by host and path, and follows redirects one at a time. */
export class BrowserJar {
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();

  /** Calls an address with the cookies that belong to it, and keeps those of the answer. */
  async call(address: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(address);
    const headers = new Headers(init.headers);
    const cookies = [...this.#cookies].flatMap(([key, { value, path }]) => {
      const [host = "", name = ""] = key.split(" ");
      return host === url.host && url.pathname.startsWith(path) ? [`${name}=${value}`] : [];
    });
    if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
    const answer = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) this.#keep(url, line);
    return answer;
  }

  /** Follows redirects from an address until one leads to `end`, or there is none. @returns the last answer, and where it came from */
  async follow(address: string, end: (url: URL) => boolean = () => false): Promise<{ url: URL; answer: Response }> {
    let url = new URL(address);
    for (let hops = 0; hops < 20; hops += 1) {
      const answer = await this.call(url.href);
      const location = answer.headers.get("location");
      if (location === null) return { url, answer };
      const next = new URL(location, url);
      if (end(next)) return { url: next, answer };
      url = next;
    }
    throw new Error(`${address} leads nowhere`);
  }

  /** The value of a cookie of a host. */
  get(host: string, name: string): string | undefined {
    return this.#cookies.get(`${host} ${name}`)?.value;
  }

  #keep(url: URL, line: string): void {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const attribute = (name: string) => attributes.find((text) => text.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
    const key = `${url.host} ${pair.slice(0, at)}`;
    const expires = attribute("expires");
    const isGone =
      attribute("max-age") === "0" || pair.slice(at + 1) === "" || (expires !== undefined && new Date(expires).getTime() < Date.now());
    if (isGone) this.#cookies.delete(key);
    else this.#cookies.set(key, { value: pair.slice(at + 1), path: attribute("path") ?? "/" });
  }
}
