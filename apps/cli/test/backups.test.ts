import { join } from "node:path";
import { onTestFinished, test, expect } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

const passphrase = "seven words that nobody else would think of";

test("an installation is backed up, lost, found in its repository, and restored elsewhere", { timeout: 120_000 }, async () => {
  const [home, elsewhere, repository] = [temporaryFolder(), join(temporaryFolder(), "elsewhere"), join(temporaryFolder(), "repository")];
  const syla = (words: readonly string[], env: Record<string, string>) =>
    runCli(words, { env: { SYLA_BACKUP_PASSPHRASE: passphrase, ...env } });
  onTestFinished(async () => {
    for (const each of [home, elsewhere]) await syla(["down", "--force"], { SYLA_HOME: each });
  });
  const here = { SYLA_HOME: home, SYLA_BACKUP_TO: repository };
  expect((await syla(["up", "--detach", "--port", "0"], here)).code).toBe(0);
  expect((await syla(["workspace", "create", "notes"], here)).code).toBe(0);
  const id = (await syla(["backup", "create", "--note", "before the move"], here)).stdout.trim();
  expect(id).toMatch(/^bkp_[0-9a-z]{26}$/);
  expect((await syla(["backup", "verify", "--deep"], here)).stdout).toMatch(new RegExp(`^${id}: \\d+ objects, .*: all are whole\\.\n$`));
  expect((await syla(["down"], here)).code).toBe(0);

  const nobody = { SYLA_HOME: temporaryFolder() };
  const list = (...words: string[]) => syla(["backup", "list", "--from", repository, ...words], nobody);
  expect((await list()).stdout).toMatch(new RegExp(`^${id}\tthe installation\t.*\tbefore the move\n$`, "s"));
  expect(JSON.parse((await list("--json")).stdout)).toMatchObject({ items: [{ id, note: "before the move" }], problem: null });
  expect(await list("--workspace", "notes")).toMatchObject({ code: 64 });
  const wrong = await runCli(["backup", "list", "--from", repository], {
    env: { ...nobody, SYLA_BACKUP_PASSPHRASE: passphrase.toUpperCase() },
  });
  expect(wrong.stderr).toContain("(backup_passphrase_wrong)");
  expect((await syla(["backup", "list", "--from", temporaryFolder()], nobody)).stderr).toContain("(backup_repository_missing)");

  for (const words of [["--over"], ["--workspace", "notes", "--into", elsewhere]])
    expect(await syla(["backup", "restore", id, ...words], nobody)).toMatchObject({ code: 64 });
  const restored = await syla(["backup", "restore", "--from", repository, "--into", elsewhere], nobody);
  expect(restored.stdout).toContain(`${id} is restored into ${elsewhere}.`);
  expect((await syla(["up", "--detach", "--port", "0"], { SYLA_HOME: elsewhere })).code).toBe(0);
  expect((await syla(["workspace", "list"], { SYLA_HOME: elsewhere })).stdout).toContain("\tnotes\t");
});
