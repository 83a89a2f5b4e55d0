import { environmentBuildCommand } from "../commands/environment-build.ts";
import { environmentDeleteCommand } from "../commands/environment-delete.ts";
import { environmentImageBuildCommand } from "../commands/environment-image-build.ts";
import { environmentImagePushCommand } from "../commands/environment-image-push.ts";
import { environmentImageShowCommand } from "../commands/environment-image-show.ts";
import { environmentIndexCreateCommand } from "../commands/environment-index-create.ts";
import { environmentIndexDeleteCommand } from "../commands/environment-index-delete.ts";
import { environmentIndexListCommand } from "../commands/environment-index-list.ts";
import { environmentIndexTestCommand } from "../commands/environment-index-test.ts";
import { environmentIndexUpdateCommand } from "../commands/environment-index-update.ts";
import { environmentListCommand } from "../commands/environment-list.ts";
import { environmentLogsCommand } from "../commands/environment-logs.ts";
import { environmentShowCommand } from "../commands/environment-show.ts";
import { environmentWarmCommand } from "../commands/environment-warm.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla environment` */
export const environmentNoun = defineNoun("environment", "the built dependencies of programs", [
  environmentListCommand,
  environmentShowCommand,
  environmentBuildCommand,
  environmentWarmCommand,
  environmentLogsCommand,
  environmentDeleteCommand,
  defineNoun("index", "package indexes beside the server's own", [
    environmentIndexListCommand,
    environmentIndexCreateCommand,
    environmentIndexUpdateCommand,
    environmentIndexTestCommand,
    environmentIndexDeleteCommand,
  ]),
  defineNoun("image", "environments as OCI images, for clusters", [
    environmentImageShowCommand,
    environmentImageBuildCommand,
    environmentImagePushCommand,
  ]),
]);
