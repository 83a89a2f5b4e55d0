import { z } from "zod";

/**
 * The host that a credential is for, as people write it: `github.com`, `git.example.org:8443`, `https://git.example.org/`. One that speaks http without
 * encryption is only meant when the scheme says so. Answers it in one form, or null.
 */
export function normalizeHost(text: string): string | null {
  const full = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(full) || /[\s\\]/.test(text)) return null;
  const { protocol, host, username, password, pathname, search, hash } = new URL(full);
  if (host === "" || username !== "" || password !== "" || pathname !== "/" || search !== "" || hash !== "") return null;
  return protocol === "https:" ? host : `http://${host}`;
}

/** Whether what is for a host may be sent to an address: same scheme, name and port. */
export function isHostOf(host: string, url: string): boolean {
  const { protocol, host: asked } = new URL(url);
  return host === (protocol === "https:" ? asked : `${protocol}//${asked}`);
}

/** A host in the form in which it is compared. */
export const CredentialHost = z
  .string()
  .trim()
  .min(1)
  .max(255)
  .transform((text, context) => {
    const host = normalizeHost(text);
    if (host !== null) return host;
    context.addIssue({ code: "custom", message: "must be a host, such as github.com or git.example.org:8443" });
    return z.NEVER;
  });
