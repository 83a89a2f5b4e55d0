import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";

type Prompt = LanguageModelV4CallOptions["prompt"];
export type Message = Prompt[number];
export type UserPart = Extract<Message, { role: "user" }>["content"][number];
export type AssistantPart = Extract<Message, { role: "assistant" }>["content"][number];
export type ToolPart = Extract<Message, { role: "tool" }>["content"][number];
export type Schema = NonNullable<Extract<NonNullable<LanguageModelV4CallOptions["tools"]>[number], { type: "function" }>["inputSchema"]>;

/** A call in no protocol: what every decoder makes and every provider's adapter takes. */
export type NeutralCall = LanguageModelV4CallOptions;

/** Tool results name their tool only in this form: who calls by id alone is looked up in what was called before. */
export class ToolNames {
  readonly #names = new Map<string, string>();

  note(id: string, name: string): void {
    this.#names.set(id, name);
  }

  nameOf(id: string): string {
    return this.#names.get(id) ?? "tool";
  }
}

/** A picture or a document given as a data URL, base64, or an address. */
export function filePart(url: string, mediaType?: string): UserPart {
  const data = /^data:([^;,]+)?(?:;[^,]*)?;base64,(.*)$/s.exec(url);
  if (data !== null) return { type: "file", mediaType: data[1] ?? mediaType ?? "image/*", data: { type: "data", data: data[2] ?? "" } };
  return { type: "file", mediaType: mediaType ?? "image/*", data: { type: "url", url: new URL(url) } };
}

/** Leaves out what is undefined. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as never;
}

/** Arguments as a model wrote them: JSON, or something else that has to be kept as it is. */
export function parseArguments(text: string): unknown {
  try {
    return text === "" ? {} : (JSON.parse(text) as unknown);
  } catch {
    return { value: text };
  }
}
