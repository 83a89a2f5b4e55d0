import { sandboxChmodCommand } from "../commands/sandbox-chmod.ts";
import { sandboxCreateCommand } from "../commands/sandbox-create.ts";
import { sandboxDeleteCommand } from "../commands/sandbox-delete.ts";
import { sandboxExecCommand } from "../commands/sandbox-exec.ts";
import { sandboxForwardCommand } from "../commands/sandbox-forward.ts";
import { sandboxGetCommand } from "../commands/sandbox-get.ts";
import { sandboxListCommand } from "../commands/sandbox-list.ts";
import { sandboxLsCommand } from "../commands/sandbox-ls.ts";
import { sandboxMkdirCommand } from "../commands/sandbox-mkdir.ts";
import { sandboxMvCommand } from "../commands/sandbox-mv.ts";
import { sandboxPauseCommand } from "../commands/sandbox-pause.ts";
import { sandboxPutCommand } from "../commands/sandbox-put.ts";
import { sandboxResumeCommand } from "../commands/sandbox-resume.ts";
import { sandboxRmCommand } from "../commands/sandbox-rm.ts";
import { sandboxRunCommand } from "../commands/sandbox-run.ts";
import { sandboxShellCommand } from "../commands/sandbox-shell.ts";
import { sandboxShowCommand } from "../commands/sandbox-show.ts";
import { sandboxWatchCommand } from "../commands/sandbox-watch.ts";
import { defineNoun } from "./define-noun.ts";
import { sharing } from "./sharing.ts";

/** `syla sandbox` */
export const sandboxNoun = defineNoun("sandbox", "long-lived sandboxes", [
  sandboxCreateCommand,
  sandboxListCommand,
  sandboxShowCommand,
  sandboxExecCommand,
  sandboxShellCommand,
  sandboxRunCommand,
  sandboxForwardCommand,
  sandboxPutCommand,
  sandboxGetCommand,
  sandboxLsCommand,
  sandboxWatchCommand,
  sandboxMkdirCommand,
  sandboxMvCommand,
  sandboxRmCommand,
  sandboxChmodCommand,
  sandboxPauseCommand,
  sandboxResumeCommand,
  sandboxDeleteCommand,
  ...sharing("sandbox"),
]);
