import { errorCatalog } from "@syla/contracts/errors";
import { escapeHtml } from "../platform/escape-html.ts";
import type { OpenApiDocument } from "../platform/openapi.ts";

type JsonObject = Record<string, unknown>;

function escape(value: unknown): string {
  return escapeHtml(String(value));
}

/** Escaped text in which `code` between backticks is set as code. */
function prose(value: unknown): string {
  return escape(value).replace(/`([^`]+)`/g, "<code>$1</code>");
}

const style = `
:root{color-scheme:light dark;--line:light-dark(#ddd,#333);--soft:light-dark(#f6f6f6,#1c1c1e);--accent:light-dark(#0a58ca,#7ab7ff)}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}
a{color:var(--accent)}code,pre{font:13px/1.45 ui-monospace,monospace;background:var(--soft);border-radius:4px;padding:.1em .3em}
pre{padding:.8rem;overflow:auto;border:1px solid var(--line)}section{border-top:1px solid var(--line);padding:.6rem 0}
h3{font:600 15px ui-monospace,monospace;overflow-wrap:anywhere}.table{overflow-x:auto}table{border-collapse:collapse}
td,th{text-align:left;vertical-align:top;border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0}nav li{margin:.15rem 0}`;

/** A readable page of the whole API: operations, types and error codes. It loads nothing from anywhere. */
export function renderReference(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const contents = operations.map(
    ({ path, method, operation }) =>
      `<li><a href="#${escape(operation["operationId"])}"><code>${method.toUpperCase()} ${escape(path)}</code></a> ${prose(operation["summary"])}</li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Syla API</title><style>${style}</style></head>
<body><h1>Syla API ${escape(document.info["version"])}</h1>
<p>${prose(document.info["description"])} The same as a document: <a href="openapi.json">openapi.json</a>.</p>
<nav><ul>${contents.join("\n")}</ul></nav>
<h2>Operations</h2>${operations.map(renderOperation).join("\n")}
<h2>Types</h2>${Object.entries(document.components.schemas).map(renderType).join("\n")}
<h2>Errors</h2><div class="table"><table><tr><th>code</th><th>status</th><th>meaning</th><th>what to do</th></tr>${renderErrors()}</table></div>
</body></html>
`;
}

function renderOperation({ path, method, operation }: { path: string; method: string; operation: JsonObject }): string {
  const parameters = (operation["parameters"] ?? []) as JsonObject[];
  const body = operation["requestBody"] as { content: JsonObject } | undefined;
  const isPublic = (operation["security"] as unknown[]).length === 0;
  return `<section id="${escape(operation["operationId"])}"><h3>${method.toUpperCase()} ${escape(path)}</h3>
<p>${prose(operation["summary"])}.${isPublic ? " Needs no sign-in." : ""}</p>
${parameters.length === 0 ? "" : `<div class="table"><table>${parameters.map(renderParameter).join("")}</table></div>`}
${body === undefined ? "" : `<p>Body: ${renderContent(body.content)}</p>`}
<div class="table"><table>${Object.entries(operation["responses"] as Record<string, JsonObject>)
    .map(renderResponse)
    .join("")}</table></div></section>`;
}

function renderParameter(parameter: JsonObject): string {
  const schema = parameter["schema"] as JsonObject;
  const kind = [schema["type"], Array.isArray(schema["enum"]) ? schema["enum"].join(" | ") : undefined].filter(Boolean).join(": ");
  const need = parameter["required"] === true ? "required" : "optional";
  return `<tr><td><code>${escape(parameter["name"])}</code></td><td>${escape(parameter["in"])}, ${need}</td><td>${escape(kind)}</td><td>${prose(parameter["description"] ?? "")}</td></tr>`;
}

function renderResponse([status, response]: [string, JsonObject]): string {
  const content = response["content"] as JsonObject | undefined;
  const isProblem = Number(status) >= 400;
  return `<tr><td>${escape(status)}</td><td>${isProblem || content === undefined ? prose(response["description"]) : renderContent(content)}</td></tr>`;
}

function renderContent(content: JsonObject): string {
  return Object.entries(content)
    .map(([type, media]) => {
      const schema = (media as { schema: JsonObject }).schema;
      const reference = typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1) : undefined;
      if (reference !== undefined) return `<code>${escape(type)}</code> <a href="#type-${escape(reference)}">${escape(reference)}</a>`;
      return type === "application/json" ? `<code>${escape(type)}</code><pre>${renderJson(schema)}</pre>` : `<code>${escape(type)}</code>`;
    })
    .join(", ");
}

function renderType([name, schema]: [string, JsonObject]): string {
  return `<section id="type-${escape(name)}"><h3>${escape(name)}</h3><pre>${renderJson(schema)}</pre></section>`;
}

function renderJson(value: unknown): string {
  return escape(JSON.stringify(value, null, 2)).replace(/#\/components\/schemas\/(\w+)/g, '<a href="#type-$1">$1</a>');
}

function renderErrors(): string {
  const rows = Object.entries(errorCatalog).map(
    ([code, { status, message, hint }]) =>
      `<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td><td>${prose(message)}</td><td>${prose(hint)}</td></tr>`,
  );
  return rows.join("\n");
}
