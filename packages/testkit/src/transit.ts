import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** How the stand-in misbehaves. */
export interface TransitMisbehaviour {
  /** Answers with this status: 503 is a service that is sealed, 403 a policy that forbids it. */
  readonly status?: number;
  /** Only paths that contain this. */
  readonly only?: string;
  /** Answers nothing. */
  readonly stall?: boolean;
  /** Answers with something else than was asked for: another key when it opens, what nobody can open when it seals, no JSON. */
  readonly lie?: "decrypt" | "encrypt" | "rewrap" | "json" | "endless";
  readonly redirectTo?: string;
}

/** A key management service of the test's own on loopback, with the HTTP interface of the transit engine of HashiCorp Vault and OpenBao. */
export interface TransitStandIn extends AsyncDisposable {
  readonly url: string;
  /** Gets in. */
  readonly token: string;
  readonly role: { readonly roleId: string; readonly secretId: string };
  /** What was asked for, as `encrypt/syla`, oldest first. */
  readonly asked: string[];
  behave(misbehaviour: TransitMisbehaviour): void;
  /** Ends the tokens that roles have got. */
  revokeTokens(): void;
  /** Forgets the versions of a key below one, as its operators can. */
  dropVersionsBelow(version: number): void;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

const nonceBytes = 12;
const tagBytes = 16;
const refused = (status: number, ...errors: string[]): Answer => ({ status, body: { errors } });

/** Starts it with the key `syla` in the engine `transit`. */
export async function startTransit(): Promise<TransitStandIn> {
  const token = `hvs.${randomBytes(18).toString("base64url")}`;
  const role = { roleId: "syla", secretId: randomBytes(18).toString("base64url") };
  const got = new Set<string>();
  const versions = new Map([[1, randomBytes(32)]]);
  const asked: string[] = [];
  let misbehaviour: TransitMisbehaviour = {};

  const seal = (plaintext: string): string => {
    const version = Math.max(...versions.keys());
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", versions.get(version) ?? randomBytes(32), nonce);
    const sealed = Buffer.concat([nonce, cipher.update(Buffer.from(plaintext, "base64")), cipher.final()]);
    return `vault:v${version}:${Buffer.concat([sealed, cipher.getAuthTag()]).toString("base64")}`;
  };
  const open = (ciphertext: unknown): string | null => {
    const [, number = "", text = ""] = /^vault:v(\d+):(.+)$/.exec(String(ciphertext)) ?? [];
    const key = versions.get(Number(number));
    if (key === undefined) return null;
    const bytes = Buffer.from(text, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("base64");
    } catch {
      return null;
    }
  };
  const unreadable = refused(400, "cipher: message authentication failed");
  const operations: Record<string, (body: Record<string, unknown>) => Answer> = {
    "encrypt/syla": ({ plaintext }) => {
      if (typeof plaintext !== "string") return refused(400, "missing plaintext to encrypt");
      const ciphertext = seal(misbehaviour.lie === "encrypt" ? randomBytes(32).toString("base64") : plaintext);
      return { status: 200, body: { data: { ciphertext, key_version: Math.max(...versions.keys()) } } };
    },
    "decrypt/syla": ({ ciphertext }) => {
      const plaintext = open(ciphertext);
      if (plaintext === null) return unreadable;
      return {
        status: 200,
        body: { data: { plaintext: misbehaviour.lie === "decrypt" ? randomBytes(32).toString("base64") : plaintext } },
      };
    },
    "rewrap/syla": ({ ciphertext }) => {
      const plaintext = open(ciphertext);
      if (plaintext === null) return unreadable;
      return {
        status: 200,
        body: { data: { ciphertext: seal(misbehaviour.lie === "rewrap" ? randomBytes(32).toString("base64") : plaintext) } },
      };
    },
    "keys/syla/rotate": () => {
      versions.set(Math.max(...versions.keys()) + 1, randomBytes(32));
      return { status: 204 };
    },
  };
  const logIn = ({ role_id: roleId, secret_id: secretId }: Record<string, unknown>): Answer => {
    if (roleId !== role.roleId || secretId !== role.secretId) return refused(400, "invalid role or secret ID");
    const made = `hvs.${randomBytes(18).toString("base64url")}`;
    got.add(made);
    return { status: 200, body: { auth: { client_token: made, lease_duration: 3600, renewable: true } } };
  };

  const server = createServer((request, response) => {
    void (async () => {
      const path = (request.url ?? "").replace(/^\/v1\//, "");
      const body = await readBody(request);
      asked.push(path.replace(/^transit\//, ""));
      const { status, stall, lie, redirectTo, only } = misbehaviour;
      const isMeant = only === undefined || path.includes(only);
      if (isMeant && stall === true) return;
      if (isMeant && redirectTo !== undefined) return void response.writeHead(307, { location: redirectTo }).end();
      if (isMeant && lie === "json") return void response.writeHead(200).end("<html>");
      if (isMeant && lie === "endless") {
        response.writeHead(200);
        while (!response.destroyed) await new Promise((resolve) => response.write("x".repeat(16_384), resolve));
        return;
      }
      const sent = String(request.headers["x-vault-token"]);
      const answer =
        isMeant && status !== undefined
          ? refused(status, "the stand-in refuses")
          : path === "auth/approle/login"
            ? logIn(body)
            : sent !== token && !got.has(sent)
              ? refused(403, "permission denied")
              : (operations[path.replace(/^transit\//, "")]?.(body) ?? refused(404));
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    role,
    asked,
    behave: (next) => (misbehaviour = next),
    revokeTokens: () => got.clear(),
    dropVersionsBelow(version) {
      for (const number of versions.keys()) if (number < version) versions.delete(number);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown>;
}
