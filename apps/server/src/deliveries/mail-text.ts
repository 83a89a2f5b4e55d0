import type { Mail } from "./outbox.ts";
import type { Entry } from "./message.ts";

/** The mail that tells of notifications: of one, or of all that came since the last digest. */
export function renderMail(to: string, subject: string, entries: readonly Entry[], publicUrl: string): Mail {
  const settings = `${publicUrl}/settings/notifications`;
  const paragraphs = entries.map((entry) => textOf(entry, publicUrl));
  const text = `${paragraphs.join("\n\n---\n\n")}\n\n-- \nYou get this from Syla because you chose to: ${settings}\n`;
  const html = [
    '<!doctype html><html lang="en"><meta charset="utf-8"><body style="font-family:sans-serif;line-height:1.5;color:#1c1c22">',
    ...entries.map((entry) => htmlOf(entry, publicUrl)),
    `<p style="font-size:12px;color:#6b6b76">You get this from Syla because you chose to: <a href="${escapeHtml(settings)}">settings</a></p>`,
    "</body></html>",
  ].join("\n");
  return { to, subject, text, html };
}

function textOf({ title, body, link }: Entry, publicUrl: string): string {
  return [title, body, link === null ? "" : publicUrl + link].filter((part) => part !== "").join("\n\n");
}

function htmlOf({ title, body, link }: Entry, publicUrl: string): string {
  const open = link === null ? "" : `<p><a href="${escapeHtml(publicUrl + link)}">Open it in Syla</a></p>`;
  const said = body === "" ? "" : `<p style="white-space:pre-line">${escapeHtml(body)}</p>`;
  return `<h2 style="font-size:16px;margin:24px 0 4px">${escapeHtml(title)}</h2>${said}${open}`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as it may stand between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
