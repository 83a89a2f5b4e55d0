import { collectOutputs } from "@syla/contracts/notebook-outputs";
import { runnableSource, type NotebookCell, type NotebookLanguage } from "@syla/contracts/notebook";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { describeError } from "../ui/describe-error.ts";
import { fetchFiles, findKernel, isGone, type Kernel, openKernel, runInKernel, steerKernel } from "./kernel.ts";
import { keepRan, nothingRan, type RanCells, readRan } from "./ran-cells.ts";

/** So often outputs are drawn while a cell prints, milliseconds. */
const drawMs = 100;

const interruptMs = 700;
const interruptTries = 5;

/** `none`: none was started yet; `lost`: it has ended by itself, with its variables. */
export type KernelState = "none" | "starting" | "idle" | "busy" | "lost";

/** A cell as it runs. */
interface Turn {
  isStopped: boolean;
  /** Something has come of it. */
  isHeard: boolean;
}

interface KernelOptions {
  readonly workspaceId: string;
  readonly path: string;
  /** Of the workspace, as it is now. */
  readonly revision: number;
  /** Null: its code is in no language that is run here. */
  readonly language: NotebookLanguage | null;
  /** A cell as it is now; undefined when it has gone. */
  readonly cellOf: (id: string) => NotebookCell | undefined;
  /** What a cell has printed and shown so far. `isLast`: nothing more comes. */
  readonly onOutputs: (id: string, outputs: NotebookCell["outputs"], count: number | null, isLast: boolean) => void;
  /** Nothing runs or waits any more. */
  readonly onSettled: () => void;
}

/** The kernel of a notebook: runs cells one after another, and stops at the first that fails. */
export function useKernel(options: KernelOptions) {
  const { workspaceId, path, language } = options;
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const client = useQueryClient();
  const [state, setState] = useState<KernelState>("none");
  const [problem, setProblem] = useState<string | null>(null);
  const [running, setRunning] = useState<string | null>(null);
  const [waiting, setWaiting] = useState<readonly string[]>([]);
  const [ran, setRan] = useState<RanCells>(nothingRan);
  const kernel = useRef<Kernel | null>(null);
  const known = useRef<RanCells>(nothingRan);
  const queue = useRef<string[]>([]);
  const atWork = useRef(false);
  /** The run that goes on: whether it is to stop, and whether anything was heard of it. */
  const current = useRef<Turn>({ isStopped: false, isHeard: false });
  /** The revision whose files the sandbox has; null when that is not known. */
  const fetched = useRef<number | null>(null);

  const note = (next: RanCells) => {
    known.current = next;
    setRan(next);
    if (kernel.current !== null) keepRan(kernel.current.contextId, next);
  };
  useEffect(() => {
    if (language === null) return;
    const find = async () => {
      const found = await findKernel(workspaceId, path, language);
      if (found === null || kernel.current !== null) return;
      kernel.current = found;
      known.current = readRan(found.contextId);
      setRan(known.current);
      setState("idle");
    };
    find().catch(() => undefined); // nobody has asked for it yet
  }, [workspaceId, path, language]);

  const open = async (): Promise<Kernel> => {
    if (kernel.current !== null) return kernel.current;
    if (language === null) throw new Error("Only Python and JavaScript are run here.");
    setState("starting");
    const opened = await openKernel(workspaceId, path, language);
    kernel.current = opened;
    fetched.current = null;
    note(opened.isNew ? nothingRan : readRan(opened.contextId));
    void client.invalidateQueries({ queryKey: ["workspace", workspaceId, "sandbox"] });
    return opened;
  };
  const lose = (why: string) => {
    kernel.current = null;
    queue.current = [];
    known.current = nothingRan;
    setRan(nothingRan);
    setState("lost");
    setProblem(why);
  };
  /** Whether the next cell may run. */
  const runCell = async (id: string): Promise<boolean> => {
    const cell = latest.current.cellOf(id);
    if (cell === undefined || cell.kind !== "code") return true;
    if (cell.source.trim() === "") {
      latest.current.onOutputs(id, [], null, true);
      return true;
    }
    const turn: Turn = { isStopped: false, isHeard: false };
    current.current = turn;
    const opened = await open();
    setState("busy");
    if (fetched.current !== latest.current.revision) fetched.current = (await fetchFiles(opened)) ?? latest.current.revision;
    if (turn.isStopped) return false;
    const count = known.current.count + 1;
    const collector = collectOutputs(count);
    const { source } = cell;
    latest.current.onOutputs(id, [], null, false);
    let status = "lost";
    let timer: number | undefined;
    const draw = () => {
      timer = undefined;
      latest.current.onOutputs(id, collector.outputs, null, false);
    };
    try {
      for await (const event of runInKernel(opened, runnableSource(source, language ?? "python"))) {
        turn.isHeard = true;
        if (event.type === "done") status = event.status;
        collector.add(event);
        timer ??= window.setTimeout(draw, drawMs);
      }
    } finally {
      clearTimeout(timer);
    }
    latest.current.onOutputs(id, collector.outputs, count, true);
    if (status === "lost") {
      lose(
        "The kernel has ended while this ran: it may have used more memory than it has. Its variables are gone; the next run starts another one.",
      );
      return false;
    }
    note({ ran: new Map([...known.current.ran, [id, source]]), count });
    return status === "ok";
  };
  const work = async () => {
    if (atWork.current) return;
    atWork.current = true;
    setProblem(null);
    try {
      for (let id = queue.current.shift(); id !== undefined; id = queue.current.shift()) {
        setWaiting([...queue.current]);
        setRunning(id);
        if (!(await runCell(id))) queue.current = [];
      }
      if (kernel.current !== null) setState("idle");
    } catch (error) {
      queue.current = [];
      const { message } = describeError(error);
      if (isGone(error)) lose(`The kernel has ended: ${message} Its variables are gone; the next run starts another one.`);
      else {
        setState(kernel.current === null ? "none" : "idle");
        setProblem(message);
      }
    } finally {
      atWork.current = false;
      setRunning(null);
      setWaiting([]);
      latest.current.onSettled();
    }
  };
  const run = (ids: readonly string[]) => {
    const more = ids.filter((id) => !queue.current.includes(id));
    queue.current.push(...more);
    setWaiting([...queue.current]);
    void work();
  };
  const interrupt = async () => {
    queue.current = [];
    setWaiting([]);
    const turn = current.current;
    turn.isStopped = true;
    // What has not reached the interpreter is not interrupted there: it is told again until something is heard.
    for (let left = interruptTries; left > 0 && atWork.current && current.current === turn; left -= 1) {
      if (kernel.current !== null) await steerKernel(kernel.current, "interrupt");
      if (turn.isHeard) return;
      await new Promise((resolve) => setTimeout(resolve, interruptMs));
    }
  };
  /** Begins again without variables. */
  const restart = async () => {
    queue.current = [];
    setWaiting([]);
    setProblem(null);
    if (kernel.current === null) await open();
    else {
      try {
        await steerKernel(kernel.current, "restart");
      } catch (error) {
        if (!isGone(error)) throw error;
        kernel.current = null;
        await open();
      }
    }
    note(nothingRan);
    setState("idle");
  };
  /** The sandbox was seen to have ended. */
  const noteEnd = (sandboxId: string, why: string) => {
    if (kernel.current?.sandboxId === sandboxId && !atWork.current) lose(why);
  };
  return { state, problem, running, waiting, ran, run, interrupt, restart, noteEnd, forgetProblem: () => setProblem(null) };
}
