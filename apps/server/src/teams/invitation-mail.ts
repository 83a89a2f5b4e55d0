import type { Mail } from "../deliveries/service.ts";
import { escapeHtml } from "../platform/escape-html.ts";

/** Invites somebody to a team. */
export function invitationMail({ to, by, team, url, days }: { to: string; by: string; team: string; url: string; days: number }): Mail {
  const sentence = `${by} invites you to the team “${team}” on Syla.`;
  const advice = `The link can be used once, within ${days} days.`;
  return {
    to,
    subject: `${by} invites you to the team “${team}”`,
    text: `${sentence}\n\n${url}\n\n${advice}\n`,
    html: `<p>${escapeHtml(sentence)}</p><p><a href="${escapeHtml(url)}">${escapeHtml(url)}</a></p><p>${escapeHtml(advice)}</p>`,
  };
}
