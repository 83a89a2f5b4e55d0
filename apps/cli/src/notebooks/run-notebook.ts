import { collectOutputs } from "@syla/contracts/notebook-outputs";
import { languageOf, type Notebook, type NotebookCell, runnableSource } from "@syla/contracts/notebook";
import type { SandboxContextEvent, SandboxHandle } from "@syla/sdk";

/** What came of the cells of a notebook. */
export interface NotebookRun {
  readonly notebook: Notebook;
  /** Of code, those that ran to their end. */
  readonly executed: number;
  /** The first cell that failed, by its place from 1, with what it said; null when none did. */
  readonly failure: { readonly cell: number; readonly name: string; readonly value: string } | null;
}

/** Runs the code of a notebook from the beginning in a new interpreter of a sandbox, up to the first cell that fails. Earlier outputs go. */
export async function runNotebook(
  sandbox: SandboxHandle,
  notebook: Notebook,
  onEvent: (event: SandboxContextEvent) => Promise<void>,
): Promise<NotebookRun> {
  const language = languageOf(notebook) ?? "python";
  const context = await sandbox.contexts.create(language);
  const cells: NotebookCell[] = notebook.cells.map((cell) =>
    cell.kind === "code" ? { ...cell, outputs: [], executionCount: null } : cell,
  );
  let executed = 0;
  let failure: NotebookRun["failure"] = null;
  for (const [place, cell] of cells.entries()) {
    if (failure !== null) break;
    if (cell.kind !== "code" || cell.source.trim() === "") continue;
    const count = executed + 1;
    const collector = collectOutputs(count);
    let [name, value, status] = ["", "", "lost"];
    for await (const event of sandbox.contexts.run(context.id, runnableSource(cell.source, language))) {
      collector.add(event);
      if (event.type === "error") [name, value] = [event.name, event.value];
      if (event.type === "done") status = event.status;
      await onEvent(event);
    }
    cells[place] = { ...cell, outputs: collector.outputs, executionCount: count };
    if (status === "ok") executed = count;
    else failure = { cell: place + 1, name: name === "" ? "KernelEnded" : name, value: name === "" ? "the interpreter has ended" : value };
  }
  return { notebook: { ...notebook, cells }, executed, failure };
}
