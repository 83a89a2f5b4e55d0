import { serverKeysRotateCommand } from "../commands/server-keys-rotate.ts";
import { serverLogsCommand } from "../commands/server-logs.ts";
import { storageMoveCommand } from "../commands/server-storage-move.ts";
import {
  storageCheckCommand,
  storageCollectCommand,
  storageCoolCommand,
  storageCopyCommand,
  storageMeasureCommand,
  storageRecallCommand,
  storageRepairCommand,
  storageStatusCommand,
  storageStopCommand,
} from "../commands/server-storage.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla server` */
export const serverNoun = defineNoun("server", "the server of this machine", [
  serverLogsCommand,
  defineNoun("storage", "stored content", [
    storageStatusCommand,
    storageCheckCommand,
    storageRepairCommand,
    storageCollectCommand,
    storageMeasureCommand,
    storageCopyCommand,
    storageCoolCommand,
    storageRecallCommand,
    storageStopCommand,
    storageMoveCommand,
  ]),
  defineNoun("keys", "the keys that seal credentials", [serverKeysRotateCommand]),
]);
