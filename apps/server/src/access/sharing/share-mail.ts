import { escapeHtml } from "../../platform/escape-html.ts";
import type { Mail } from "../../deliveries/service.ts";

/** Tells somebody without an account that something waits for them. */
export function shareMail({ to, by, name, url }: { to: string; by: string; name: string; url: string }): Mail {
  const sentence = `${by} has shared “${name}” with you on Syla.`;
  const advice = "Open it with an account that has this e-mail address.";
  return {
    to,
    subject: `${by} has shared “${name}” with you`,
    text: `${sentence}\n\n${url}\n\n${advice}\n`,
    html: `<p>${escapeHtml(sentence)}</p><p><a href="${escapeHtml(url)}">${escapeHtml(url)}</a></p><p>${escapeHtml(advice)}</p>`,
  };
}
