"use strict";
// Loaded ahead of the program by an interpreter that was booted before anybody wanted it (packages/sandbox/agent/preboot.py). Waits for the
// run's arguments and variables, makes the process what `node main.mjs` would have been, and leaves nothing of itself behind.
const Module = require("node:module");
const fs = require("node:fs");

const [reportFd, startFd] = [3, 4];

/** The program must not find this file among what it has loaded, nor the option that loads it. A worker thread does so once more, for nothing else. */
function forget() {
  process.execArgv.length = 0;
  delete require.cache[__filename];
  for (const key of Object.keys(Module._pathCache)) if (key.includes(__filename)) delete Module._pathCache[key];
}

/** Blocks until the other end has said everything; ends the process when that was nothing. The limits are those of the run by then. */
function readPlan() {
  const buffer = Buffer.alloc(65536);
  const chunks = [];
  fs.writeSync(reportFd, "1");
  for (let size = -1; size !== 0; chunks.push(Buffer.from(buffer.subarray(0, size)))) size = fs.readSync(startFd, buffer, 0, buffer.length, null);
  const text = Buffer.concat(chunks).toString();
  if (text === "") process.reallyExit(0);
  fs.closeSync(reportFd);
  fs.closeSync(startFd);
  return JSON.parse(text);
}

function becomeProgram({ argv, env, file }) {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (process.env[name] !== value) process.env[name] = value;
  process.argv.splice(1, process.argv.length, file, ...argv.slice(2));
  // Not earlier: what Node.js looks up while it boots, such as a package.json, it remembers.
  process.chdir("/workspace");
  startInstead(file);
}

/** The one call of `runMain` that follows gets another file. No frame of ours lies below the program, and the function is itself again. */
function startInstead(file) {
  const runMain = Module.runMain;
  const restore = (value) => Object.defineProperty(Module, "runMain", { value, writable: true, enumerable: true, configurable: true });
  const get = () => {
    restore(runMain);
    return runMain.bind(Module, file);
  };
  Object.defineProperty(Module, "runMain", { get, set: restore, enumerable: true, configurable: true });
}

forget();
if (require("node:worker_threads").isMainThread) becomeProgram(readPlan());
