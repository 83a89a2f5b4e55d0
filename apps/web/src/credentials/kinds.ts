import type { CredentialKind } from "@syla/sdk";

/** What each kind is for. */
export const kindLabels: Readonly<Record<CredentialKind, string>> = {
  model: "Model provider",
  git: "Git",
  index: "Package index",
  registry: "Image registry",
  program: "Program secret",
};

export const kindNames = Object.keys(kindLabels) as CredentialKind[];

/** Whether a secret of a kind is for one host alone. */
export function hasHost(kind: CredentialKind): boolean {
  return kind === "git" || kind === "index";
}
