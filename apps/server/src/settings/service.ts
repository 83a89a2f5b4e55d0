import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { Setting, SettingsInput } from "@syla/contracts/settings";
import { z } from "zod";
import { describeSettings, isLive, parseLive, type Config, type LiveName } from "../config.ts";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { Notifications } from "../platform/notifications.ts";
import { lockChosen, readChosen, saveChosen, settingsChannel } from "./store.ts";

/** What settings are made of. */
export interface SettingsContext {
  readonly config: Config;
  readonly database: Database;
  readonly notifications: Notifications;
  readonly logger: Logger;
}

/** A setting's name, what it was before, and what it is now; null: the default. */
export type SettingChange = Readonly<Record<string, { readonly from: string | null; readonly to: string | null }>>;

type Chosen = { [K in LiveName]?: Config[K] };
const Texts = z.record(z.string(), z.string());

/**
 * The settings that may change while the server runs: the environment over `config.json` over what administrators choose over the default. Each
 * server of a database hears of a change; ask each time, and keep no value.
 */
export class Settings {
  readonly #context: SettingsContext;
  readonly #listeners: (() => void)[] = [];
  #chosen: Chosen = {};
  #end: (() => void) | undefined;
  #reading = Promise.resolve();

  private constructor(context: SettingsContext) {
    this.#context = context;
  }

  static async open(context: SettingsContext): Promise<Settings> {
    const settings = new Settings(context);
    const again = () => void settings.#readAgain();
    settings.#end = await context.notifications.listen(settingsChannel, again, again);
    await settings.#read();
    return settings;
  }

  close(): void {
    this.#end?.();
  }

  /** The value as it is now. */
  get<K extends LiveName>(name: K): Config[K] {
    const chosen = this.#chosen[name];
    return chosen === undefined ? this.#context.config[name] : chosen;
  }

  /** Calls `listener` after each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  list(): Setting[] {
    return describeSettings(this.#context.config, this.#chosen);
  }

  /** Changes all that are named, or none. @throws AppError `invalid_request`, `setting_fixed` */
  async change({ values }: SettingsInput): Promise<SettingChange> {
    const changes = Object.entries(values).map(([name, text]) => [this.#changeable(name), text === "" ? null : text] as const);
    const changed = await this.#context.database.queries.transaction().execute(async (work) => {
      const before = textsOf(await lockChosen(work));
      const after = { ...before };
      for (const [name, text] of changes) {
        if (text === null) delete after[name];
        else after[name] = text;
      }
      this.#check(after, changes);
      await saveChosen(work, after);
      return Object.fromEntries(changes.map(([name]) => [name, { from: before[name] ?? null, to: after[name] ?? null }]));
    });
    await this.#readAgain();
    return changed;
  }

  #changeable(name: string): LiveName {
    if (!isLive(name)) throw invalid([{ path: `values.${name}`, message: "is not a setting that can be changed while the server runs" }]);
    if (this.#context.config.origins[name] !== "default") throw new AppError("setting_fixed", { details: { name } });
    return name;
  }

  /** Refuses what does not mean anything, alone or together. @throws AppError `invalid_request` */
  #check(texts: Readonly<Record<string, string>>, changes: readonly (readonly [LiveName, string | null])[]): void {
    const problems: FieldProblem[] = [];
    for (const [name, text] of changes) {
      if (text === null) continue;
      try {
        parseLive(name, text);
      } catch (error) {
        problems.push({ path: `values.${name}`, message: (error as Error).message });
      }
    }
    if (problems.length > 0) throw invalid(problems);
    const { signUp, signUpDomains, passwordSignIn, identityProviders } = { ...this.#context.config, ...this.#parse(texts) };
    if (signUp === "domain" && signUpDomains.length === 0)
      throw invalid([{ path: "values.signUpDomains", message: "must name a domain when signUp is `domain`" }]);
    if ("passwordSignIn" in texts && !passwordSignIn && identityProviders.length === 0)
      throw invalid([{ path: "values.passwordSignIn", message: "must stay on while there is no identity provider" }]);
  }

  /** What another version has written, and this one cannot read, counts as not chosen. */
  #parse(texts: Readonly<Record<string, string>>): Chosen {
    const chosen: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(texts)) {
      if (!isLive(name) || this.#context.config.origins[name] !== "default") continue;
      try {
        chosen[name] = parseLive(name, text);
      } catch (error) {
        this.#context.logger.warn({ name, reason: (error as Error).message }, "a setting that an administrator chose cannot be read");
      }
    }
    return chosen;
  }

  async #read(): Promise<void> {
    this.#chosen = this.#parse(textsOf(await readChosen(this.#context.database.queries)));
  }

  /** One reading after another, so that the last one is the newest. */
  #readAgain(): Promise<void> {
    return (this.#reading = this.#reading.then(() => this.#readAndTell()));
  }

  async #readAndTell(): Promise<void> {
    try {
      await this.#read();
    } catch (err) {
      return this.#context.logger.warn({ err }, "the settings could not be read");
    }
    for (const listener of this.#listeners) listener();
  }
}

function textsOf(value: unknown): Record<string, string> {
  return Texts.safeParse(value).data ?? {};
}

function invalid(fields: readonly FieldProblem[]): AppError {
  return new AppError("invalid_request", { fields });
}
