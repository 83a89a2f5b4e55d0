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
 * `node bench/canvas.ts [ROUNDS [NODES…]] [--write]`. Frames are counted while a node is dragged, while the graph is zoomed, and while a run is
 * shown in which a tenth of the nodes begins and a tenth ends every 50 ms, in turns. What that run tells is told in the page: no server and no
 * sandbox takes part of the processor meanwhile.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const counts = positionals.length > 1 ? positionals.slice(1).map(Number) : [100, 500, 1000];
const rounds = Number(positionals[0] ?? 3);
const root = join(import.meta.dirname, "..");
const executable = [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const columns = 25;
/** Nodes change in waves: in each of them one part begins and the one before ends. */
const waves = { count: 40, everyMs: 50, parts: 10 } as const;

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
       window.beginWaves = () => {
         let wave = 0;
         const timer = setInterval(() => {
           const [begins, ends] = [wave % ${waves.parts}, (wave + ${waves.parts - 1}) % ${waves.parts}];
           const stateOf = (index) => (index % ${waves.parts} === begins ? "running" : index % ${waves.parts} === ends ? "succeeded" : null);
           setNodes((before) => before.map((node, index) => (stateOf(index) === null ? node : { ...node, className: stateOf(index) })));
           wave += 1;
           if (wave === ${waves.count}) clearInterval(timer);
         }, ${waves.everyMs});
       };
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
    `<!doctype html><link rel="stylesheet" href="bare.css"><style>.running { border-color: #2563eb; } .succeeded { border-color: #16a34a; }</style>
     <body style="margin:0"><div id="root"></div><script type="module" src="bare.js"></script>`,
  );
  return `file://${join(directory, "bare.html")}`;
}

/** A run that has ended, as the API tells of it. */
interface EndedRun {
  readonly run: { readonly id: string };
  readonly nodes: readonly object[];
}

/** Runs in the page before everything else: the run goes on, and its nodes begin and end in waves once they are told to. */
function replay({ run, nodes }: EndedRun): string {
  return `(() => {
    const run = ${JSON.stringify({ ...run, status: "running", finishedAt: null })};
    const nodes = ${JSON.stringify(nodes.map((node) => ({ ...node, state: "pending", startedAt: null, endedAt: null, inputs: null, output: null })))};
    const real = window.fetch.bind(window);
    const json = (value) => new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
    let told;
    let seq = 0;
    const begun = nodes.map(() => null);
    const events = () => new Response(new ReadableStream({ start: (controller) => { told = controller; } }), { headers: { "content-type": "text/event-stream" } });
    const answers = { "": () => json(run), "/nodes": () => json({ items: nodes, ofNoNode: null }), "/events": events };
    window.fetch = async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input, location.href);
      const [, rest] = pathname.split("/runs/" + run.id);
      return rest === undefined || answers[rest] === undefined ? await real(input, init) : answers[rest]();
    };
    window.isFollowed = () => told !== undefined;
    window.beginWaves = () => {
      let wave = 0;
      const timer = setInterval(() => {
        const [begins, ends, time] = [wave % ${waves.parts}, (wave + ${waves.parts - 1}) % ${waves.parts}, new Date().toISOString()];
        const changed = nodes.flatMap((node, index) => {
          if (index % ${waves.parts} === begins) return [{ ...node, state: "running", startedAt: (begun[index] = time), attempts: 1 }];
          return index % ${waves.parts} === ends && wave > 0 ? [{ ...node, state: "succeeded", startedAt: begun[index], endedAt: time, attempts: 1 }] : [];
        });
        const lines = changed.map((node) => "id: " + ++seq + "\\ndata: " + JSON.stringify({ type: "node", seq, time, node }) + "\\n\\n");
        told.enqueue(new TextEncoder().encode(lines.join("")));
        wave += 1;
        if (wave === ${waves.count}) clearInterval(timer);
      }, ${waves.everyMs});
    };
  })()`;
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

async function measureGestures(page: Page): Promise<{ readonly drag: Frames; readonly zoom: Frames }> {
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

/** While nodes begin and end. */
async function measureRun(page: Page): Promise<{ readonly run: Frames }> {
  const run = await framesDuring(page, async () => {
    await page.evaluate("window.beginWaves()");
    await page.waitForTimeout(waves.count * waves.everyMs);
  });
  return { run };
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

/** What the API answers. @throws when it refuses */
async function ask<T>({ port, headers }: Server, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

type Measured = Awaited<ReturnType<typeof measureGestures>> & Awaited<ReturnType<typeof measureRun>>;

async function measureBare(browser: Browser, address: string): Promise<Measured> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(address);
  const gestures = await measureGestures(page);
  await page.reload();
  await page.locator(".react-flow__node").nth(3).waitFor();
  await page.waitForTimeout(1500);
  const measured = { ...gestures, ...(await measureRun(page)) };
  await page.close();
  return measured;
}

async function measureOurs(page: Page, address: string, ended: EndedRun): Promise<Measured> {
  const open = async (search: string) => {
    await page.goto(`${address}${search}`);
    await page.locator(".react-flow__node").nth(3).waitFor();
    await page.getByRole("button", { name: "fit view" }).click();
  };
  await open("");
  const gestures = await measureGestures(page);
  await page.addInitScript(replay(ended));
  await open(`?run=${ended.run.id}&panel=run`);
  // What a page waits for by itself may not be told in words: its security policy forbids that.
  for (let tries = 0; !(await page.evaluate<boolean>("window.isFollowed()")); tries += 1) {
    if (tries === 600) throw new Error("the page does not follow the run");
    await page.waitForTimeout(50);
  }
  await page.waitForTimeout(1500);
  const measured = { ...gestures, ...(await measureRun(page)) };
  if ((await page.locator('.flow-node[data-state="succeeded"]').count()) === 0) throw new Error("the page has not shown the run");
  await page.context().close();
  return measured;
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
    const document = graphOf(count);
    const { asset } = await ask<{ asset: { id: string } }>(server, "POST", "/compositions", { name: document.name, document });
    const run = await ask<EndedRun["run"]>(server, "POST", `/compositions/${asset.id}/runs?wait=true`, {});
    const { items: nodes } = await ask<{ items: readonly object[] }>(server, "GET", `/runs/${run.id}/nodes`);
    if (nodes.length !== count) throw new Error(`the run tells of ${nodes.length} nodes`);
    const results = { ours: [] as Measured[], bare: [] as Measured[] };
    for (let round = 0; round < rounds; round += 1) {
      results.bare.push(await measureBare(browser, `${bare}?nodes=${count}`));
      const page = await signedIn(browser, server, cookie);
      results.ours.push(await measureOurs(page, `http://127.0.0.1:${server.port}/compositions/${asset.id}`, { run, nodes }));
    }
    for (const what of ["drag", "zoom", "run"] as const) {
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
