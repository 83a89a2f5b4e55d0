/** Digits of a number in a key: as many as the contract lets a part have. */
const width = 9;

/**
 * A semantic version as text that sorts by precedence, byte by byte. A space, which no version has, comes before everything that one may
 * have, and `~` after it. Source: https://semver.org/spec/v2.0.0.html, 11.
 */
export function versionKey(version: string): string {
  const dash = version.indexOf("-");
  const numbers = (dash < 0 ? version : version.slice(0, dash)).split(".").map((part) => part.padStart(width, "0"));
  const labels = dash < 0 ? null : version.slice(dash + 1).split(".");
  const end =
    labels === null ? "~" : labels.map((label) => (/^\d+$/.test(label) ? `0${label.padStart(width, "0")}` : `1${label}`)).join(" ");
  return `${numbers.join(".")} ${end}`;
}

/** What the version after this one may be called. */
export interface NextVersions {
  readonly patch: string;
  readonly minor: string;
  readonly major: string;
}

/** The first version is 0.1.0, or 1.0.0; a version that was tried out is followed by itself. */
export function nextVersions(newest: string | null): NextVersions {
  if (newest === null) return { patch: "0.1.0", minor: "0.1.0", major: "1.0.0" };
  const [core = "", ...labels] = newest.split("-");
  const [major = 0, minor = 0, patch = 0] = core.split(".").map(Number);
  return {
    patch: labels.length > 0 ? core : `${major}.${minor}.${patch + 1}`,
    minor: `${major}.${minor + 1}.0`,
    major: `${major + 1}.0.0`,
  };
}
