import type { Page, Request } from "playwright-core";

/** Tasks that wait, and a frame, have come to their end: what had arrived is drawn, and has asked for what it needs. */
const drawn =
  "new Promise((resolve) => setTimeout(() => requestIdleCallback(() => requestAnimationFrame(resolve), { timeout: 1000 }), 50))";
/** A request that has no answer still when nothing has begun or ended for so long is a stream on which nothing has come yet. */
const streamMs = 1000;

/**
 * Resolves when a page has everything that it asked the server for, has drawn it, and asks for nothing more. Streams of events stay open.
 * Unlike Playwright's `networkidle` that takes no half second of each page that has it all.
 */
export function watchRequests(page: Page): () => Promise<void> {
  const open = new Set<Request>();
  let started = 0;
  let changedAt = 0;
  const end = (request: Request) => {
    open.delete(request);
    changedAt = performance.now();
  };
  page.on("request", (request) => {
    open.add(request);
    started += 1;
    changedAt = performance.now();
  });
  page.on("response", (response) => {
    if (response.headers()["content-type"]?.startsWith("text/event-stream") === true) end(response.request());
  });
  page.on("requestfinished", end);
  page.on("requestfailed", end);
  return async () => {
    for (let quiet = 0; quiet < 2;) {
      const before = started;
      await page.evaluate(drawn);
      const isQuiet = open.size === 0 || performance.now() - changedAt > streamMs;
      quiet = isQuiet && started === before ? quiet + 1 : 0;
    }
  };
}
