/** Why a preview shows nothing: a status, and what a person is told. */
export interface Refusal {
  readonly status: number;
  readonly title: string;
  readonly advice: string;
}

export const refusals = {
  unknown: {
    status: 404,
    title: "This preview has expired",
    advice: "Open the port again from the sandbox's page. Preview addresses work for a while only, and end with their sandbox.",
  },
  foreign: { status: 421, title: "There is no preview under this name", advice: "This address is for previews of sandboxes only." },
  silent: { status: 502, title: "Nothing listens on this port", advice: "Start the program in the sandbox, then load this page again." },
  broken: { status: 502, title: "The program gave no answer", advice: "It closed the connection, or what it said is not HTTP." },
  paused: { status: 503, title: "The sandbox is paused", advice: "Resume it, then load this page again." },
  busy: {
    status: 503,
    title: "Too many connections",
    advice: "This preview has as many connections as it may have. Try again in a moment.",
  },
  stopping: { status: 503, title: "The server is shutting down", advice: "Try again in a few seconds." },
  invalid: { status: 400, title: "The request is not valid", advice: "Previews answer ordinary requests only." },
} as const satisfies Record<string, Refusal>;

/** A page of ours on the preview's origin: no script, nothing from elsewhere. Its words are fixed. */
export function refusalPage({ title, advice }: Refusal): string {
  const style = "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem}h1{font-size:1.25rem}";
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${style}</style><h1>${title}</h1><p>${advice}</p></html>\n`;
}

/** The headers of such a page. */
export const refusalHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  connection: "close",
};
