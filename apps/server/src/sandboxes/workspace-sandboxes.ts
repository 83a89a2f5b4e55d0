import { AppError } from "@syla/contracts/errors";
import type { NetworkPolicy } from "@syla/contracts/network";
import { SandboxInput, type Sandbox } from "@syla/contracts/sandboxes";
import type { WorkspaceSandbox } from "@syla/contracts/workspace-sandboxes";
import type { Actor } from "../access/actor.ts";
import type { Access } from "../access/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { requireAllowed, requireNetwork, storedFiles, within, type RunPlace } from "../runs/service.ts";
import { FileKeeper } from "./file-keeper.ts";
import type { LongLivedSandboxes, SessionWish } from "./long-lived.ts";
import type { Sandboxes } from "./service.ts";
import * as store from "./store.ts";
import type { SandboxWorkspaces } from "./workspace.ts";

/** What sandboxes in workspaces are made of. */
export interface WorkspaceSandboxesContext {
  readonly access: Pick<Access, "hold">;
  readonly blobs: Blobs;
  readonly database: Database;
  readonly tiers: Pick<Sandboxes, "hasGateway">;
  readonly sandboxes: LongLivedSandboxes;
  readonly workspaces: SandboxWorkspaces;
}

/** Sandboxes in workspaces: the files are those of the workspace, and what is changed goes back there. */
export class WorkspaceSandboxes {
  readonly #context: WorkspaceSandboxesContext;

  constructor(context: WorkspaceSandboxesContext) {
    this.#context = context;
  }

  /** One more, ready to be used. @throws AppError as a run in the workspace, and as any sandbox */
  async create(actor: Actor, input: SandboxInput & { readonly workspaceId: string }): Promise<Sandbox> {
    if (input.programId !== undefined) refuse("programId");
    if (input.files.length > 0) refuse("files");
    const { sandboxes } = this.#context;
    const place = await this.#context.workspaces.place(actor, input);
    const { network, limits } = this.#allowed(actor, place, input);
    const language = input.language ?? "python";
    const { row } = await sandboxes.insert(actor, {
      ...input,
      network,
      limits,
      language,
      program: null,
      onIdle: "pause",
      workspace: factsOf(place),
    });
    return await sandboxes.openNow(row, language, this.#wish(actor, row, place, network, input.env));
  }

  /** One's own in a workspace: one that lives, else the last one. @throws AppError `not_found`, `forbidden` */
  async get(actor: Actor, workspaceId: string): Promise<WorkspaceSandbox> {
    await this.#context.workspaces.requireRun(actor, workspaceId);
    const row = await store.findWorkspaceSandbox(this.#context.database.queries, actor.userId, workspaceId);
    return { workspaceId, sandbox: row === undefined ? null : this.#context.sandboxes.present(row) };
  }

  /** The one that lives, or a new one, which starts beside the caller. @throws AppError as a run in the workspace, `sandbox_limit` */
  async start(
    actor: Actor,
    workspaceId: string,
    wish: { readonly language: string },
  ): Promise<{ readonly isNew: boolean; readonly document: WorkspaceSandbox }> {
    const { sandboxes, workspaces } = this.#context;
    const before = await this.get(actor, workspaceId);
    if (before.sandbox?.endedAt === null) return { isNew: false, document: before };
    const place = await workspaces.place(actor, { workspaceId });
    const { network, limits } = this.#allowed(actor, place, { limits: {} });
    const { idleTimeoutMs, hardEndMs } = SandboxInput.parse({});
    const isEphemeral = (await workspaces.kindOf(workspaceId)) === "ephemeral";
    const { row, isNew } = await sandboxes.insert(actor, {
      name: place.workspace.name,
      language: wish.language,
      limits,
      network,
      idleTimeoutMs,
      hardEndMs,
      program: null,
      workspace: factsOf(place),
      isOnlyOne: true,
      onIdle: isEphemeral ? "end" : "pause",
    });
    if (isNew) sandboxes.startBeside(row, wish.language, () => Promise.resolve(this.#wish(actor, row, place, network, {})));
    return { isNew, document: { workspaceId, sandbox: sandboxes.present(row) } };
  }

  /** What it may use and reach, of what is asked for. */
  #allowed(actor: Actor, place: RunPlace, { network, limits }: Pick<SandboxInput, "network" | "limits">) {
    if (network !== undefined) requireAllowed(place, network);
    const policy = network ?? place.network;
    requireNetwork(actor, policy, this.#context.tiers, 0);
    return { network: policy, limits: within(place.profile, limits) };
  }

  #wish(actor: Actor, row: store.SandboxRow, place: RunPlace, network: NetworkPolicy, env: SessionWish["env"]): SessionWish {
    const { access, blobs, sandboxes, workspaces } = this.#context;
    const { id: workspaceId, revision } = place.workspace;
    // It is the person's, whatever they sign in with next; it ends when they may not run in the workspace any more, or nobody may.
    const { userId, role, keyId = null } = actor;
    const find = () => workspaces.findOpen(workspaceId);
    const thing = { type: "workspace" as const, id: workspaceId, ownerId: "", visibility: "private" as const, name: place.workspace.name };
    const hold = access.hold({ userId, role, via: "local" }, "workspace:run", thing, find);
    hold.signal.addEventListener("abort", () => sandboxes.endBeside(row.id, "access_ended"), { once: true });
    return {
      parts: null,
      env,
      files: storedFiles(blobs, [...place.entries]),
      network,
      confidential: [],
      gatewayToken: null,
      keep: (session) =>
        new FileKeeper({
          session,
          sandboxId: row.id,
          ownerId: userId,
          keyId,
          workspace: factsOf(place),
          entries: place.entries,
          revision,
          blobs,
          workspaces,
        }),
      release: hold.release,
    };
  }
}

function factsOf({ workspace: { id, name, writeBack } }: RunPlace) {
  return { id, name, writeBack };
}

function refuse(path: string): never {
  throw new AppError("invalid_request", { fields: [{ path, message: "does not go together with a workspace" }] });
}
