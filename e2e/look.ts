/** How pages look: screenshots beside those that somebody has looked at and found good. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import { watchRequests } from "./settled.ts";

const folder = join(import.meta.dirname, "looks");
/** Writes what the pages look like now, to be looked at and committed. */
const writes = process.env["WRITE_LOOKS"] === "1";

/** What is another one each time: times and ids. The caret blinks. */
const stillness = `
  time, [data-volatile], button[aria-label^="Copy id"] { visibility: hidden !important; }
  * { animation: none !important; transition: none !important; caret-color: transparent !important; }`;

/** Blocks of so many pixels are compared by their mean: other fonts and smoothing change single pixels, what is moved, missing or of another colour changes blocks. */
const block = 16;
/** So far the mean of a block may be off, of 255. */
const tolerance = 22;
/** So large a part of the blocks may be. */
const mostOff = 0.02;

/** Runs in the page: a part of the blocks that differ, or 1 where the sizes do. */
const compare = `async ([before, after, block, tolerance]) => {
  const read = async (data) => {
    const image = new Image();
    image.src = "data:image/png;base64," + data;
    await image.decode();
    const canvas = new OffscreenCanvas(Math.ceil(image.width / block), Math.ceil(image.height / block));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return { width: image.width, height: image.height, pixels: context.getImageData(0, 0, canvas.width, canvas.height).data };
  };
  const [one, other] = [await read(before), await read(after)];
  if (one.width !== other.width || one.height !== other.height) return 1;
  let off = 0;
  for (let at = 0; at < one.pixels.length; at += 4)
    if ([0, 1, 2].some((channel) => Math.abs(one.pixels[at + channel] - other.pixels[at + channel]) > tolerance)) off += 1;
  return off / (one.pixels.length / 4);
}`;

/**
 * How much of a page looks otherwise than the picture of that name; 0 when so little that it may be the fonts. With `WRITE_LOOKS=1` the picture
 * is written instead. Throws where there is none.
 */
async function differenceFrom(page: Page, name: string): Promise<number> {
  await page.addStyleTag({ content: stillness });
  await page.evaluate("document.fonts.ready");
  const now = await page.screenshot();
  const file = join(folder, `${name}.png`);
  if (writes) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, now);
    return 0;
  }
  if (!existsSync(file)) throw new Error(`there is no picture of ${name}; \`WRITE_LOOKS=1 npm test -- e2e/web-look\` makes it`);
  const blank = await page.context().newPage();
  const expression = `(${compare})(${JSON.stringify([readFileSync(file).toString("base64"), now.toString("base64"), block, tolerance])})`;
  const off = await blank.evaluate<number>(expression);
  await blank.close();
  return off <= mostOff ? 0 : off;
}

interface Looks {
  readonly environment?: Readonly<Record<string, string>>;
  /** Puts into the server what the pages show. */
  fill(web: WebTest): Promise<void>;
  /** What is looked at, and how it is opened. */
  readonly pages: Readonly<Record<string, (page: Page) => Promise<unknown>>>;
}

/** Tests that pages about something look as they did, each light and dark. Without a browser there is nothing to look with; `npm test` says how to install one. */
export function describeLooks(subject: string, { environment = {}, fill, pages }: Looks): void {
  describe.skipIf(noBrowser)(`pages about ${subject} look as they did`, () => {
    let web: WebTest;
    beforeAll(async () => {
      web = await startWebTest(environment);
      await fill(web);
    });
    afterAll(async () => {
      await web?.[Symbol.asyncDispose]();
    });

    it.each(Object.keys(pages).flatMap((name) => (["light", "dark"] as const).map((look) => [name, look] as const)))(
      "%s, %s",
      async (name, look) => {
        const page = await web.openPage("/", { colorScheme: look, timezoneId: "UTC", locale: "en-GB", reducedMotion: "reduce" });
        const settled = watchRequests(page);
        await pages[name]?.(page);
        await settled();
        await expect.poll(async () => await page.getByRole("status", { name: "Loading" }).count(), { timeout: 20_000 }).toBe(0);
        await expect.poll(async () => await differenceFrom(page, `${name}-${look}`), { timeout: 20_000, interval: 500 }).toBe(0);
        expect(web.problems).toEqual([]);
      },
    );
  });
}
