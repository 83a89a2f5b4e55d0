import type { Secret } from "../platform/secret.ts";
import { checkHeaders, type Mail } from "./outbox.ts";

/** Sends e-mail. */
export interface Mailer {
  /** @throws Error of the SMTP client; {@link isFinalRefusal} tells whether another try is worth it */
  send(mail: Mail, messageId: string): Promise<void>;
  close(): void;
}

/** A mailer that talks to an SMTP server; null when none is configured, and then its client is not even loaded. */
export async function createMailer(url: Secret | undefined, from: string): Promise<Mailer | null> {
  if (url === undefined) return null;
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    url: url.reveal(),
    pool: true,
    maxConnections: 3,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html }, messageId) {
      checkHeaders({ to, subject });
      // An address that is an object is never taken for a list of several.
      const address = { name: "", address: to };
      await transport.sendMail({ from, to: address, subject, text, html, messageId, headers: { "auto-submitted": "auto-generated" } });
    },
    close: () => transport.close(),
  };
}

/** The server has refused this mail for good (RFC 5321: a reply that begins with 5). */
export function isFinalRefusal(error: unknown): boolean {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  return code === "EENVELOPE" && responseCode !== undefined && responseCode >= 500;
}
