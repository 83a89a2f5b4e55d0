import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AppError } from "@syla/contracts/errors";
import { normalizeAllowEntry } from "@syla/contracts/network";
import type { Manager } from "./request.ts";

const run = promisify(execFile);
/** What the clients of this machine say is asked again after so long. */
const rememberMs = 600_000;
const askMs = 20_000;
const retries = 2;
const mostSilentSeconds = 30;
const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** Which indexes the operator has named; what is left out, the clients of this machine are asked for. */
export interface IndexSettings {
  readonly python: string | undefined;
  readonly node: string | undefined;
  readonly go: string | undefined;
  /** How long a build may take, milliseconds: an index that says nothing is given up before. */
  readonly buildMs: number;
}

/** Where packages come from: what a build may reach, and how its package manager is told. */
export interface PackageIndex {
  readonly allow: readonly string[];
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Finds the package indexes of this server. */
export class PackageIndexes {
  readonly #settings: IndexSettings;
  readonly #uv: () => string | null;
  readonly #known = new Map<Manager, { readonly until: number; readonly found: Promise<PackageIndex> }>();

  /** `uv`: its path on this machine, for what it takes when nobody says. */
  constructor(settings: IndexSettings, uv: () => string | null) {
    this.#settings = settings;
    this.#uv = uv;
  }

  /** How long an index may say nothing: every try has to end within the time of a build. */
  get #silentSeconds(): number {
    return Math.max(1, Math.min(mostSilentSeconds, Math.floor(this.#settings.buildMs / 1000 / (retries + 1) / 4)));
  }

  /** @throws AppError `environment_unavailable` */
  async of(manager: Manager): Promise<PackageIndex> {
    const known = this.#known.get(manager);
    if (known !== undefined && known.until > performance.now()) return await known.found;
    const found = manager === "uv" ? this.#python() : manager === "npm" ? this.#node() : this.#go();
    this.#known.set(manager, { until: performance.now() + rememberMs, found });
    found.catch(() => this.#known.delete(manager));
    return await found;
  }

  async #python(): Promise<PackageIndex> {
    const url = requireUrl(this.#settings.python ?? (await this.#pythonDefault()), "SYLA_PYTHON_INDEX");
    const allow = [authorityOf(url), ...(await fileHosts(url))];
    const env = {
      UV_DEFAULT_INDEX: url.href,
      UV_NO_CONFIG: "1",
      UV_PYTHON_DOWNLOADS: "never",
      UV_NO_PROGRESS: "1",
      UV_HTTP_TIMEOUT: String(this.#silentSeconds),
      UV_HTTP_RETRIES: String(retries),
      NO_COLOR: "1",
      SSL_CERT_FILE: certificates,
    };
    return { allow: [...new Set(allow)], url: url.href, env };
  }

  /** What pip is set up with, else what uv takes by itself. */
  async #pythonDefault(): Promise<string | undefined> {
    const configured = await ask("/usr/bin/python3", ["-m", "pip", "config", "get", "global.index-url"]);
    if (configured !== null && configured !== "") return configured;
    const uv = this.#uv();
    const help = uv === null ? null : await ask(uv, ["help", "pip", "install"]);
    return /by default:\s+<(https?:\/\/[^>\s]+)>/.exec(help ?? "")?.[1];
  }

  async #node(): Promise<PackageIndex> {
    const url = requireUrl(this.#settings.node ?? (await ask("npm", ["config", "get", "registry"])) ?? undefined, "SYLA_NODE_REGISTRY");
    const env = {
      npm_config_registry: url.href,
      npm_config_replace_registry_host: "always",
      npm_config_update_notifier: "false",
      npm_config_fetch_retries: String(retries),
      npm_config_fetch_retry_mintimeout: "1000",
      npm_config_fetch_timeout: String(this.#silentSeconds * 1000),
      npm_config_cafile: certificates,
      NODE_EXTRA_CA_CERTS: certificates,
      NO_COLOR: "1",
      // Only what Node.js itself was told: an install script that wants a proxy finds the usual variables.
      npm_config_color: "false",
    };
    return { allow: [authorityOf(url)], url: url.href, env };
  }

  async #go(): Promise<PackageIndex> {
    const proxies = this.#settings.go ?? (await ask("go", ["env", "GOPROXY"])) ?? "";
    const urls = proxies.split(/[,|]/).filter((entry) => /^https?:/.test(entry));
    const url = requireUrl(urls[0], "SYLA_GO_PROXY");
    const checksums = (await ask("go", ["env", "GOSUMDB"])) ?? "";
    const env = {
      GOPROXY: url.href.replace(/\/$/, ""),
      GOSUMDB: checksums === "" ? "off" : checksums,
      GOFLAGS: "-mod=mod -modcacherw",
      GOTOOLCHAIN: "local",
      GOTELEMETRY: "off",
      GOCACHE: "/workspace/.go-cache",
      GOVCS: "*:off",
    };
    return { allow: [authorityOf(url), ...checksumHosts(checksums)], url: url.href, env };
  }
}

/** What a client of this machine answers; null when it is not there or has nothing to say. */
async function ask(program: string, words: readonly string[]): Promise<string | null> {
  try {
    return (await run(program, [...words], { timeout: askMs, maxBuffer: 4 * 1024 * 1024 })).stdout.trim();
  } catch {
    return null;
  }
}

function requireUrl(text: string | undefined, option: string): URL {
  const hint = `An administrator can name it: ${option}.`;
  if (text === undefined || !URL.canParse(text))
    throw new AppError("environment_unavailable", { message: "This server does not know where packages come from.", hint });
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new AppError("environment_unavailable", {
      message: "The address of the package index holds a password, which the packages' own programs would see while they are installed.",
      hint: `Name an index that can be read without one: ${option}.`,
    });
  return url;
}

function authorityOf(url: URL): string {
  const entry = normalizeAllowEntry(`${url.hostname}:${url.port || (url.protocol === "http:" ? "80" : "443")}`);
  if (entry === null)
    throw new AppError("environment_unavailable", { message: `The package index ${url.host} cannot be reached by that name.` });
  return entry;
}

/** The checksum database, where the proxy does not answer for it. */
function checksumHosts(setting: string): string[] {
  const host = setting.split(/[+ ]/)[0] ?? "";
  const entry = host === "off" || host === "" ? null : normalizeAllowEntry(`${host}:443`);
  return entry === null ? [] : [entry];
}

/** Asks a page of the index where files are, with the certificates and the proxy that this machine is set up with. */
const probe = `
import json, re, sys, urllib.parse, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.1"})
with urllib.request.urlopen(request, timeout=10) as answer:
    base, text = answer.geturl(), answer.read(32 << 20).decode(errors="replace")
try:
    links = [entry["url"] for entry in json.loads(text)["files"]]
except ValueError:
    links = re.findall(r'href="([^"#]+)', text)
hosts = {urllib.parse.urlsplit(urllib.parse.urljoin(base, link))[:2] for link in links}
print(json.dumps(sorted(f"{host}" if ":" in host else f"{host}:{443 if scheme == 'https' else 80}" for scheme, host in hosts if scheme in ("http", "https"))[:10]))
`;

/** An index may keep its files on another host: a page of something that every index has says where. None when it does not answer. */
async function fileHosts(index: URL): Promise<string[]> {
  const page = new URL("pip/", index.href.endsWith("/") ? index.href : `${index.href}/`);
  const answer = await ask("/usr/bin/python3", ["-I", "-c", probe, page.href]);
  const hosts: unknown = answer === null ? [] : JSON.parse(answer);
  if (!Array.isArray(hosts)) return [];
  return hosts.flatMap((host) => (typeof host === "string" ? (normalizeAllowEntry(host) ?? []) : []));
}
