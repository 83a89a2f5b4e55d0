import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";

/** Packs as no git writes them. Source: gitformat-pack(5). */

const kinds = { commit: 1, tree: 2, blob: 3, delta: 7 } as const;

/** An object of a pack, with the id that git knows it by. */
export interface PackedObject {
  readonly id: string;
  readonly bytes: Buffer;
}

/** An object, whole. */
export function whole(kind: "commit" | "tree" | "blob", content: Buffer): PackedObject {
  return { id: idOf(kind, content.length, [content]), bytes: Buffer.concat([head(kinds[kind], content.length), deflateSync(content)]) };
}

/** A blob of `count` times another one, said in some bytes for each. The id is computed only when it is wanted: it takes its time. */
export function repeated(base: PackedObject, content: Buffer, count: number, wantsId: boolean): PackedObject {
  const copy = Buffer.from([0b1111_0000, content.length & 255, (content.length >> 8) & 255, (content.length >> 16) & 255]);
  const delta = Buffer.concat([size(content.length), size(content.length * count), ...Array.from({ length: count }, () => copy)]);
  const bytes = Buffer.concat([head(kinds.delta, delta.length), Buffer.from(base.id, "hex"), deflateSync(delta)]);
  const parts = Array.from({ length: wantsId ? count : 0 }, () => content);
  return { id: wantsId ? idOf("blob", content.length * count, parts) : "", bytes };
}

/** A tree of these entries, as they are said. */
export function treeOf(entries: readonly { readonly mode: string; readonly name: string | Buffer; readonly id: string }[]): PackedObject {
  const parts = entries.flatMap(({ mode, name, id }) => [
    Buffer.from(`${mode} `),
    Buffer.from(name as string),
    Buffer.from([0]),
    Buffer.from(id, "hex"),
  ]);
  return whole("tree", Buffer.concat(parts));
}

export function commitOf(tree: PackedObject, parent: string): PackedObject {
  const who = "Eve Hacker <eve@example.org> 1700000000 +0000";
  return whole("commit", Buffer.from(`tree ${tree.id}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\nhand-made\n`));
}

export function packOf(objects: readonly PackedObject[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(objects.length);
  const body = Buffer.concat([Buffer.from("PACK"), Buffer.from([0, 0, 0, 2]), count, ...objects.map(({ bytes }) => bytes)]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

function idOf(kind: string, length: number, parts: readonly Buffer[]): string {
  const sum = createHash("sha1").update(`${kind} ${length}\0`);
  for (const part of parts) sum.update(part);
  return sum.digest("hex");
}

/** Kind and length: four bits of it, then seven a byte. */
function head(kind: number, length: number): Buffer {
  const bytes = [(kind << 4) | (length & 15)];
  for (let left = length >>> 4; left > 0; left >>>= 7) {
    bytes.push(left & 127);
    bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) | 128;
  }
  return Buffer.from(bytes);
}

function size(length: number): Buffer {
  const bytes = [length % 128];
  for (let left = Math.floor(length / 128); left > 0; left = Math.floor(left / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128;
    bytes.push(left % 128);
  }
  return Buffer.from(bytes);
}
