import { escapeHtml } from "../platform/escape-html.ts";
import type { Mail, queueMail } from "../deliveries/service.ts";

/** Puts a mail into the queue, with the transaction. */
export type QueueMail = typeof queueMail;

interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly lines: readonly string[];
  readonly link: string;
}

/** Subjects are fixed and links are ours: nothing that a stranger wrote gets into a header. */
function write({ to, subject, lines, link }: Letter): Mail {
  const paragraphs = lines.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n");
  const address = escapeHtml(link);
  return {
    to,
    subject,
    text: `${lines.join("\n\n")}\n\n${link}\n`,
    html: `${paragraphs}\n<p><a href="${address}">${address}</a></p>\n`,
  };
}

const notYou = "If you did not ask for this, do nothing: nothing changes.";

export function invitationMail(to: string, link: string, inviter: string | null, days: number): Mail {
  const lines = [`${inviter ?? "An administrator"} invites you to Syla. Make your account here; the link works once, for ${days} days.`];
  return write({ to, subject: "You are invited to Syla", lines, link });
}

export function signUpMail(to: string, link: string): Mail {
  const lines = ["Make your Syla account here. The link works once, for a day.", notYou];
  return write({ to, subject: "Make your Syla account", lines, link });
}

/** Sent in place of the others when the address has an account, so that the page can answer the same. */
export function accountExistsMail(to: string, publicUrl: string): Mail {
  const lines = ["Somebody gave this address to Syla to make an account, and you have one already. Sign in here.", notYou];
  return write({ to, subject: "You have a Syla account", lines, link: `${publicUrl}/sign-in` });
}

export function verificationMail(to: string, link: string): Mail {
  const lines = ["Confirm here that this is the address of your Syla account. The link works once, for a day.", notYou];
  return write({ to, subject: "Confirm your address for Syla", lines, link });
}

export function passwordResetMail(to: string, link: string): Mail {
  const lines = ["Set a new password for Syla here. The link works once, for an hour.", notYou];
  return write({ to, subject: "Set a new Syla password", lines, link });
}

export function passwordChangedMail(to: string, publicUrl: string): Mail {
  const lines = ["The password of your Syla account was changed. If that was not you, set a new one at once."];
  return write({ to, subject: "Your Syla password was changed", lines, link: `${publicUrl}/forgot-password` });
}
