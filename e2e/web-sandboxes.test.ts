import { createSandbox } from "@syla/testkit/sandboxes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

/** A class of Python whose values are pictures of 40 by 20 points, as those of plotting libraries are. */
const drawing = `import struct, zlib
class Drawing:
  def _repr_png_(self):
    part = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\\0" + b"".join(bytes((x * 6, y * 12, 120)) for x in range(40)) for y in range(20))
    return b"\\x89PNG\\r\\n\\x1a\\n" + part(b"IHDR", struct.pack(">IIBBBBB", 40, 20, 8, 2, 0, 0, 0)) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")`;

let web: WebTest;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the sandbox pages", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("create a sandbox, pause it, let it go on and delete it", async () => {
    const page = await web.openPage("/sandboxes");
    await page.getByRole("button", { name: "New sandbox" }).click();
    await page.getByLabel("Name", { exact: true }).fill("my bench");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "my bench" }).waitFor();
    await expect.poll(() => page.locator(".xterm-rows").textContent()).toContain("$"); // a terminal opens while the sandbox runs
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("every process stands still").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("it was deleted").waitFor();
    await page.goto("/sandboxes?show=all");
    await page.getByRole("link", { name: "my bench" }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("have a terminal that is joined again after the page was left, with what it showed", async () => {
    const sandbox = await createSandbox(web.server);
    const page = await web.openPage(`/sandboxes/${sandbox.id}`);
    const rows = page.locator(".xterm-rows");
    await expect.poll(() => rows.textContent(), { timeout: 20_000 }).toContain("$");
    await page.keyboard.type("echo mark$((40+2))\n");
    await expect.poll(() => rows.textContent(), { timeout: 20_000 }).toContain("mark42");
    await page.reload();
    await expect.poll(() => rows.textContent(), { timeout: 20_000 }).toContain("mark42");
    await page.locator(".xterm-helper-textarea").focus();
    await page.keyboard.type("tty\n");
    await expect.poll(() => rows.textContent(), { timeout: 20_000 }).toContain("/dev/pts/0");
    await page.keyboard.type("exit\n");
    await page.getByText("The shell has ended.").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("take files up, show them, and save what is changed", async () => {
    const sandbox = await createSandbox(web.server, { files: [{ path: "src/main.py", content: "print(1)\n" }] });
    const page = await web.openPage(`/sandboxes/${sandbox.id}?tab=files`);
    await page.getByLabel("Files to upload").setInputFiles({ name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
    await page.getByRole("button", { name: /^note\.txt/ }).click();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("changed");
    await page.getByRole("button", { name: "Save" }).click();
    const read = async () => await (await web.server.fetch(`/api/v1/sandboxes/${sandbox.id}/file/content?path=note.txt`)).text();
    await expect.poll(read, { timeout: 20_000 }).toBe("changed");
    await web.server.send("POST", `/api/v1/sandboxes/${sandbox.id}/exec`, { command: "touch seen-at-once" });
    await page.getByRole("button", { name: /^seen-at-once/ }).waitFor(); // without looking again
    await page.getByRole("button", { name: /^src/ }).click();
    await page.getByRole("button", { name: /^main\.py/ }).waitFor();
    await page.getByRole("button", { name: "Rename main.py" }).click();
    await page.getByLabel("Name", { exact: true }).fill("other.py");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Delete other.py" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Empty. Drop files here.").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("run cells that keep their variables, and show HTML in a frame that runs nothing", async () => {
    const sandbox = await createSandbox(web.server);
    const page = await web.openPage(`/sandboxes/${sandbox.id}?tab=console`);
    const run = async (code: string) => {
      await page.getByRole("textbox", { name: /code$/ }).fill(code);
      await page.keyboard.press("Control+Enter");
    };
    await run("x = 20\nprint('hi')");
    await page.locator("[data-cell='1']").getByText("hi", { exact: true }).waitFor();
    await run("x + 1");
    await page.locator("[data-cell='2']").getByText("21", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Resume it to go on.").waitFor();
    await page.locator("[data-cell='2']").getByText("21", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await run("class H:\n  def _repr_html_(self): return '<b id=b>bold</b><script>parent.document.title=\"taken\"</script>'\nH()");
    await page.frameLocator("iframe[title='HTML result']").locator("#b").waitFor();
    expect(await page.title()).not.toBe("taken");
    expect(await page.locator("iframe").getAttribute("sandbox")).toBe("");
    await run(`${drawing}\ndisplay(Drawing())\n[{'city': 'Oslo', 'degrees': 7}, {'city': 'Rome', 'degrees': 21.5}]`);
    const picture = page.locator("[data-cell='4'] img");
    await picture.waitFor();
    expect(await picture.evaluate((image) => ["naturalWidth", "naturalHeight"].map((name) => Reflect.get(image, name) as number))).toEqual([
      40, 20,
    ]);
    const table = page.locator("[data-cell='4']").getByRole("table", { name: "Table result" });
    expect(await table.getByRole("row").allTextContents()).toEqual(["citydegrees", "Oslo7", "Rome21.5"]);
    await page.getByRole("button", { name: "JavaScript", exact: true }).click();
    await run("console.log('looping');\nfor (;;);");
    await page.locator("[data-cell='5']").getByText("looping", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Interrupt" }).click();
    await page.locator("[data-cell='5']").getByText("InterruptedError").waitFor();
  });
});
