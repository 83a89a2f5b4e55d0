import { piecesOf, vectorOf, type Reply, type RequestBody } from "./reply.ts";

const createdAt = "2024-01-01T00:00:00Z";

function lastOf({ usage, call }: Reply): object {
  const counts = usage === null ? {} : { prompt_eval_count: usage.input, eval_count: usage.output };
  return {
    done: true,
    done_reason: call === null ? "stop" : "stop",
    total_duration: 1000,
    load_duration: 1,
    prompt_eval_duration: 1,
    eval_duration: 1,
    ...counts,
  };
}

function messageOf(text: string, { call }: Pick<Reply, "call">): object {
  const calls = call === null ? {} : { tool_calls: [{ function: { name: call.name, arguments: JSON.parse(call.arguments) as object } }] };
  return { role: "assistant", content: text, ...calls };
}

export function answerOllama(path: string, body: RequestBody, reply: Reply): object {
  const said = path === "/api/generate" ? { response: reply.text } : { message: messageOf(reply.text, reply) };
  return { model: body.model, created_at: createdAt, ...said, ...lastOf(reply) };
}

export function streamOllama(path: string, body: RequestBody, reply: Reply): string[] {
  const line = (more: object) => `${JSON.stringify({ model: body.model, created_at: createdAt, ...more })}\n`;
  const piece = (text: string) => (path === "/api/generate" ? { response: text } : { message: messageOf(text, { call: null }) });
  const calls = reply.call === null ? [] : [line({ message: messageOf("", reply), done: false })];
  return [...piecesOf(reply.text).map((text) => line({ ...piece(text), done: false })), ...calls, line({ ...piece(""), ...lastOf(reply) })];
}

export function answerOllamaEmbed(path: string, body: RequestBody): object {
  if (path === "/api/embeddings") return { embedding: vectorOf(typeof body.prompt === "string" ? body.prompt : "") };
  const inputs = (Array.isArray(body.input) ? body.input : [body.input]) as string[];
  return {
    model: body.model,
    embeddings: inputs.map(vectorOf),
    total_duration: 1,
    load_duration: 1,
    prompt_eval_count: Math.ceil(inputs.join("").length / 4),
  };
}
