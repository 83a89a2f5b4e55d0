import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cliEntry, runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let home: string;
let ann: Member;

/** Somebody with a key and a password. */
interface Member {
  readonly id: string;
  readonly email: string;
  readonly env: Record<string, string>;
}

const password = "correct horse battery";

beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "1" });
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
});
beforeEach(async () => {
  ann = await makeMember();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

async function makeMember(): Promise<Member> {
  const headers = await createPerson(server);
  const { id, email } = (await (await server.fetch("/api/v1/users/me", { headers })).json()) as { id: string; email: string };
  const link = (await (await server.send("POST", `/api/v1/users/${id}/password-reset`)).json()) as { url: string };
  const token = new URLSearchParams(new URL(link.url).hash.slice(1)).get("token");
  await server.send("POST", "/api/v1/password-reset/complete", { token, password }, { authorization: "" });
  return { id, email, env: { SYLA_URL: server.url, SYLA_API_KEY: headers.authorization.slice("Bearer ".length), SYLA_HOME: home } };
}

const syla = (member: Member, ...args: string[]) => runCli(args, { env: member.env });
const admin = (...args: string[]) => runCli(args, { env: { ...ann.env, SYLA_API_KEY: server.localKey } });
const answering = (member: Member, answers: readonly string[], ...args: string[]) =>
  runCli(args, { env: member.env, stdin: answers.map((answer) => `${answer}\n`).join("") });
const signIn = (member: Member, more: object = {}) =>
  server.send("POST", "/api/v1/sessions", { email: member.email, password, ...more }, { authorization: "" });

describe("syla auth sessions", () => {
  test("lists where one is signed in, and signs out", async () => {
    for (let count = 0; count < 2; count += 1) expect((await signIn(ann)).status).toBe(201);
    const listed = await syla(ann, "auth", "sessions", "list");
    expect(listed.stdout).toMatch(/^sess_[0-9a-z]{26}\t[^\t]+\t\d{4}-\d\d-\d\d\t127\.0\.0\.1\t[^\t]+\nsess_/);
    const { items } = JSON.parse((await syla(ann, "auth", "sessions", "list", "--json")).stdout) as { items: { id: string }[] };
    expect((await syla(ann, "auth", "sessions", "revoke", items[0]?.id ?? "")).stdout).toBe("1 signed out\n");
    expect((await syla(ann, "auth", "sessions", "revoke", items[0]?.id ?? "")).code).toBe(66);
    expect((await syla(ann, "auth", "sessions", "revoke", "--all")).stdout).toBe("1 signed out\n");
    expect((await syla(ann, "auth", "sessions", "list")).stdout).toBe("");
    expect((await syla(ann, "auth", "sessions", "revoke")).code).toBe(64);
  });
});

describe("syla auth two-factor", () => {
  test("is turned on with a code of the secret that it shows, gives other recovery codes, and is turned off", async () => {
    expect((await syla(ann, "auth", "two-factor", "status")).stdout).toBe("second factor        off\nrecovery codes left  0\n");
    const enabled = await enable();
    expect(enabled.code).toBe(0);
    const codes = enabled.stdout.trim().split("\n");
    expect(codes).toHaveLength(10);
    expect((await syla(ann, "auth", "two-factor", "status")).stdout).toContain("recovery codes left  10\n");
    expect((await signIn(ann)).status).toBe(401);
    expect((await signIn(ann, { code: codes[0] })).status).toBe(201);
    expect((await answering(ann, [password, "000000"], "auth", "two-factor", "recovery-codes")).stderr).toContain("two_factor_invalid");
    const renewed = await answering(ann, [password, codes[1] ?? ""], "auth", "two-factor", "recovery-codes", "--json");
    const { recoveryCodes } = JSON.parse(renewed.stdout) as { recoveryCodes: string[] };
    expect(recoveryCodes).toHaveLength(10);
    expect((await signIn(ann, { code: codes[2] })).status).toBe(401);
    expect((await answering(ann, ["wrong", "123456"], "auth", "two-factor", "disable")).stderr).toContain("invalid_credentials");
    expect((await answering(ann, [password, recoveryCodes[0] ?? ""], "auth", "two-factor", "disable")).stdout).toBe(
      "The second factor is off.\n",
    );
    expect((await signIn(ann)).status).toBe(201);
    expect((await answering(ann, [password, "123456"], "auth", "two-factor", "recovery-codes")).stderr).toContain("conflict");
    expect((await answering(ann, [], "auth", "two-factor", "disable")).code).toBe(64);
  });

  /** Types what is asked, as somebody does who has an authenticator. */
  async function enable(): Promise<{ code: number | null; stdout: string }> {
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [cliEntry, "auth", "two-factor", "enable"], { env: { PATH, ...ann.env }, stdio: "pipe" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => void (stdout += chunk.toString()));
    child.stdin.write(`${password}\n`);
    let isAnswered = false;
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      const secret = /authenticator: ([A-Z2-7]+)/.exec(stderr)?.[1];
      if (secret === undefined || isAnswered || !stderr.includes("otpauth://")) return;
      isAnswered = true;
      child.stdin.end(`${codeOf(decodeBase32(secret))}\n`);
    });
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { code, stdout };
  }
});

describe("syla auth identities", () => {
  test("lists the accounts elsewhere, and unlinks one", async () => {
    await server.context.database.queries
      .insertInto("accounts")
      .values({ id: `acct_${ann.id}`, user_id: ann.id, account_id: "42", provider_id: "corp", password: null })
      .execute();
    expect((await syla(ann, "auth", "identities", "list")).stdout).toMatch(new RegExp(`^acct_${ann.id}\tcorp\t`));
    expect((await syla(ann, "auth", "identities", "unlink", `acct_${ann.id}`)).stdout).toBe("Unlinked.\n");
    expect((await syla(ann, "auth", "identities", "list")).stdout).toBe("");
    expect((await syla(ann, "auth", "identities", "unlink", `acct_${ann.id}`)).code).toBe(66);
  });
});

describe("syla account", () => {
  test("shows and changes what is known of oneself", async () => {
    expect((await syla(ann, "account", "show")).stdout).toMatch(new RegExp(`^id +${ann.id}\nname +.*\ne-mail +${ann.email}\n`));
    expect((await syla(ann, "account", "set", "--name", "Ann", "--time-zone", "Europe/Oslo")).stdout).toBe("Ann, Europe/Oslo\n");
    expect((await syla(ann, "account", "set", "--time-zone", "Nowhere")).code).toBe(65);
    expect((await syla(ann, "account", "set")).code).toBe(64);
    const other = "another long password";
    expect((await answering(ann, [password, other, "otherwise"], "account", "password")).code).toBe(64);
    expect((await answering(ann, [password, other, other], "account", "password")).stdout).toBe("Your password was changed.\n");
    expect((await signIn(ann)).status).toBe(401);
    expect((await answering(ann, [other], "account", "email", `new-${ann.email}`)).stdout).toContain(`on its way to new-${ann.email}`);
    expect((await syla(ann, "account", "email", "--json")).stdout).toContain("accepted");
  });

  test("is exported into a file of one's own, and never over another", async () => {
    const run = await execute(server, { language: "bash", code: "true" }, { authorization: `Bearer ${ann.env["SYLA_API_KEY"]}` });
    const file = join(temporaryFolder(), "me.json");
    expect(await syla(ann, "account", "export", "-o", file)).toMatchObject({ code: 0, stdout: "" });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ account: [{ id: ann.id }], runs: [{ id: run.id }] });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await syla(ann, "account", "export", "-o", file)).code).toBe(73);
    expect(JSON.parse((await syla(ann, "account", "export")).stdout)).toMatchObject({ account: [{ email: ann.email }] });
  });

  test("is deleted by who types its address and knows the password", async () => {
    expect((await answering(ann, ["yes"], "account", "delete")).stdout).toBe("Nothing was deleted.\n");
    expect((await answering(ann, [ann.email, "wrong password"], "account", "delete")).stderr).toContain("invalid_credentials");
    expect((await syla(ann, "account", "show")).code).toBe(0);
    expect((await answering(ann, [ann.email, password], "account", "delete")).stdout).toBe("Your account is deleted.\n");
    expect((await syla(ann, "account", "show")).code).not.toBe(0);
  });
});

describe("syla notifications", () => {
  test("are chosen by type and place", async () => {
    const preferences = (...args: string[]) => syla(ann, "notifications", "preferences", ...args);
    expect((await preferences()).stdout).toMatch(/^share_received\t(?:on|-)\t(?:on|-)\t(?:on|-)$/m);
    const changed = await preferences(
      "--on",
      "run_finished:email",
      "--off",
      "run_finished:in-app",
      "--digest",
      "weekly",
      "--quiet-hours",
      "22:00-07:00",
      "--json",
    );
    expect(JSON.parse(changed.stdout)).toMatchObject({
      types: { run_finished: { email: true, inApp: false } },
      digest: "weekly",
      quietHours: { from: "22:00", to: "07:00" },
    });
    expect((await preferences()).stdout).toMatch(/^run_finished\t-\ton\t/m);
    expect(JSON.parse((await preferences("--quiet-hours", "none", "--json")).stdout)).toMatchObject({ quietHours: null, digest: "weekly" });
    for (const wrong of [
      ["--on", "run_finished"],
      ["--on", "run_finished:pigeon"],
      ["--off", "nothing:email"],
      ["--quiet-hours", "night"],
    ])
      expect([wrong, (await preferences(...wrong)).code]).toEqual([wrong, 64]);
    expect((await preferences("--quiet-hours", "25:00-26:00")).code).toBe(65);
    expect((await syla(ann, "notifications", "test", "webhook")).stderr).toContain("channel_not_set");
    expect((await syla(ann, "notifications", "webhook-secret")).stdout).toMatch(/^whsec_\S+\n$/);
  });

  test("are read, unread, and printed as they come", async () => {
    await admin("admin", "announcements", "create", "Hello everybody");
    const { items } = JSON.parse((await syla(ann, "notifications", "list", "--json")).stdout) as { items: { id: string }[] };
    const id = items[0]?.id ?? "";
    expect((await syla(ann, "notifications", "read", id)).stdout).toBe("1 marked as read\n");
    expect((await syla(ann, "notifications", "unread", id)).stdout).toBe("1 marked as not read\n");
    expect((await syla(ann, "notifications", "list", "--unread")).stdout).toContain(id);
    const watching = new AbortController();
    const said = runCli(["notifications", "watch"], {
      env: ann.env,
      onOutput: (kill, stdout) => {
        if (!stdout.includes("Said meanwhile")) return;
        watching.abort();
        kill("SIGINT");
      },
    });
    // When it has begun to listen is not told: it is said until it was heard.
    while (!watching.signal.aborted) await server.send("POST", "/api/v1/admin/announcements", { title: "Said meanwhile" });
    expect((await said).stdout).toMatch(/\tsystem\tSaid meanwhile\n/);
  });
});

describe("syla team", () => {
  test("is renamed, has invitations that are taken back, and gets other owners", async () => {
    const bob = await makeMember();
    const id = (await syla(ann, "team", "create", `Compilers ${ann.id}`)).stdout.trim();
    expect((await syla(ann, "team", "update", id, "--name", "Linkers", "-d", "ld")).stdout).toBe(`${id}\tLinkers\n`);
    expect((await syla(ann, "team", "update", id)).code).toBe(64);
    await syla(ann, "team", "add", id, "nobody@example.org");
    const listed = await syla(ann, "team", "invitations", "list", id);
    expect(listed.stdout).toMatch(/^inv_[0-9a-z]{26}\tnobody@example\.org\tmember\t\d{4}-/);
    expect((await syla(ann, "team", "invitations", "revoke", id, listed.stdout.slice(0, 30))).stdout).toBe("Taken back.\n");
    expect((await syla(ann, "team", "invitations", "list", id)).stdout).toBe("");
    const url = (await syla(ann, "team", "add", id, bob.email)).stdout.trim();
    expect((await syla(bob, "team", "join", url)).code).toBe(0);
    expect((await syla(ann, "team", "role", id, bob.email, "owner")).stdout).toContain("is owner of Linkers now");
    expect((await syla(bob, "team", "role", id, ann.id, "member")).stdout).toContain("is member of Linkers now");
    expect((await syla(bob, "team", "role", id, bob.email, "member")).stderr).toContain("last_owner");
    expect((await syla(bob, "team", "role", id, "nobody@example.org", "member")).code).toBe(64);
  });
});

describe("syla admin", () => {
  test("shows, signs out, exports and deletes accounts, and gives their runs to others", async () => {
    const bob = await makeMember();
    await signIn(bob);
    const run = await execute(server, { language: "bash", code: "true" }, { authorization: `Bearer ${bob.env["SYLA_API_KEY"]}` });
    expect((await admin("admin", "users", "show", bob.email)).stdout).toMatch(/^has +1 runs, 0 sandboxes, 0 assets, 1 keys, 1 sessions$/m);
    expect((await admin("admin", "users", "sign-out", bob.email)).stdout).toBe("1 sessions ended\n");
    expect((await admin("admin", "users", "reset-link", bob.email)).stdout).toMatch(/^http\S+#token=\S+\n$/);
    const file = join(temporaryFolder(), "bob.json");
    expect((await admin("admin", "users", "export", bob.email, "-o", file)).code).not.toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(await admin("admin", "users", "export", bob.email, "--reason", "a letter", "-o", file)).toMatchObject({ code: 0, stdout: "" });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ account: [{ id: bob.id }], runs: [{ id: run.id }] });
    expect((await admin("admin", "users", "delete", bob.email)).stderr).toContain("1 runs, 0 assets");
    expect((await admin("admin", "users", "delete", bob.email, "--transfer-to", ann.email)).stdout).toContain("is deleted");
    expect((await syla(ann, "runs", "show", run.id)).code).toBe(0);
    expect((await syla(ann, "admin", "users", "show", ann.id)).code).toBe(77);
  });

  test("sets what somebody may use", async () => {
    const quotas = (...args: string[]) => admin("admin", "users", "quotas", ann.email, ...args);
    expect((await quotas()).stdout).toMatch(/^runs a day\t50\tthe role\t0\t\d{4}-/m);
    expect((await quotas("--runs-per-day", "5", "--storage-mb", "none")).stdout).toMatch(/^storage, MB\tnone\tthe person\t/m);
    expect(JSON.parse((await quotas("--runs-per-day", "default", "--json")).stdout)).toMatchObject({ userId: ann.id });
    expect((await quotas()).stdout).toMatch(/^runs a day\t50\tthe role\t/m);
    expect((await quotas("--runs-per-day", "many")).code).toBe(64);
  });

  test("announces, and takes down", async () => {
    const made = await admin(
      "admin",
      "announcements",
      "create",
      "Maintenance",
      "--level",
      "warning",
      "--until",
      "2099-01-01",
      "--no-notify",
    );
    const id = made.stdout.trim();
    expect((await admin("admin", "announcements", "list")).stdout).toContain(`${id}\twarning\tMaintenance\t`);
    expect((await syla(ann, "admin", "announcements", "list", "--json")).stdout).toContain(id);
    expect((await admin("admin", "announcements", "delete", id)).stdout).toBe("Taken down.\n");
    expect((await admin("admin", "announcements", "list")).stdout).not.toContain(id);
    expect((await admin("admin", "announcements", "create", "x", "--until", "never")).code).toBe(64);
    expect((await syla(ann, "admin", "announcements", "create", "x")).code).toBe(77);
  });

  test("shows what waits to be sent, tries it again, and counts", async () => {
    await admin("admin", "settings", "signUp", "invite");
    await admin("auth", "invite", "carol@example.org");
    const listed = await admin("admin", "invitations", "list");
    expect(listed.stdout).toMatch(/^inv_[0-9a-z]{26}\tcarol@example\.org\tdeveloper\topen\t/m);
    const { items } = JSON.parse((await admin("admin", "deliveries", "list", "--json")).stdout) as { items: { id: string; to: string }[] };
    const id = items.find(({ to }) => to === "carol@example.org")?.id ?? "";
    expect((await admin("admin", "deliveries", "show", id)).stdout).toMatch(/^to +carol@example\.org\n[^]*#token=/);
    expect((await admin("admin", "deliveries", "retry", id)).stdout).toBe("1 will be sent again.\n");
    expect((await admin("admin", "deliveries", "list", "--state", "sent")).stdout).toBe("");
    const invitation =
      listed.stdout
        .split("\n")
        .find((line) => line.includes("carol@"))
        ?.slice(0, 30) ?? "";
    expect((await admin("admin", "invitations", "revoke", invitation)).stdout).toBe("Taken back.\n");
    expect((await admin("admin", "invitations", "list")).stdout).toContain("carol@example.org\tdeveloper\trevoked\t");
    expect((await admin("admin", "overview")).stdout).toMatch(/^people +\d+, of them \d+ seen this week, 0 suspended$/m);
    expect(JSON.parse((await admin("admin", "overview", "--json")).stdout)).toMatchObject({ mail: false });
    await admin("admin", "settings", "signUp", "--unset");
  });
});

/** What an authenticator shows now (RFC 6238). */
function codeOf(secret: Buffer): string {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", secret).update(step).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

function decodeBase32(text: string): Buffer {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(text)
    .map((character) => alphabet.indexOf(character).toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
