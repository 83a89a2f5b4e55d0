import { Readable } from "node:stream";
import { gatewayRoutes as routes } from "@syla/contracts/gateway";
import type { Actor } from "../access/actor.ts";
import type { Http } from "../access/http.ts";
import { answer, type Answer, type Call } from "../platform/http-call.ts";
import type { Queries } from "../platform/database.ts";
import { nodeHeader, readNode } from "./call-node.ts";
import { answerOther, readRequest } from "./listener.ts";
import { endpoints, type Endpoint } from "./protocol.ts";
import type { Caller, Gateway, GatewayAnswer } from "./service.ts";

/** Serves the gateway to API keys, and to runs that reach the server. */
export function registerGatewayRoutes(http: Http, gateway: Gateway, queries: Queries): void {
  const perform = async (endpoint: Endpoint, body: unknown, call: Call<Actor>): Promise<Answer> => {
    const caller = callerOf(call.actor);
    try {
      const bytes = await readRequest(body as AsyncIterable<Buffer>);
      const { headers } = call.request;
      const { requestId, traceId, signal } = call;
      const incoming = { endpoint, body: bytes, headers, requestId, traceId, node: readNode(headers[nodeHeader]), signal };
      return toHttp(await gateway.call(caller, incoming));
    } catch (error) {
      return toHttp(gateway.refuse({ endpoint, requestId: call.requestId }, error));
    }
  };
  const look = async (method: string, path: string, body: unknown, call: Call<Actor>): Promise<Answer> => {
    const endpoint = endpoints[path.startsWith("/api/") ? "/api/chat" : "/v1/chat/completions"];
    try {
      const bytes = body === undefined ? Buffer.alloc(0) : await readRequest(body as AsyncIterable<Buffer>);
      return toHttp(await answerOther(queries, callerOf(call.actor), method, path, bytes, call.requestId));
    } catch (error) {
      return toHttp(gateway.refuse({ endpoint, requestId: call.requestId }, error));
    }
  };
  const calls = [
    routes.createChatCompletion,
    routes.createResponse,
    routes.createCompletion,
    routes.createEmbeddings,
    routes.createMessage,
    routes.countMessageTokens,
    routes.ollamaChat,
    routes.ollamaGenerate,
    routes.ollamaEmbed,
    routes.ollamaEmbeddings,
  ];
  for (const route of calls) http.bind(route, async ({ body }, call) => await perform(endpoints[route.path], body, call));
  for (const route of [routes.ollamaShow, routes.ollamaPull])
    http.bind(route, async ({ body }, call) => await look("POST", route.path, body, call));
  for (const route of [routes.listGatewayModels, routes.ollamaTags, routes.ollamaProcesses, routes.ollamaVersion])
    http.bind(route, async (_input, call) => await look("GET", route.path, undefined, call));
  http.bind(
    routes.getGatewayModel,
    async ({ params }, call) => await look("GET", `/v1/models/${encodeURIComponent(params.model)}`, undefined, call),
  );
}

function callerOf({ userId, role, run, keyId }: Actor): Caller {
  const { id: runId = null, sandboxId = null, programId = null, modelIds = null } = run ?? {};
  return { userId, role, runId, sandboxId, programId, modelIds, keyId: keyId ?? null };
}

function toHttp({ status, headers, body }: GatewayAnswer): Answer {
  return answer(status, body instanceof Readable ? body : Buffer.from(body), headers);
}
