/**
 * A stateful JavaScript interpreter: runs one piece of code after another in one global scope, and tells what the last expression was. The
 * messages on the control pipe are those of context.py.
 *
 * The main thread runs the code, through the inspector's own evaluation: it keeps `let` and `const` from one piece to the next and knows
 * `await` at the top. A second thread reads the control pipe, so that it can end code that never returns.
 */

import { writeSync } from "node:fs";
import inspector from "node:inspector";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { inspect } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const maxBundle = 4 << 20;
const maxText = 65536;
const maxRows = 1000;
const tableType = "application/vnd.dataresource+json"; // as in context.py
/** How long the main thread may take to hear of an interruption before what it runs is cut off, milliseconds. */
const graceMs = 50;
const importName = "__importModule";

if (isMainThread) runCode();
else readControl();

function runCode() {
  const descriptor = Number(process.env.SYLA_CONTROL_FD);
  delete process.env.SYLA_CONTROL_FD;
  const require = createRequire("/workspace/cell.js");
  Object.assign(globalThis, { require, display: createDisplay((value, forms) => show("display", value, forms)) });
  Object.defineProperty(globalThis, importName, { value: (name) => import(resolveModule(require, String(name))) });
  const session = new inspector.Session();
  session.connect();
  let current = null;
  const send = (message) => {
    let bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(descriptor, bytes));
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the host is slow
      }
    }
  };
  function show(type, value, forms) {
    send({ type, id: current, ...bundle(value, forms) });
  }
  const finish = (id, status) => {
    if (current !== id) return; // given up meanwhile
    current = null;
    send({ type: "done", id, status });
  };
  const fail = (error, interrupted = false) => {
    const isError = error instanceof Error;
    const name = interrupted ? "InterruptedError" : isError ? error.name : typeof error;
    const value = interrupted ? "the code was interrupted" : isError ? error.message : safeInspect(error);
    const traceback = interrupted ? `${name}: ${value}` : isError ? cleanStack(error.stack ?? value) : value;
    send({ type: "error", id: current, name, value: cut(value), traceback: cut(traceback) });
  };
  globalThis[Symbol.for("syla.settle")] = (id, isError, value) => {
    if (current !== id) return;
    if (isError) fail(value);
    else if (value !== undefined) show("result", value);
    finish(id, isError ? "error" : "ok");
  };
  const control = new Worker(new URL(import.meta.url), { workerData: { descriptor }, stdout: false });
  control.on("exit", () => process.exit(0));
  control.on("message", ({ id, code, interrupt }) => {
    if (interrupt !== undefined) {
      if (current === interrupt) {
        fail(new Error("interrupted"), true);
        finish(interrupt, "interrupted");
      }
      control.postMessage("handled"); // oxlint-disable-line unicorn/require-post-message-target-origin
      return;
    }
    current = id;
    const options = { expression: rewriteImports(code), replMode: true, awaitPromise: true, userGesture: false };
    session.post("Runtime.evaluate", options, (error, answer) => settle(session, id, error, answer, () => current === id, fail, finish));
  });
  process.on("SIGINT", () => {});
  process.on("uncaughtException", (error) => process.stderr.write(`${inspect(error)}\n`));
  process.on("unhandledRejection", (error) => process.stderr.write(`Unhandled rejection: ${inspect(error)}\n`));
  send({ type: "ready" });
}

/** Hands the value of an evaluation to the code that shows it: by reference, never as a copy. */
function settle(session, id, error, answer, isCurrent, fail, finish) {
  if (!isCurrent()) return;
  if (error !== null && error !== undefined) {
    fail(new Error("interrupted"), true);
    return finish(id, "interrupted");
  }
  const { exceptionDetails, result } = answer;
  const given = exceptionDetails?.exception ?? result;
  const argument = given.objectId !== undefined ? { objectId: given.objectId } : pick(given);
  const call = `function (value) { globalThis[Symbol.for("syla.settle")](${Number(id)}, ${exceptionDetails !== undefined}, value); }`;
  session.post("Runtime.evaluate", { expression: "globalThis" }, (_error, { result: global }) => {
    session.post(
      "Runtime.callFunctionOn",
      { functionDeclaration: call, objectId: global.objectId, arguments: [argument] },
      (problem, said) => {
        if (said?.exceptionDetails !== undefined || (problem !== null && problem !== undefined)) {
          fail(new Error("the result could not be shown"));
          finish(id, "error");
        }
        session.post("Runtime.releaseObjectGroup", { objectGroup: "" }, () => {});
      },
    );
  });
}

function pick({ type, value, unserializableValue }) {
  if (type === "undefined") return {};
  return unserializableValue === undefined ? { value } : { unserializableValue };
}

/** The second thread: what waits on the main thread is told there; what keeps it busy is cut off from here. */
function readControl() {
  const { descriptor } = workerData;
  let pending = "";
  let timer;
  const socket = new Socket({ fd: descriptor });
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    const lines = (pending + text).split("\n");
    pending = lines.pop();
    for (const line of lines) handle(JSON.parse(line));
  });
  socket.on("end", () => process.exit(0));
  const handle = (message) => {
    parentPort.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin
    if (message.interrupt !== undefined) timer = setTimeout(terminate, graceMs);
  };
  parentPort.on("message", () => clearTimeout(timer));
}

/** Ends what the main thread runs. Connected for no longer than this: a process that exits would wait for a debugger to leave. */
function terminate() {
  const session = new inspector.Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => session.disconnect());
}

function resolveModule(require, name) {
  if (!/^\.{0,2}\//.test(name)) return /^(node|data|file):/.test(name) ? name : (tryResolve(require, name) ?? name);
  return new URL(name, "file:///workspace/").href;
}

function tryResolve(require, name) {
  try {
    const path = require.resolve(name);
    return path.startsWith("/") ? new URL(`file://${path}`).href : path;
  } catch {
    return undefined;
  }
}

/**
 * The inspector's evaluation knows no modules: `import(…)` becomes a call of ours, and an import statement at the beginning of a line an
 * awaited one. Text in quotes and comments is left alone.
 */
function rewriteImports(code) {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<![\w$.])import\b(?:\s*\(|[^;\n(]*?(?:"[^"\n]*"|'[^'\n]*');?)?/g;
  return code.replace(token, (text) => {
    if (!text.startsWith("import")) return text;
    if (text.endsWith("(")) return `${importName}(`;
    return rewriteStatement(text) ?? text;
  });
}

function rewriteStatement(text) {
  const match = /^import\s*(?:([\w$]+)\s*,?\s*)?(?:\*\s*as\s+([\w$]+)\s*|\{([^}]*)\}\s*)?(?:from\s*)?("[^"]*"|'[^']*');?$/.exec(text);
  if (match === null) return undefined;
  const [, standard, all, named, source] = match;
  const names = (named ?? "")
    .split(",")
    .map((name) => name.trim().replace(/\s+as\s+/, ": "))
    .filter(Boolean);
  if (standard !== undefined) names.push(`default: ${standard}`);
  const load = `await ${importName}(${source})`;
  if (all === undefined && names.length === 0) return `${load};`;
  const parts = [...(all === undefined ? [] : [`${all} = ${load}`]), ...(names.length === 0 ? [] : [`{ ${names.join(", ")} } = ${load}`])];
  return `const ${parts.join(", ")};`;
}

/** What `display` is: shows values in the richest form that they have, or as what its parts say. */
function createDisplay(show) {
  const as = (type) => (content) => show(content, { [type]: content });
  return Object.assign((...values) => values.forEach((value) => show(value)), {
    /** Markup; it runs no scripts. */
    html: as("text/html"),
    svg: as("image/svg+xml"),
    /** Bytes of the image. */
    png: as("image/png"),
    jpeg: as("image/jpeg"),
    json: (value) => show(value, { "application/json": toDocument(value) }),
    /** Records, or anything that gives them one after another. */
    table: (rows) => {
      const records = toDocument([...rows]);
      show(rows, { "text/plain": safeInspect(rows), [tableType]: toTable(records ?? []) });
    },
  });
}

/** As JSON has it; undefined for a cycle, or a number that JSON has no word for. */
function toDocument(value) {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    return undefined;
  }
}

/** Records whose values are plain: what a database or a CSV file gives. */
function isTable(document) {
  const isRecord = (row) => typeof row === "object" && row !== null && !Array.isArray(row) && Object.keys(row).length > 0;
  const isPlainRow = (row) => isRecord(row) && Object.values(row).every((cell) => typeof cell !== "object" || cell === null);
  return Array.isArray(document) && document.length > 0 && document.every(isPlainRow);
}

function toTable(records) {
  const data = records.slice(0, maxRows);
  const names = new Set(data.flatMap((row) => Object.keys(row ?? {})));
  return { schema: { fields: Array.from(names, (name) => ({ name })) }, data, rows: records.length };
}

function formsOf(value) {
  const forms = { "text/plain": safeInspect(value) };
  try {
    const own = value?.[Symbol.for("Jupyter.display")]?.();
    if (typeof own === "object" && own !== null) Object.assign(forms, own);
  } catch {
    // shown as text
  }
  if (typeof value === "object" && value !== null && isPlain(value)) {
    const document = toDocument(value);
    if (document !== undefined) forms["application/json"] = document;
    if (isTable(document)) forms[tableType] = toTable(document);
  }
  return forms;
}

/** `given`: its forms; else those that it has. */
function bundle(value, given) {
  const forms = given ?? formsOf(value);
  const data = {};
  const omitted = [];
  let used = 0;
  for (const [mime, form] of Object.entries(forms)) {
    if (form === undefined) continue;
    const kept = form instanceof Uint8Array ? Buffer.from(form).toString("base64") : form;
    const size = typeof kept === "string" ? kept.length : (JSON.stringify(kept)?.length ?? Infinity);
    if (used + size > maxBundle) omitted.push(mime);
    else {
      data[mime] = kept;
      used += size;
    }
  }
  if (omitted.includes("text/plain")) data["text/plain"] = cut(forms["text/plain"]);
  return { data, omitted };
}

function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function safeInspect(value) {
  try {
    return typeof value === "string" ? inspect(value, { maxStringLength: maxBundle }) : inspect(value, { depth: 4, maxArrayLength: 200 });
  } catch (error) {
    return `<it cannot be shown: ${error?.name}>`;
  }
}

/** Without the frames of this file and of Node's own. */
function cleanStack(stack) {
  return stack
    .split("\n")
    .filter((line) => !/^\s+at .*(?:Worker\.emit|node:internal|node:inspector|\/run\/syla\/)/.test(line))
    .join("\n");
}

function cut(text) {
  return text.length <= maxText ? text : `${text.slice(0, maxText)}…`;
}
