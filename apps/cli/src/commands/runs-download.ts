import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { writeNewFile } from "../output/new-file.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { downloadArtifacts } from "../runs/download-artifacts.ts";
import { parseDuration } from "../runs/parse-flags.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface DownloadFlags extends CommonFlags {
  readonly outputDir?: string;
  readonly zip?: string | true;
}

export const runsDownloadCommand: Command = defineServerCommand("download", "save what a run left in /output")
  .argument("<run>", "its id")
  .argument("[paths...]", "only these; everything when left out")
  .option("-o, --output-dir <folder>", "where to; a folder of the run's id when left out")
  .option("-z, --zip [file]", "everything as a zip archive, into a new file")
  .action(async (id: string, paths: string[], { outputDir, zip, json, profile }: DownloadFlags) => {
    if (zip !== undefined && (paths.length > 0 || outputDir !== undefined))
      throw usageError("An archive holds everything, and is a file.", "Leave out the paths and --output-dir, or --zip.");
    const { syla } = await connect({ env: process.env, profile });
    if (zip === undefined) {
      const folder = outputDir ?? id;
      const files = await downloadArtifacts(syla, id, folder, new AbortController().signal, paths);
      if (json === true) printJson({ id, folder, files });
      else note(`${files} ${files === 1 ? "file" : "files"} saved in ${folder}`);
      return;
    }
    const file = zip === true ? `${id}.zip` : zip;
    const { body } = await syla.runs.downloadArtifacts(id);
    await writeNewFile(file, body, { hint: "Name another: --zip FILE." });
    if (json === true) printJson({ id, file });
    else note(`saved as ${file}`);
  });

interface LinkFlags extends CommonFlags {
  readonly expires: string;
  readonly revoke?: boolean;
}

export const runsLinkCommand: Command = defineServerCommand("link", "make a link with which anybody can download what a run left")
  .argument("<run>", "its id")
  .argument("[path]", "only this; an archive of everything when left out")
  .option("--expires <duration>", "for so long from now, at most 7d", "1h")
  .option("--revoke", "make the links of the run that were made so far worth nothing")
  .action(async (id: string, path: string | undefined, { expires, revoke, json, profile }: LinkFlags) => {
    const { syla } = await connect({ env: process.env, profile });
    if (revoke === true) {
      if (path !== undefined) throw usageError("Links are revoked all at once.", "Leave out the path.");
      return await syla.runs.revokeArtifactLinks(id);
    }
    const artifact = path === undefined ? undefined : (await syla.runs.artifacts(id)).find((found) => found.path === path);
    if (path !== undefined && artifact === undefined)
      throw new CliError(`The run has left no "${path}".`, {
        code: "no_input",
        exit: "no_input",
        hint: `\`syla runs show ${id}\` lists what it left.`,
      });
    const expiresInSeconds = Math.round(parseDuration(expires) / 1000);
    const link = await syla.runs.createArtifactLink(id, { expiresInSeconds, ...(artifact !== undefined && { artifactId: artifact.id }) });
    if (json === true) printJson(link);
    else printLine(link.url);
  });
