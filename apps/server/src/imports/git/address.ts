import { AppError } from "@syla/contracts/errors";

/** A repository, and what of it is wanted as far as the address tells. */
export interface GitAddress {
  /** Where git reads it: http or https, without user and password. */
  readonly url: string;
  /** A branch, a tag or a commit. */
  readonly ref: string | null;
  /** A branch or tag with a folder behind it: which is which only the list of branches tells. */
  readonly refAndPath: string | null;
}

const shorthand = /^([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([A-Za-z0-9._-]{1,100})$/;
const sshForm = /^(?:ssh:\/\/)?(?:[A-Za-z0-9._-]+@)([A-Za-z0-9.-]+)(?::(?!\d+\/)|(?::\d+)?\/)\/?(.+)$/;

/** Understands an address in the forms in which people have them. @throws AppError `git_url_invalid` */
export function readGitAddress(text: string): GitAddress {
  const given = text.trim();
  const short = shorthand.exec(given);
  if (short !== null) return repository(`https://github.com/${short[1]}/${withoutGit(short[2] ?? "")}`);
  const ssh = sshForm.exec(given);
  if (ssh !== null) return readGitAddress(`https://${ssh[1]}/${ssh[2]}`);
  const full = /^(?:www\.)?(?:github|gitlab)\.com\/|^gist\.github\.com\/|^bitbucket\.org\//.test(given) ? `https://${given}` : given;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new AppError("git_url_invalid");
  if (url.username !== "" || url.password !== "")
    throw new AppError("git_url_invalid", {
      message: "The address contains a user name or a password.",
      hint: "Give the address without it, and the token by itself.",
    });
  const parts = url.pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decode);
  if (parts.some((part) => (part.startsWith("-") && part !== "-") || /[\u0000-\u001f\u007f\\]/.test(part) || part === ".." || part === "."))
    throw new AppError("git_url_invalid");
  return split(url, parts);
}

function split(url: URL, parts: readonly string[]): GitAddress {
  const host = url.hostname.replace(/^www\./, "");
  const [owner = "", name = "", kind, ...rest] = parts;
  if (host === "gist.github.com") {
    const id = parts.find((part) => /^[0-9a-f]{20,40}(\.git)?$/.test(part));
    if (id === undefined) throw new AppError("git_url_invalid");
    return repository(`https://gist.github.com/${withoutGit(id)}.git`);
  }
  const isGitLab = host === "gitlab.com" || parts.includes("-");
  const dash = parts.indexOf("-");
  if (isGitLab && dash > 1) return found(`${url.origin}/${encode(parts.slice(0, dash))}`, parts[dash + 1], parts.slice(dash + 2));
  if (host === "github.com" || host === "bitbucket.org") {
    if (owner === "" || name === "") throw new AppError("git_url_invalid");
    const base = `https://${host}/${encode([owner, withoutGit(name)])}`;
    return kind === undefined ? repository(base) : found(base, kind, rest);
  }
  if (parts.length === 0) throw new AppError("git_url_invalid");
  return repository(`${url.origin}/${encode(parts)}`);
}

/** What follows the repository in the address of a page about it. */
function found(url: string, kind: string | undefined, rest: readonly string[]): GitAddress {
  if (kind === "commit" || kind === "commits") return { url, ref: rest[0] ?? null, refAndPath: null };
  if (kind === "archive") return { url, ref: archiveRef(rest), refAndPath: null };
  if (kind === "releases" && rest[0] === "tag") return { url, ref: rest[1] ?? null, refAndPath: null };
  if (kind === "blob") return { url, ref: null, refAndPath: rest.slice(0, -1).join("/") || null };
  if (kind === "tree" || kind === "src") return { url, ref: null, refAndPath: rest.join("/") || null };
  return repository(url);
}

/** `refs/heads/main.zip`, `v1.0.tar.gz`. */
function archiveRef(rest: readonly string[]): string | null {
  const text = rest.join("/").replace(/^refs\/(heads|tags)\//, "");
  return text.replace(/\.(zip|tar\.gz|tgz|tar)$/, "") || null;
}

function repository(url: string): GitAddress {
  return { url, ref: null, refAndPath: null };
}

function withoutGit(name: string): string {
  return name.replace(/\.git$/, "");
}

function encode(parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join("/");
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AppError("git_url_invalid");
  }
}

/** What git would take for an option, or not for a name. Source: git-check-ref-format(1). @throws AppError `git_ref_unknown` */
export function checkRef(ref: string): string {
  const isName = !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock$/.test(ref) && ref !== "@";
  if (!isName) throw new AppError("git_ref_unknown", { message: `${JSON.stringify(ref)} is no name of a branch, a tag or a commit.` });
  return ref;
}

/** The branch or tag at the beginning of the rest of an address, and the folder behind it. */
export function splitRefAndPath(text: string, names: ReadonlySet<string>): { ref: string; path: string | null } {
  const parts = text.split("/");
  for (let count = parts.length; count > 0; count -= 1) {
    const ref = parts.slice(0, count).join("/");
    if (names.has(ref) || (count === 1 && /^[0-9a-f]{7,40}$/.test(ref))) return { ref, path: parts.slice(count).join("/") || null };
  }
  throw new AppError("git_ref_unknown", { message: `The repository has no branch or tag that ${JSON.stringify(text)} begins with.` });
}
