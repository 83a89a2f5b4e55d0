import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compositionFile } from "@syla/contracts/composition-config";
import { AppError } from "@syla/contracts/errors";
import type { Template } from "@syla/contracts/imports";
import { walkNodes } from "@syla/flow/walk";
import { readDocument, type Beginning } from "./documents.ts";

interface LoadedTemplate {
  readonly shown: Template;
  readonly beginning: Beginning;
}

const needModels = new Set(["slot", "instruct", "model", "ivr"]);

/** The compositions to begin with that come with Syla: each a graph in a file. */
export class CompositionTemplates {
  readonly #folder: string;
  #all: readonly LoadedTemplate[] | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  list(): Template[] {
    return this.#loaded().map(({ shown }) => shown);
  }

  /** @throws AppError `template_unknown` */
  get(id: string): Beginning {
    const found = this.#loaded().find(({ shown }) => shown.id === id);
    if (found !== undefined) return found.beginning;
    throw new AppError("template_unknown", {
      message: `There is no template ${JSON.stringify(id)} of a composition.`,
      details: { known: this.#loaded().map(({ shown }) => shown.id) },
    });
  }

  /** Read when somebody asks for the first time: a server starts without them. */
  #loaded(): readonly LoadedTemplate[] {
    this.#all ??= readdirSync(this.#folder)
      .filter((file) => file.endsWith(".json"))
      .toSorted()
      .map((file) => load(this.#folder, file));
    return this.#all;
  }
}

function load(folder: string, file: string): LoadedTemplate {
  const beginning = readDocument(JSON.parse(readFileSync(join(folder, file), "utf8")));
  const { name: title, description, graph } = beginning;
  const needsModel = [...walkNodes(graph)].some(({ node }) => needModels.has(node.kind));
  const id = `composition-${file.slice(0, -".json".length)}`;
  return {
    shown: { id, type: "composition", title, description, needsModel, readme: null, runtime: "python", files: [compositionFile] },
    beginning,
  };
}
