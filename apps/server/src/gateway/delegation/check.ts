import type { ModelConfig } from "@syla/contracts/model-config";
import { badBody } from "../protocol-error.ts";
import type { Endpoint } from "../protocol.ts";
import { fold, type Body } from "../request.ts";
import { delegateBetas, delegateFields, delegateItems, delegateOptions, delegateParts } from "./fields.ts";

const owners = "can be set by the model's owner alone";
/** Conversations within results of tools within conversations. */
const deepest = 8;
/** Of a model whose window nobody has written down. */
const usualWindow = 32_768;
/** They fetch addresses out of their own networks. */
const vendors: ReadonlySet<string> = new Set(["openai", "anthropic", "azure"]);

/** What a call may ask for that somebody makes with another's money. @throws AppError `invalid_request`, with the field */
export function checkDelegated(endpoint: Endpoint, body: Body, config: ModelConfig): void {
  const { protocol, operation } = endpoint;
  const allowed = delegateFields(endpoint);
  for (const [field, value] of Object.entries(body))
    if (!allowed.has(field) && value !== null && !(field === "background" && value === false)) throw badBody(field.slice(0, 100), owners);
  if (body["store"] === true) throw badBody("store", owners);
  if (body["modalities"] != null && !isTextAlone(body["modalities"]))
    throw badBody("modalities", "may be text alone: sound is for the owner");
  checkReasoning(body);
  const { budget_tokens: budget } = objectOf(body["thinking"]);
  if (typeof budget === "number" && typeof body["max_tokens"] === "number" && budget > body["max_tokens"])
    throw badBody("thinking.budget_tokens", "must not be more than `max_tokens`");
  checkCacheControl(body["cache_control"], "cache_control");
  checkTools(body["tools"], "tools", protocol === "openai" ? undefined : "custom");
  if (protocol === "ollama") checkOptions(body["options"], config);
  checkContent(body["system"], "system", config);
  checkMessages(body["messages"], "messages", config);
  if (operation === "responses") checkMessages(body["input"], "input", config);
}

function isTextAlone(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => entry === "text");
}

/** Some providers take whole other settings in there. */
function checkReasoning(body: Body): void {
  const reasoning = objectOf(body["reasoning"]);
  for (const field of Object.keys(reasoning))
    if (!["effort", "summary", "generate_summary", "context"].includes(field)) throw badBody(`reasoning.${field.slice(0, 100)}`, owners);
}

/** What is kept for an hour costs twice as much to write as is held back. */
function checkCacheControl(value: unknown, path: string): void {
  const { ttl } = objectOf(value);
  if (ttl != null && ttl !== "5m") throw badBody(`${path}.ttl`, "may be 5m: an hour can be set by the model's owner alone");
}

/** Tools that the program itself carries out. `unsaid`: what one without a type is. */
function checkTools(tools: unknown, path: string, unsaid: string | undefined): void {
  if (tools == null) return;
  if (!Array.isArray(tools)) throw badBody(path, "must be a list");
  for (const [index, tool] of tools.entries()) {
    const { type, ...rest } = objectOf(tool);
    const kind = type ?? unsaid;
    if (kind !== "function" && kind !== "custom")
      throw badBody(`${path}.${index}.type`, "must be a function of your own: the provider's tools can be had by the model's owner alone");
    // A reader that does not mind upper case would take it for the type.
    for (const field of Object.keys(rest)) if (fold(field) === "type") throw badBody(`${path}.${index}.${field}`, "must be written `type`");
    checkCacheControl(rest["cache_control"], `${path}.${index}.cache_control`);
  }
}

function checkOptions(value: unknown, { capabilities }: ModelConfig): void {
  for (const field of Object.keys(objectOf(value)))
    if (!delegateOptions.has(field)) throw badBody(`options.${field.slice(0, 100)}`, owners);
  const { num_ctx: window } = objectOf(value);
  const most = capabilities.contextWindow ?? usualWindow;
  if (window != null && !(typeof window === "number" && window <= most)) throw badBody("options.num_ctx", `must be a number up to ${most}`);
}

function checkMessages(messages: unknown, path: string, config: ModelConfig): void {
  if (!Array.isArray(messages)) return;
  for (const [index, message] of messages.entries()) {
    const at = `${path}.${index}`;
    const { type, content, output, tools } = objectOf(message);
    if (!delegateItems.has(type ?? undefined)) throw badBody(`${at}.type`, owners);
    if (tools != null) throw badBody(`${at}.tools`, owners);
    checkContent(content, `${at}.content`, config);
    checkContent(output, `${at}.output`, config);
  }
}

function checkContent(content: unknown, path: string, config: ModelConfig, depth = 0): void {
  if (!Array.isArray(content)) return;
  if (depth > deepest) throw badBody(path, "is nested too deep");
  for (const [index, part] of content.entries()) {
    const at = `${path}.${index}`;
    if (typeof part === "string") continue;
    const fields = objectOf(part);
    if (!delegateParts.has(fields["type"])) throw badBody(`${at}.type`, owners);
    checkCacheControl(fields["cache_control"], `${at}.cache_control`);
    for (const name of [null, "source", "file", "image_url"] as const) {
      const place = name === null ? at : `${at}.${name}`;
      checkPlace(name === null ? fields : objectOf(fields[name]), place, config);
    }
    checkAddress(fields["image_url"], `${at}.image_url`, config);
    checkContent(fields["content"], `${at}.content`, config, depth + 1);
    checkContent(objectOf(fields["source"])["content"], `${at}.source.content`, config, depth + 1);
  }
}

/** Where a picture or a document is: not among the files of the owner's account. */
function checkPlace(place: Body, path: string, config: ModelConfig): void {
  if (place["file_id"] != null) throw badBody(`${path}.file_id`, owners);
  for (const name of ["url", "file_url"]) checkAddress(place[name], `${path}.${name}`, config);
}

/** A model at home would fetch it from within the network that it stands in. */
function checkAddress(value: unknown, path: string, { provider }: ModelConfig): void {
  if (typeof value !== "string" || /^data:/i.test(value)) return;
  if (!vendors.has(provider)) throw badBody(path, "must be given as `data:`: this provider would fetch it from its own network");
}

/** Of a header that turns on what is not in the protocol yet, what costs nothing besides. */
export function delegatedBetas(header: string): string {
  return header
    .split(",")
    .map((beta) => beta.trim())
    .filter((beta) => delegateBetas.has(beta))
    .join(",");
}

function objectOf(value: unknown): Body {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : {};
}
