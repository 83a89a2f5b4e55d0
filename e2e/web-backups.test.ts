import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
let page: Page;
const directory = createTemporaryDirectory();
const repository = join(directory.path, "repository");

const row = (name: string) => page.getByRole("list", { name: "Backups" }).getByRole("listitem").filter({ hasText: name });
const jobs = () => page.getByRole("list", { name: "Jobs on backups" }).getByRole("listitem");

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the page of the backups", () => {
  beforeAll(async () => {
    web = await startWebTest({
      SYLA_BACKUP_TO: repository,
      SYLA_BACKUP_PASSPHRASE: "correct horse battery staple",
      SYLA_BACKUP_EVERY_HOURS: "0",
    });
    page = await web.openPage("/admin/overview");
    await page.getByRole("link", { name: "Backups" }).click();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  it("makes a backup, verifies it and deletes it, and says how one is restored", async () => {
    await page.getByText("No backup yet").waitFor();
    await page.getByLabel("What the backup is for").fill("before the upgrade");
    await page.getByRole("button", { name: "Back up now" }).click();
    await row("before the upgrade").waitFor();
    await jobs().first().getByLabel("done").waitFor();
    expect(await page.getByLabel("What the backup is for").inputValue()).toBe("");
    await page.getByRole("button", { name: "Back up now" }).click();
    await row("by hand").waitFor();
    await row("before the upgrade")
      .getByRole("button", { name: /^Verify / })
      .click();
    await jobs().first().getByText("all are whole").waitFor();
    await page.getByText(`syla backup restore --from ${repository} --into FOLDER`).waitFor();
    await row("before the upgrade")
      .getByRole("button", { name: /^Delete / })
      .click();
    const question = page.getByRole("dialog", { name: "Delete this backup?" });
    await expectAccessible(page, "Deleting a backup");
    await question.getByRole("button", { name: "Delete" }).click();
    await row("before the upgrade").waitFor({ state: "detached" });
    await jobs().first().getByText("Deletion").waitFor();
    expect(await row("by hand").count()).toBe(1);
  });

  it("tells of a backup that does not open, and of a repository that is gone", async () => {
    writeFileSync(join(repository, "backups", "bkp_00000000000000000000000001"), "not sealed");
    await page.reload();
    await page.getByRole("alert").getByText("syla backup delete bkp_00000000000000000000000001").waitFor();
    await row("by hand").waitFor();
    rmSync(repository, { recursive: true });
    await page.reload();
    await page.getByRole("alert").getByText("Is the disk mounted?").waitFor();
    await expectAccessible(page, "A repository that is gone");
    expect(web.problems).toEqual([]);
  });
});
