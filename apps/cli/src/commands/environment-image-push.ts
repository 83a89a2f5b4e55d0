import type { Command } from "commander";
import { makeImage, type MakeImageFlags } from "../programs/make-image.ts";
import { defineServerCommand } from "./command.ts";

export const environmentImagePushCommand: Command = defineServerCommand(
  "push",
  "push the image of an environment to the registry that is set up (administrators)",
)
  .argument("<environment>", "its id, or a program that has it")
  .option("-d, --detach", "do not wait until it is there")
  .action(async (text: string, flags: MakeImageFlags) => await makeImage(text, flags, "push"));
