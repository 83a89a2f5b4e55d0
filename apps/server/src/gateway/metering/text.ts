/** Keys under which providers and callers write what a model reads or writes. */
const textKeys = new Set([
  "text",
  "content",
  "input",
  "prompt",
  "system",
  "instructions",
  "thinking",
  "reasoning_content",
  "reasoning",
  "refusal",
  "arguments",
  "partial_json",
  "response",
  "suffix",
  "output",
]);
/** Of those, what is written as an object and not as text. */
const objectKeys = new Set(["parameters", "input_schema", "schema", "format", "arguments", "input"]);
/** Read by a model as they are, names and descriptions and all. */
const wholeKeys = new Set(["tools", "functions"]);
/** May hold numbers of tokens in place of text. */
const tokenKeys = new Set(["prompt", "input"]);
/** Pictures without anything else, in Ollama's words. */
const pictureKey = "images";
const deepest = 64;

/** All text in a request or an answer that a model reads or writes. Pictures and sounds are left out. */
export function gatherText(value: unknown, depth = 0): string {
  if (depth > deepest || typeof value !== "object" || value === null) return "";
  if (Array.isArray(value)) return value.map((entry) => (typeof entry === "string" ? entry : gatherText(entry, depth + 1))).join(" ");
  const parts: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === "string") {
      if (textKeys.has(key) || isTextDocument(key, value)) parts.push(member);
    } else if (wholeKeys.has(key)) parts.push(JSON.stringify(member));
    else if (tokenKeys.has(key) && isTokens(member)) parts.push(member.flat().join(" "));
    else if (key === pictureKey) continue;
    else if (objectKeys.has(key) && typeof member === "object" && member !== null && !Array.isArray(member))
      parts.push(JSON.stringify(member));
    else parts.push(gatherText(member, depth + 1));
  }
  return parts.join(" ");
}

/** Anthropic's documents have their text where others have a picture. */
function isTextDocument(key: string, value: object): boolean {
  return key === "data" && (value as { type?: unknown }).type === "text";
}

/** Numbers of tokens, or several texts of them. */
function isTokens(value: unknown): value is unknown[] {
  if (!Array.isArray(value)) return false;
  const first: unknown = Array.isArray(value[0]) ? value[0][0] : value[0];
  return typeof first === "number";
}

/** What an event of a stream adds to the answer. */
export function deltaText(document: Readonly<Record<string, unknown>>): string {
  const { type, delta, choices, message, response } = document as {
    type?: unknown;
    delta?: unknown;
    choices?: unknown;
    message?: unknown;
    response?: unknown;
  };
  if (Array.isArray(choices)) return gatherDelta(choices);
  if (typeof type === "string") return type.endsWith("delta") ? (typeof delta === "string" ? delta : gatherDelta(delta)) : "";
  if (typeof response === "string") return response;
  return gatherDelta(message);
}

/** Without spaces between: pieces of words. */
function gatherDelta(value: unknown): string {
  return gatherText(value)
    .replace(/ +$/, "")
    .replace(/^ (?= )/, "");
}
