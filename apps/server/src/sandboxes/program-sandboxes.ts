import type { ProgramSandbox } from "@syla/contracts/environments";
import { maxHardEndMs } from "@syla/contracts/sandboxes/fields";
import { SandboxInput } from "@syla/contracts/sandboxes";
import type { Actor } from "../access/actor.ts";
import type { Access, Hold } from "../access/service.ts";
import type { ModelAccess, SandboxAccess } from "../gateway/run-access.ts";
import type { Database } from "../platform/database.ts";
import type { LongLivedSandboxes, SessionWish } from "./long-lived.ts";
import { ProgramFacts, type OpenSecrets, type ProgramForUse, type ProgramSource, type UseWish } from "./program.ts";
import * as store from "./store.ts";

/** What interactive environments are made of. */
export interface ProgramSandboxesContext {
  readonly access: Pick<Access, "hold">;
  readonly database: Database;
  readonly programs: Pick<ProgramSource, "forUse" | "isCurrent">;
  readonly sandboxes: LongLivedSandboxes;
  readonly openSecrets: OpenSecrets;
  readonly modelAccess: Pick<ModelAccess, "openForSandbox">;
}

/** What somebody wants to work on. */
export interface ProgramWish extends UseWish {
  /** The one that lives, to be ended first. */
  readonly replaces?: string | undefined;
}

/** Interactive environments of programs: a sandbox of each person and program, with what a run of theirs would get. */
export class ProgramSandboxes {
  readonly #context: ProgramSandboxesContext;

  constructor(context: ProgramSandboxesContext) {
    this.#context = context;
  }

  async get(actor: Actor, programId: string, version: string | undefined): Promise<ProgramSandbox> {
    return await this.#present(actor, programId, version, await this.#find(actor, programId));
  }

  /** The one that lives, or a new one, which starts beside the caller. @throws AppError as a run of the program, `sandbox_limit`, `sandbox_elsewhere` */
  async start(actor: Actor, programId: string, wish: ProgramWish): Promise<{ readonly isNew: boolean; readonly document: ProgramSandbox }> {
    const { programs, sandboxes } = this.#context;
    const before = await this.#find(actor, programId);
    if (before?.ended_at === null && before.id !== wish.replaces)
      return { isNew: false, document: await this.#present(actor, programId, wish.version, before) };
    const program = await programs.forUse(actor, programId, wish);
    if (before?.ended_at === null) await sandboxes.delete(actor, before.id);
    const { idleTimeoutMs, hardEndMs } = SandboxInput.parse({});
    const { facts, language, leastTier, limits, network } = program;
    const { row, isNew } = await sandboxes.insert(actor, {
      name: facts.name,
      language,
      leastTier,
      limits,
      network,
      idleTimeoutMs,
      hardEndMs,
      program: facts,
      onIdle: "end",
    });
    if (!isNew) return { isNew, document: await this.#present(actor, programId, wish.version, row) };
    this.#begin(actor, row, program);
    return { isNew, document: { programId, sandbox: sandboxes.present(row), isCurrent: true } };
  }

  #begin(actor: Actor, row: store.SandboxRow, program: ProgramForUse): void {
    const { access, sandboxes } = this.#context;
    // It is the person's, whatever they sign in with next; it ends when they may not use the program any more as they may now.
    const { userId, role } = actor;
    const hold = access.hold({ userId, role, via: "local" }, program.action, program.thing, program.find);
    hold.signal.addEventListener("abort", () => sandboxes.endBeside(row.id, "access_ended"), { once: true });
    sandboxes.startBeside(row, program.language, async (start) => {
      const onWait = () => void (start.phase = "building_environment");
      const wish = await this.#prepare(actor, row, program, hold, start.signal, onWait);
      start.phase = null;
      return wish;
    });
  }

  async #prepare(
    { userId, keyId }: Actor,
    row: store.SandboxRow,
    program: ProgramForUse,
    hold: Hold,
    signal: AbortSignal,
    onWait: () => void,
  ): Promise<SessionWish> {
    const { openSecrets, modelAccess } = this.#context;
    const { models: modelIds, thing, facts, network } = program;
    const releases: (() => unknown)[] = [hold.release];
    const release = () => void Promise.all(releases.map((free) => free())).catch(() => {});
    try {
      const parts = await program.prepare(signal, onWait);
      releases.push(parts.release);
      const secrets = await openSecrets(thing.ownerId, program.secrets);
      let access: SandboxAccess | null = null;
      if (modelIds.length > 0) {
        const caller = { userId, programId: facts.id, keyId: keyId ?? null, modelIds, wallMs: maxHardEndMs };
        access = await modelAccess.openForSandbox({ sandboxId: row.id, ...caller });
        releases.push(access.close);
      }
      const variables = Object.fromEntries(secrets.map(({ variable, value }) => [variable, value.reveal()]));
      return {
        parts,
        env: { ...program.variables, ...access?.env, ...variables },
        files: parts.files,
        network,
        confidential: [...secrets.map(({ value }) => value), ...(access === null ? [] : [access.confidential])],
        gatewayToken: access?.token ?? null,
        release,
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #find(actor: Actor, programId: string): Promise<store.SandboxRow | undefined> {
    if (programId.includes("\0")) return undefined;
    return await store.findProgramSandbox(this.#context.database.queries, actor.userId, programId);
  }

  /** @throws AppError `not_found`, `forbidden` */
  async #present(actor: Actor, programId: string, version: string | undefined, row: store.SandboxRow | undefined): Promise<ProgramSandbox> {
    const made = row?.ended_at === null ? ProgramFacts.parse(row.program) : null;
    const isCurrent = await this.#context.programs.isCurrent(actor, programId, version, made);
    return { programId, sandbox: row === undefined ? null : this.#context.sandboxes.present(row), isCurrent };
  }
}
