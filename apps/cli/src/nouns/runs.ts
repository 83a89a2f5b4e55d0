import { runsCompareCommand } from "../commands/runs-compare.ts";
import { runsDownloadCommand, runsLinkCommand } from "../commands/runs-download.ts";
import { runsListCommand } from "../commands/runs-list.ts";
import { defineRunsManyCommand } from "../commands/runs-many.ts";
import { defineRunsPinCommand } from "../commands/runs-pin.ts";
import { runsRequeueCommand } from "../commands/runs-requeue.ts";
import { runsRerunCommand } from "../commands/runs-rerun.ts";
import { runsShowCommand } from "../commands/runs-show.ts";
import { runsSummaryCommand } from "../commands/runs-summary.ts";
import { runsTraceCommand } from "../commands/runs-trace.ts";
import { runsWaitCommand } from "../commands/runs-wait.ts";
import { defineNoun } from "./define-noun.ts";
import { sharing } from "./sharing.ts";

/** `syla runs` */
export const runsNoun = defineNoun("runs", "what was run", [
  runsListCommand,
  runsSummaryCommand,
  runsShowCommand,
  runsWaitCommand,
  runsTraceCommand,
  runsDownloadCommand,
  runsLinkCommand,
  runsRerunCommand,
  runsCompareCommand,
  defineRunsManyCommand("cancel"),
  defineRunsManyCommand("retry"),
  defineRunsManyCommand("delete"),
  defineRunsPinCommand(true),
  defineRunsPinCommand(false),
  runsRequeueCommand,
  ...sharing("run"),
]);
