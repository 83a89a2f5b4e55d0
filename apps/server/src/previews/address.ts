/** A preview as the name of a host says it. */
interface PreviewName {
  readonly port: number;
  readonly token: string;
}

/** 128 bits: nobody guesses one. Host names do not tell upper from lower case, so it has digits and small letters only. */
const namePattern = /^([1-9]\d{0,4})-([0-9a-f]{32})$/;

/** The address of a preview; `base` is the origin that previews have their names below. */
export function previewUrl(base: string, { port, token }: PreviewName): string {
  const url = new URL(base);
  url.hostname = `${port}-${token}.${url.hostname}`;
  return url.href;
}

/** What a `Host` header names; null for every name that is no preview's, so that no foreign name is ever answered. */
export function parsePreviewHost(host: string | undefined, base: string): PreviewName | null {
  if (host === undefined || !URL.canParse(`http://${host}/`)) return null;
  const { hostname } = new URL(`http://${host}/`);
  const suffix = `.${new URL(base).hostname}`;
  const name = hostname.endsWith(suffix) ? namePattern.exec(hostname.slice(0, -suffix.length)) : null;
  return name === null ? null : { port: Number(name[1]), token: name[2] ?? "" };
}
