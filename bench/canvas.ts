import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs, type Server } from "./servers.ts";

/**
 * How smooth the canvas is by the number of its nodes, against a bare React Flow canvas with the same nodes and edges in the same browser:
 * `node bench/canvas.ts [ROUNDS [NODES…]] [--write]`. Frames are counted while a node is dragged and while the graph is zoomed, in turns.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const counts = positionals.length > 1 ? positionals.slice(1).map(Number) : [100, 500, 1000];
const rounds = Number(positionals[0] ?? 3);
const root = join(import.meta.dirname, "..");
const executable = [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const columns = 25;

const place = (index: number) => ({ x: (index % columns) * 280, y: Math.floor(index / columns) * 160 });

/** Code nodes in rows, each wired to the one before; the first of a row to nothing. */
function graphOf(count: number) {
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: `n${index}`,
    kind: "code",
    label: `Step ${index}`,
    position: place(index),
    config: { language: "python", source: "return value", inputs: [{ name: "value", type: "Any", default: null }] },
  }));
  const edges = nodes.flatMap(({ id }, index) =>
    index % columns === 0 ? [] : [{ id: `e${index}`, from: { node: `n${index - 1}`, port: "result" }, to: { node: id, port: "value" } }],
  );
  return { format: 1, name: `${count} nodes`, nodes, edges };
}

/** A page with nothing but React Flow: its own nodes, its own edges. */
async function buildBare(directory: string): Promise<string> {
  const entry = join(root, "apps/web/bare-canvas.tsx");
  writeFileSync(
    entry,
    `import { applyNodeChanges, ReactFlow } from "@xyflow/react";
     import "@xyflow/react/dist/style.css";
     import { useState } from "react";
     import { createRoot } from "react-dom/client";
     const count = Number(new URLSearchParams(location.search).get("nodes"));
     const start = Array.from({ length: count }, (_, index) => ({ id: "n" + index, position: { x: (index % ${columns}) * 280, y: Math.floor(index / ${columns}) * 160 }, data: { label: "Step " + index } }));
     const edges = start.flatMap(({ id }, index) => (index % ${columns} === 0 ? [] : [{ id: "e" + index, source: "n" + (index - 1), target: id }]));
     function Bare() {
       const [nodes, setNodes] = useState(start);
       return <div style={{ width: "100vw", height: "100vh" }}><ReactFlow nodes={nodes} edges={edges} onNodesChange={(changes) => setNodes((before) => applyNodeChanges(changes, before))} minZoom={0.05} fitView /></div>;
     }
     createRoot(document.getElementById("root")!).render(<Bare />);`,
  );
  try {
    await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: "esm",
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"production"' },
      outfile: join(directory, "bare.js"),
    });
  } finally {
    rmSync(entry);
  }
  writeFileSync(
    join(directory, "bare.html"),
    `<!doctype html><link rel="stylesheet" href="bare.css"><body style="margin:0"><div id="root"></div><script type="module" src="bare.js"></script>`,
  );
  return `file://${join(directory, "bare.html")}`;
}

/** Times between frames from now on, until they are read. */
const watchFrames = `(() => {
  const times = []; let last = performance.now(); let on = true;
  const tick = (now) => { times.push(now - last); last = now; if (on) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  window.readFrames = () => { on = false; return times.slice(1); };
})()`;

interface Frames {
  readonly median: number;
  readonly worst: number;
}

async function framesDuring(page: Page, work: () => Promise<void>): Promise<Frames> {
  await page.evaluate(watchFrames);
  await work();
  const times = (await page.evaluate<number[]>("window.readFrames()")).toSorted((a, b) => a - b);
  return { median: times[Math.floor(times.length / 2)] ?? 0, worst: times[Math.floor(times.length * 0.95)] ?? 0 };
}

async function measurePage(page: Page): Promise<{ readonly drag: Frames; readonly zoom: Frames }> {
  await page.locator(".react-flow__node").nth(3).waitFor();
  await page.waitForTimeout(1500);
  const canvas = await page.locator(".react-flow").boundingBox();
  const boxes = await page
    .locator(".react-flow__node")
    .evaluateAll((nodes) => nodes.map((node) => JSON.stringify(node.getBoundingClientRect())));
  if (canvas === null) throw new Error("no canvas");
  const middle = { x: canvas.x + canvas.width / 2, y: canvas.y + canvas.height / 2 };
  const near = boxes
    .map((text) => JSON.parse(text) as { x: number; y: number; width: number; height: number })
    .map(({ x, y, width, height }) => ({ x: x + width / 2, y: y + Math.min(height / 2, 6) }))
    .toSorted((a, b) => Math.hypot(a.x - middle.x, a.y - middle.y) - Math.hypot(b.x - middle.x, b.y - middle.y))[0];
  if (near === undefined) throw new Error("no node");
  await page.mouse.move(near.x, near.y);
  await page.mouse.down();
  await page.mouse.move(near.x + 4, near.y + 4);
  const drag = await framesDuring(page, async () => {
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.move(near.x + Math.sin(step / 6) * 120, near.y + Math.cos(step / 6) * 80);
      await page.waitForTimeout(8);
    }
  });
  await page.mouse.up();
  await page.mouse.move(middle.x, middle.y);
  const zoom = await framesDuring(page, async () => {
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, step % 20 < 10 ? -40 : 40);
      await page.waitForTimeout(12);
    }
    await page.keyboard.up("Control");
  });
  return { drag, zoom };
}

/** Makes the first person, and answers the cookie that says who they are. */
async function setUp({ port, setupUrl }: Server): Promise<readonly [string, string]> {
  const token = new URL(setupUrl).searchParams.get("token") ?? "";
  const person = { name: "Bench", email: "bench@example.org", password: "a bench in the park" };
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token, ...person }),
  });
  const [name, value] = answer.headers.getSetCookie()[0]?.split(";")[0]?.split(/=(.*)/s) ?? [];
  if (name === undefined || value === undefined) throw new Error(`no cookie came with ${answer.status}`);
  return [name, value];
}

async function signedIn(browser: Browser, { port }: Server, [name, value]: readonly [string, string]): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addCookies([{ name, value, url: `http://127.0.0.1:${port}`, httpOnly: true, sameSite: "Lax" }]);
  return await context.newPage();
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const directory = mkdtempSync(join(tmpdir(), "canvas-"));
try {
  const bare = await buildBare(directory);
  await using server = await startOurs({ SYLA_RATE_LIMIT: "0" });
  const cookie = await setUp(server);
  const browser = await chromium.launch({
    executablePath: executable ?? "",
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--allow-file-access-from-files",
    ],
  });
  await using closing = new AsyncDisposableStack();
  closing.defer(() => browser.close());
  const rows: string[][] = [];
  for (const count of counts) {
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/compositions`, {
      method: "POST",
      headers: { ...server.headers, "content-type": "application/json" },
      body: JSON.stringify({ name: `${count} nodes`, document: graphOf(count) }),
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    const { asset } = (await answer.json()) as { asset: { id: string } };
    const results = { ours: [] as Awaited<ReturnType<typeof measurePage>>[], bare: [] as Awaited<ReturnType<typeof measurePage>>[] };
    for (let round = 0; round < rounds; round += 1) {
      const reference = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      await reference.goto(`${bare}?nodes=${count}`);
      results.bare.push(await measurePage(reference));
      await reference.close();
      const page = await signedIn(browser, server, cookie);
      await page.goto(`http://127.0.0.1:${server.port}/compositions/${asset.id}`);
      await page.getByRole("button", { name: "fit view" }).click();
      results.ours.push(await measurePage(page));
      await page.context().close();
    }
    for (const what of ["drag", "zoom"] as const) {
      const ours = {
        median: median(results.ours.map((each) => each[what].median)),
        worst: median(results.ours.map((each) => each[what].worst)),
      };
      const other = {
        median: median(results.bare.map((each) => each[what].median)),
        worst: median(results.bare.map((each) => each[what].worst)),
      };
      const shown = (value: number) => `${value.toFixed(1)} ms`;
      rows.push([
        `${what}, ${count} nodes`,
        shown(ours.median),
        shown(other.median),
        `${(ours.median / other.median).toFixed(2)}×`,
        shown(ours.worst),
        shown(other.worst),
        `${(ours.worst / other.worst).toFixed(2)}×`,
      ]);
    }
  }
  const head = ["between frames", "ours, median", "bare React Flow", "ratio", "ours, 95 of 100", "bare React Flow", "ratio"];
  report("the canvas of a composition", `${describeMachine()}; median of ${rounds} rounds.\n\n${markdownTable(head, rows)}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
