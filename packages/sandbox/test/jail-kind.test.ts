import { expect, test } from "vitest";
import { Toolchains } from "../src/jail-kind.ts";
import type { RuntimeSpec } from "../src/spec.ts";
import { bash, python } from "./sandbox-driver.ts";

const runtime = (name: string, ...targets: string[]): RuntimeSpec => ({
  ...bash,
  name,
  mounts: targets.map((target) => ({ source: `/host/${name}`, target })),
});
const lua = runtime("lua", "/opt/lua");
const php = runtime("php", "/opt/php", "/etc/php");

test("runtimes that start afresh share the jails that show the toolchains of all of them", () => {
  const toolchains = new Toolchains();
  toolchains.add([python, lua, php, bash]);
  const kind = toolchains.kindOf(lua, false);
  expect(kind).toMatchObject({ name: "any", always: true, networked: false, session: false });
  expect(kind.runtime.mounts).toEqual([...lua.mounts, ...php.mounts]);
  for (const other of [php, bash]) expect(toolchains.kindOf(other, false)).toBe(kind);
  expect(toolchains.kindOf(python, false)).toMatchObject({ name: "python", always: true });
});

test("runs with a network and long-lived sandboxes share jails among themselves", () => {
  const toolchains = new Toolchains();
  toolchains.add([lua, php]);
  const [networked, session] = [toolchains.kindOf(lua, true), toolchains.sessionKindOf(lua)];
  expect(networked).toMatchObject({ name: "any networked", always: false, networked: true, session: false });
  expect(session).toMatchObject({ name: "session any", always: true, networked: true, session: true });
  expect(toolchains.kindOf(php, true)).toBe(networked);
  expect(toolchains.sessionKindOf(php)).toBe(session);
  expect(toolchains.sessionKindOf({ ...python, mounts: php.mounts })).toBe(session);
  expect(toolchains.kindOf(python, true)).toMatchObject({ name: "python networked" });
  expect(new Set([networked.key, session.key, toolchains.kindOf(lua, false).key]).size).toBe(3);
});

test.each([
  ["the place", "/opt/lua"],
  ["a place inside of that", "/opt/lua/5.4"],
  ["a place around that", "/opt"],
])("a runtime that wants %s of another one's toolchain has jails of its own", (_what, target) => {
  const toolchains = new Toolchains();
  const other = runtime("other", "/opt/other", target);
  toolchains.add([lua, other, php]);
  expect(toolchains.kindOf(other, false)).toMatchObject({ key: "other", name: "other", always: false, runtime: { mounts: other.mounts } });
  expect(toolchains.kindOf(other, true)).toMatchObject({ name: "other networked" });
  expect(toolchains.sessionKindOf(other)).toMatchObject({ name: "session other", always: false });
  expect(toolchains.kindOf(php, false).runtime.mounts).toEqual([...lua.mounts, ...php.mounts]);
});

test("names that only begin alike are no conflict", () => {
  const toolchains = new Toolchains();
  const other = runtime("other", "/opt/lua5");
  toolchains.add([lua, other]);
  expect(toolchains.kindOf(other, false)).toBe(toolchains.kindOf(lua, false));
});

test("a toolchain that comes later makes another kind, one that is known does not", () => {
  const toolchains = new Toolchains();
  toolchains.add([lua]);
  expect(toolchains.kindOf(php, false).name).toBe("php");
  const before = toolchains.kindOf(lua, false);
  toolchains.add([lua]);
  expect(toolchains.kindOf(lua, false)).toBe(before);
  toolchains.add([php]);
  const after = toolchains.kindOf(lua, false);
  expect(toolchains.kindOf(php, false)).toBe(after);
  expect(after.name).toBe(before.name);
  expect(after.key).not.toBe(before.key);
});
