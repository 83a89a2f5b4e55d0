import type { Secret } from "../platform/secret.ts";
import { ByteAutomaton } from "./byte-automaton.ts";

const shown = Buffer.from("[secret]");
/** Shorter values are in every text. */
const leastBytes = 4;
/** What is cut out of the base64 of something longer must be long enough to be the secret and no accident. */
const leastEncoded = 8;
/** Shorter lines of a secret are in other texts too. */
const leastLine = 16;
/** So many bytes of forms are looked for; then fewer forms of the longest secrets, up to the second number; then only what they are. */
const mostBytes = { all: 1024 * 1024, usual: 2 * 1024 * 1024 };
/** Tools break base64 after so many characters. */
const lineLengths = [76, 64];

/** Takes secrets out of a stream of bytes, whatever pieces it comes in. */
export interface Redactor {
  push(chunk: Buffer): Buffer;
  /** What was held back, because it could have been the beginning of a secret. */
  end(): Buffer;
}

/** What is looked for, for all streams of a run together. */
export interface SecretForms {
  readonly automaton: ByteAutomaton;
}

/**
 * The forms in which a secret is taken out: as it is and backwards, line by line where it has several, in hexadecimal, and as URLs, JSON and base64
 * write it, also inside something longer. Where secrets are so long that there is no room for all of that, the longest ones are looked for as they
 * are, in base64 and as browsers write them in URLs, or in the end only as they are.
 */
export function secretForms(secrets: readonly Secret[]): SecretForms {
  const values = secrets.map((secret) => Buffer.from(secret.reveal())).filter((value) => value.length >= leastBytes);
  const forms: Buffer[] = [];
  let size = 0;
  for (const value of values.toSorted((a, b) => a.length - b.length)) {
    const made = formsWithin(value, mostBytes.all - size, mostBytes.usual - size);
    forms.push(...made);
    size += sizeOf(made);
  }
  return { automaton: new ByteAutomaton(forms) };
}

function formsWithin(value: Buffer, all: number, usual: number): Buffer[] {
  // None of them is made to be thrown away: hexadecimal alone is longer than this.
  for (const [room, least, make] of [
    [all, 24, allForms],
    [usual, 5, usualForms],
  ] as const) {
    if (value.length * least > room) continue;
    const forms = distinct(make(value));
    if (sizeOf(forms) <= room) return forms;
  }
  return [value];
}

function distinct(forms: readonly Buffer[]): Buffer[] {
  return [...new Map(forms.map((form) => [form.toString("latin1"), form])).values()].filter((form) => form.length >= leastBytes);
}

function sizeOf(forms: readonly Buffer[]): number {
  return forms.reduce((sum, form) => sum + form.length, 0);
}

function allForms(bytes: Buffer): Buffer[] {
  const value = bytes.toString();
  const texts = [
    Array.from(value).toReversed().join(""),
    ...linesOf(value),
    ...jsonForms(value),
    ...urlForms(bytes, leftInUrls),
    ...hexForms(bytes),
  ];
  return [bytes, ...texts.map((text) => Buffer.from(text)), ...base64Forms(bytes)];
}

function usualForms(bytes: Buffer): Buffer[] {
  return [bytes, ...urlForms(bytes, leftInUrls.slice(0, 1)).map((text) => Buffer.from(text)), ...base64Forms(bytes)];
}

/** A key in several lines is often said one by one. Those that every such key has are none of it. */
function linesOf(value: string): string[] {
  const lines = value.split(/\r?\n/);
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= leastLine && !line.startsWith("-----"));
}

/** Encoders differ in what they escape: nothing that they need not, what is not ASCII, slashes. */
function jsonForms(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  const escaped = (digits: (code: string) => string) =>
    plain.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${digits(unit.charCodeAt(0).toString(16).padStart(4, "0"))}`);
  const all = [plain, escaped((code) => code), escaped((code) => code.toUpperCase())];
  return all.flatMap((text) => [text, text.replaceAll("/", "\\/")]);
}

/** What is left as it is in a part of an address, by browsers, by others, in a path, in a form, and by none. */
const leftInUrls = [/[\w.!~*'()-]/, /[\w.~-]/, /[\w.~/-]/, /[\w.*-]/, /[^\s\S]/];

function urlForms(bytes: Buffer, lefts: readonly RegExp[]): string[] {
  const units = Array.from(bytes, (byte) => String.fromCharCode(byte));
  return lefts.flatMap((left) => {
    const text = units.map((unit, at) => (left.test(unit) ? unit : `%${bytes.toString("hex", at, at + 1).toUpperCase()}`)).join("");
    return [text, text.replaceAll("%20", "+")].flatMap((form) => [form, form.replaceAll(/%../g, (code) => code.toLowerCase())]);
  });
}

function hexForms(bytes: Buffer): string[] {
  const pairs = bytes.toString("hex").match(/../g) ?? [];
  return ["", " ", ":", "\\x"].flatMap((between) => [
    pairs.join(between),
    pairs.join(between).replaceAll(/[a-f]/g, (digit) => digit.toUpperCase()),
  ]);
}

/**
 * The part of its base64 that is the same whatever stands before and after it. Three bytes become four characters, so there are three ways
 * to begin. One that begins a text is broken into lines.
 */
function base64Forms(bytes: Buffer): Buffer[] {
  const whole = bytes.toString("base64").replaceAll("=", "");
  const broken = lineLengths
    .filter((length) => whole.length > length)
    .map((length) => whole.replaceAll(new RegExp(`.{${length}}(?=.)`, "g"), "$&\n"));
  const cores = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    const core = text.slice(first, end);
    if (core.length < leastEncoded) return [];
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [...cores, ...broken].map((form) => Buffer.from(form));
}

export function createRedactor({ automaton }: SecretForms): Redactor {
  let state = 0;
  let findings: Findings = { covered: 0, places: [] };
  // What is held back is the beginning of a form, so the state says what it was.
  const take = (chunk: Buffer, isEnd: boolean): Buffer => {
    const held = automaton.beginning(state);
    const { places } = findings;
    state = automaton.read(chunk, state, (end, length) => addPlace(places, held.length + end - length, held.length + end));
    if (places.length === 0 && findings.covered === 0 && held.length === 0 && state === 0) return chunk;
    const text = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const safe = isEnd ? text.length : text.length - automaton.beginning(state).length;
    if (isEnd) state = 0;
    const { done, next } = release(text, safe, findings);
    findings = next;
    return done;
  };
  return {
    push: (chunk) => (automaton.isEmpty ? chunk : take(chunk, false)),
    end: () => take(Buffer.alloc(0), true),
  };
}

/** A short text that is there as a whole. */
export function redactText(text: string, { automaton }: SecretForms): string {
  const bytes = Buffer.from(text);
  const places: Place[] = [];
  automaton.read(bytes, 0, (end, length) => addPlace(places, end - length, end));
  return places.length === 0 ? text : release(bytes, bytes.length, { covered: 0, places }).done.toString();
}

/** Where a secret is in a text. */
interface Place {
  start: number;
  end: number;
}

/** What is known of a text that is not shown yet. */
interface Findings {
  /** So much of it has been shown as part of a secret already. */
  readonly covered: number;
  /** In order; none overlaps another. */
  readonly places: Place[];
}

/** Places are found by where they end. Those that overlap are one. */
function addPlace(places: Place[], start: number, end: number): void {
  let first = start;
  for (let last = places.at(-1); last !== undefined && last.end > start; last = places.at(-1)) {
    first = Math.min(first, last.start);
    places.pop();
  }
  places.push({ start: first, end });
}

/** Shows a text up to a place before which no secret begins that is not known. */
function release(text: Buffer, safe: number, { covered, places }: Findings): { done: Buffer; next: Findings } {
  const parts: Buffer[] = [];
  let from = covered;
  let count = 0;
  for (const { start, end } of places) {
    if (start >= safe) break;
    if (start >= from) parts.push(text.subarray(from, start), shown);
    from = Math.max(from, end);
    count += 1;
  }
  if (from < safe) parts.push(text.subarray(from, safe));
  const left = places.slice(count).map(({ start, end }) => ({ start: start - safe, end: end - safe }));
  return { done: Buffer.concat(parts), next: { covered: Math.max(0, from - safe), places: left } };
}
