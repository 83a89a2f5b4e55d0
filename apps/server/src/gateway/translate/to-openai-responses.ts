import type { Tokens } from "../metering/usage.ts";
import type { AnswerHead, Finish, NeutralAnswer, NeutralEvent, StreamWriter } from "./answer.ts";

function usageOf({ input, output, cached, reasoning }: Tokens): object {
  return {
    input_tokens: input ?? 0,
    input_tokens_details: { cached_tokens: cached ?? 0 },
    output_tokens: output ?? 0,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: (input ?? 0) + (output ?? 0),
  };
}

function responseOf({ id, model, createdAt }: AnswerHead, output: readonly object[], finish: Finish | null, usage: Tokens | null): object {
  const incomplete = finish === "length" ? "max_output_tokens" : finish === "content-filter" ? "content_filter" : null;
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: Math.floor(createdAt.getTime() / 1000),
    status: finish === null ? "in_progress" : incomplete === null ? "completed" : "incomplete",
    error: null,
    incomplete_details: incomplete === null ? null : { reason: incomplete },
    instructions: null,
    metadata: {},
    model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    store: false,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    truncation: "disabled",
    usage: usage === null ? null : usageOf(usage),
  };
}

function messageOf(id: string, text: string, status: "completed" | "in_progress"): object {
  const content = status === "completed" ? [{ type: "output_text", text, annotations: [], logprobs: [] }] : [];
  return { id: `msg_${id}`, type: "message", status, role: "assistant", content };
}

function callOf(call: { id: string; name: string; arguments: string }, status: "completed" | "in_progress"): object {
  return { id: `fc_${call.id}`, type: "function_call", status, call_id: call.id, name: call.name, arguments: call.arguments };
}

/** A response. */
export function toOpenaiResponses(answer: NeutralAnswer, head: AnswerHead): object {
  const text = answer.text === "" && answer.calls.length > 0 ? [] : [messageOf(head.id, answer.text, "completed")];
  return responseOf(head, [...text, ...answer.calls.map((call) => callOf(call, "completed"))], answer.finish, answer.tokens);
}

type Item = { kind: "text"; text: string } | { kind: "call"; id: string; name: string; arguments: string };

/** The same in events, numbered. */
export function openaiResponsesStream(head: AnswerHead): StreamWriter {
  let number = 0;
  const items: Item[] = [];
  const callItems = new Map<number, number>();
  const send = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...more })}\n\n`;
  const idOf = (item: Item) => (item.kind === "text" ? `msg_${head.id}` : `fc_${item.id}`);
  const documentOf = (item: Item, status: "completed" | "in_progress") =>
    item.kind === "text" ? messageOf(head.id, item.text, status) : callOf(item, status);
  const place = (index: number, item: Item) => ({ item_id: idOf(item), output_index: index });
  const textPart = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

  const begin = (item: Item): string => {
    const index = items.push(item) - 1;
    const added = send("response.output_item.added", { output_index: index, item: documentOf(item, "in_progress") });
    return item.kind === "text"
      ? added + send("response.content_part.added", { ...place(index, item), content_index: 0, part: textPart("") })
      : added;
  };
  const finish = (item: Item, index: number): string => {
    const done =
      item.kind === "text"
        ? send("response.output_text.done", { ...place(index, item), content_index: 0, text: item.text, logprobs: [] }) +
          send("response.content_part.done", { ...place(index, item), content_index: 0, part: textPart(item.text) })
        : send("response.function_call_arguments.done", { ...place(index, item), name: item.name, arguments: item.arguments });
    return done + send("response.output_item.done", { output_index: index, item: documentOf(item, "completed") });
  };
  const writeText = (delta: string): string => {
    const at = items.findIndex(({ kind }) => kind === "text");
    const opened = at < 0 ? begin({ kind: "text", text: "" }) : "";
    const index = at < 0 ? items.length - 1 : at;
    const item = items[index];
    if (item?.kind !== "text") return opened;
    item.text += delta;
    return opened + send("response.output_text.delta", { ...place(index, item), content_index: 0, delta, logprobs: [] });
  };
  const write = (event: NeutralEvent): string => {
    switch (event.type) {
      case "text":
        return writeText(event.delta);
      case "reasoning":
        return ""; // its items are sealed by the provider, and ours could not be
      case "call":
        callItems.set(event.index, items.length);
        return begin({ kind: "call", id: event.id, name: event.name, arguments: "" });
      case "arguments": {
        const index = callItems.get(event.index) ?? -1;
        const item = items[index];
        if (item?.kind !== "call") return "";
        item.arguments += event.delta;
        return send("response.function_call_arguments.delta", { ...place(index, item), delta: event.delta });
      }
      case "finish": {
        const done = items.map(finish).join("");
        const response = responseOf(
          head,
          items.map((item) => documentOf(item, "completed")),
          event.finish,
          event.tokens,
        );
        return done + send(event.finish === "length" ? "response.incomplete" : "response.completed", { response });
      }
    }
  };
  return {
    begin: () =>
      send("response.created", { response: responseOf(head, [], null, null) }) +
      send("response.in_progress", { response: responseOf(head, [], null, null) }),
    write,
    end: () => "",
  };
}
