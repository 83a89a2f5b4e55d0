import { assetVerbs, defineDeleteAssetsCommand, versionVerbs } from "../commands/asset-verbs.ts";
import { datasetCreateCommand, datasetUpdateCommand } from "../commands/dataset-create.ts";
import { datasetExportCommand } from "../commands/dataset-export.ts";
import { datasetListCommand } from "../commands/dataset-list.ts";
import { datasetRowsCommand } from "../commands/dataset-rows.ts";
import { datasetShowCommand } from "../commands/dataset-show.ts";
import { datasetSplitCommand } from "../commands/dataset-split.ts";
import { defineNoun } from "./define-noun.ts";
import { sharing } from "./sharing.ts";

/** `syla dataset` */
export const datasetNoun = defineNoun("dataset", "rows in versions, for programs to read", [
  datasetListCommand,
  datasetShowCommand,
  datasetCreateCommand,
  datasetUpdateCommand,
  datasetRowsCommand,
  datasetExportCommand,
  datasetSplitCommand,
  ...versionVerbs("dataset"),
  ...assetVerbs("dataset"),
  defineDeleteAssetsCommand("dataset", "delete datasets; they can be restored for 30 days"),
  ...sharing("asset"),
]);
