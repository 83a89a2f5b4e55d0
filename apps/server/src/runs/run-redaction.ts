import type { NetworkConnection } from "@syla/contracts/network";
import type { Secret } from "../platform/secret.ts";
import { createRedactor, redactText, secretForms, type Redactor, type SecretForms } from "./secret-redactor.ts";

const nothing = Buffer.alloc(0);

/** Takes what a run was given in confidence out of everything that the run says. Without a secret it passes things on as they are. */
export class RunRedaction {
  #secrets: Secret[] = [];
  #made: SecretForms | null = null;
  #streams: Record<"stdout" | "stderr", Redactor> | null = null;
  #artifact: Redactor | null = null;

  /** To be called before the run says anything. */
  add(secrets: readonly Secret[]): void {
    if (secrets.length === 0) return;
    this.#secrets = [...this.#secrets, ...secrets];
    this.#made = null;
    this.#streams = null;
  }

  /** They are made once, when the first of them is needed: secrets come from several sides. */
  get #forms(): SecretForms | null {
    if (this.#secrets.length === 0) return null;
    return (this.#made ??= secretForms(this.#secrets));
  }

  output(stream: "stdout" | "stderr", data: Buffer): Buffer {
    const forms = this.#forms;
    if (forms === null) return data;
    this.#streams ??= { stdout: createRedactor(forms), stderr: createRedactor(forms) };
    return this.#streams[stream].push(data);
  }

  /** What was held back of the output. */
  endOutput(stream: "stdout" | "stderr"): Buffer {
    return this.#streams?.[stream].end() ?? nothing;
  }

  /** The next artifact begins; its path as it may be shown. */
  beginArtifact(path: string): string {
    const forms = this.#forms;
    this.#artifact = forms === null ? null : createRedactor(forms);
    return this.text(path);
  }

  artifact(data: Buffer): Buffer {
    return this.#artifact?.push(data) ?? data;
  }

  /** What was held back of the artifact. */
  endArtifact(): Buffer {
    const rest = this.#artifact?.end() ?? nothing;
    this.#artifact = null;
    return rest;
  }

  text(text: string): string {
    const forms = this.#forms;
    return forms === null ? text : redactText(text, forms);
  }

  /** The names of hosts are the program's words too. */
  connections(connections: NetworkConnection[]): NetworkConnection[] {
    return this.#secrets.length === 0 ? connections : connections.map((made) => this.#connection(made));
  }

  #connection(made: NetworkConnection): NetworkConnection {
    return { ...made, host: this.text(made.host), reason: made.reason === null ? null : this.text(made.reason) };
  }
}
