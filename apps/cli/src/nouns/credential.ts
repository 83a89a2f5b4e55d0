import { credentialCreateCommand } from "../commands/credential-create.ts";
import { credentialDeleteCommand } from "../commands/credential-delete.ts";
import { credentialListCommand } from "../commands/credential-list.ts";
import { credentialReplaceCommand } from "../commands/credential-replace.ts";
import { credentialShowCommand } from "../commands/credential-show.ts";
import { credentialRenameCommand, credentialUpdateCommand } from "../commands/credential-update.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla credential` */
export const credentialNoun = defineNoun("credential", "secrets that are used and never shown", [
  credentialListCommand,
  credentialShowCommand,
  credentialCreateCommand,
  credentialReplaceCommand,
  credentialRenameCommand,
  credentialUpdateCommand,
  credentialDeleteCommand,
]);
