import type { ModelConfig } from "@syla/contracts/model-config";
import type { LlmCall, Model } from "@syla/contracts/models";
import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import type { z } from "zod";
import { createAccount, type Person } from "../access/people.ts";

/** The key that the provider takes; nobody but the gateway may ever see it. */
export const providerKey = "sk-planted-provider-key-0123456789";

/** A server, a provider, and somebody who has models there. */
export interface GatewaySetting {
  readonly server: TestServer;
  readonly llm: LlmStandIn;
  readonly ann: Person;
  readonly credentialId: string;
  send(person: Person, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  json<T>(answer: Response | Promise<Response>): Promise<T>;
  /** A model of Ann's at the provider. */
  model(name: string, config?: Partial<z.input<typeof ModelConfig>>): Promise<Model>;
  /** The last call of a model that has ended. */
  lastCall(model: Model): Promise<LlmCall>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openGateway(variables: Record<string, string> = {}): Promise<GatewaySetting> {
  const llm = await startLlm();
  llm.key = providerKey;
  const server = await startTestServer({
    SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}`,
    SYLA_MODEL_CONNECT_SECONDS: "1",
    SYLA_MODEL_FIRST_BYTE_SECONDS: "1",
    SYLA_MODEL_IDLE_SECONDS: "1",
    ...variables,
  });
  const ann = await createAccount(server);
  const json = async <T>(answer: Response | Promise<Response>) => (await (await answer).json()) as T;
  const send: GatewaySetting["send"] = (person, method, path, body, headers = {}) =>
    server.send(method, path, body, { ...person.headers, ...headers });
  const credential = await json<{ id: string }>(
    send(ann, "POST", "/api/v1/credentials", { kind: "model", name: "provider", value: providerKey }),
  );
  return {
    server,
    llm,
    ann,
    credentialId: credential.id,
    send,
    json,
    async model(name, config = {}) {
      const provider = config.provider ?? "openai";
      const path = provider === "ollama" || provider === "azure" || provider === "watsonx" ? "" : "/v1";
      const prices = { input: 1, output: 2 };
      const whole = { provider, modelId: "upstream-1", baseUrl: llm.url + path, credentialId: credential.id, prices, ...config };
      const answer = await send(ann, "POST", "/api/v1/models", { name, config: whole });
      if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
      return await json<Model>(answer);
    },
    async lastCall({ id }) {
      for (;;) {
        const { items } = await json<{ items: LlmCall[] }>(send(ann, "GET", `/api/v1/models/${id}/calls?limit=1`));
        if (items[0] !== undefined && items[0].status !== "running") return items[0];
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await llm[Symbol.asyncDispose]();
    },
  };
}
