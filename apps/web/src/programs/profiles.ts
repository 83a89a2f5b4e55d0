import type { ProgramRunInputDraft } from "@syla/sdk";

export type Profile = NonNullable<ProgramRunInputDraft["profile"]>;

/** The sizes that a program and its runs may have. */
export const profiles: readonly { readonly value: Profile; readonly label: string }[] = [
  { value: "small", label: "small: ½ core, 512 MiB, 5 minutes" },
  { value: "medium", label: "medium: 1 core, 2 GiB, 30 minutes" },
  { value: "large", label: "large: 2 cores, 4 GiB, 1 hour" },
];
