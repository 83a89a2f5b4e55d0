import { readFileSync } from "node:fs";
import { join } from "node:path";
import { route } from "@syla/contracts/route";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeWire, hashShape, hashWireShapes } from "../../../tools/generators/wire-shapes.ts";

const committed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../../../docs/wire.gen.json"), "utf8"));

const base = {
  method: "POST",
  path: "/api/v1/things/:id",
  summary: "Change a thing",
  tag: "things",
  auth: "user",
  params: z.object({ id: z.string() }),
  body: z.strictObject({ name: z.string().max(10).describe("what people call it"), size: z.int().default(1) }),
  responses: { 200: z.object({ id: z.string(), name: z.string() }) },
  errors: ["not_found", "conflict"],
} as const;
const hash = (changes: object): string => hashShape(describeWire(route({ ...base, ...changes })));

describe("wire shapes", () => {
  it("are those that were agreed: when this fails, look at docs/wire.gen.json and run `npm run generate`", () => {
    expect(hashWireShapes()).toEqual(committed);
  });

  it.each<[string, object]>([
    ["a field more", { body: base.body.extend({ colour: z.string() }) }],
    ["another limit", { body: base.body.extend({ name: z.string().max(11) }) }],
    ["another default", { body: base.body.extend({ size: z.int().default(2) }) }],
    ["an answer that lost a field", { responses: { 200: z.object({ id: z.string() }) } }],
    ["another status", { responses: { 201: base.responses[200] } }],
    ["an error more", { errors: [...base.errors, "rate_limited"] }],
    ["another path", { path: "/api/v1/thing/:id" }],
    ["a route that became public", { auth: "none" }],
    ["a header with meaning", { headers: z.object({ "idempotency-key": z.string() }) }],
    ["an answer that became a stream", { responses: { 200: "event-stream" } }],
  ])("change with %s", (_name, changes) => {
    expect(hash(changes)).not.toBe(hash({}));
  });

  it.each<[string, object]>([
    ["sentences for people", { summary: "Modify a thing", body: base.body.extend({ name: base.body.shape.name.describe("its name") }) }],
    ["the order of fields", { responses: { 200: z.object({ name: z.string(), id: z.string() }) } }],
    ["the order of errors", { errors: ["conflict", "not_found"] }],
  ])("do not change with %s", (_name, changes) => {
    expect(hash(changes)).toBe(hash({}));
  });
});
