/** Replaces secrets in a text. */
export type Redact = (text: string) => string;

const masked = "[secret]";

/** What looks like one, whoever made it: the second wall behind not taking it up at all. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@"']+@/gi, `$1${masked}@`],
  [/([?&#](?:token|key|api_key|code|secret|signature|password)=)[^&\s"']+/gi, `$1${masked}`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${masked}`],
  [/\b(?:syla|sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abprs]|AKIA)[_-]?[A-Za-z0-9_-]{16,}/g, masked],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, masked],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, masked],
  [/\b((?:api_?key|password|passwd|secret|token|authorization)"?\s*[:=]\s*"?)[^\s",}]+/gi, `$1${masked}`],
];

/** Takes out these very secrets, and whatever looks like another one. */
export function createRedactor(secrets: readonly string[]): Redact {
  // Of two that begin alike the longer one goes first; a word of a letter or two would make holes everywhere.
  const known = [...new Set(secrets)].filter((secret) => secret.length >= 4).toSorted((a, b) => b.length - a.length);
  return (text) => {
    const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, masked), text);
    return shapes.reduce((rest, [shape, instead]) => rest.replaceAll(shape, instead), withoutKnown);
  };
}
