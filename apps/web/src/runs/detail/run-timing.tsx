import type { Run } from "@syla/sdk";
import { useFastNow } from "../../ui/clock.ts";
import { TimingBar, type TimingPhase } from "../../ui/timing-bar.tsx";
import { isLive, runMs } from "../run-state.ts";

/** Queue, start and run of one run; it grows while the run is alive. */
export function RunTiming({ run }: { readonly run: Run }) {
  const now = useFastNow(isLive(run));
  return <TimingBar phases={timingPhases(run, now)} />;
}

const startLabels: Readonly<Record<string, string>> = { compiling: "Compiling", building_environment: "Building the environment" };

function timingPhases(run: Run, now: number): readonly TimingPhase[] {
  const { queueMs, startMs, environmentMs, compileMs, compileCached } = run.timings;
  const waited = Math.max(0, now - Date.parse(run.createdAt));
  const queued = run.status === "queued";
  const starting = run.status === "starting";
  return [
    { label: "Queue", ms: queueMs ?? (queued ? waited : null), color: "border.emphasized", live: queued },
    // One that was there took next to nothing.
    ...(environmentMs === null || environmentMs < 5 ? [] : [{ label: "Environment", ms: environmentMs, color: "fg.info", live: false }]),
    ...(compileMs === null
      ? []
      : [{ label: compileCached === true ? "Compiled before" : "Compile", ms: compileMs, color: "fg.info", live: false }]),
    {
      label: startLabels[run.phase ?? ""] ?? "Start",
      ms: startMs ?? (starting ? Math.max(0, waited - (queueMs ?? 0)) : null),
      color: "fg.subtle",
      live: starting,
    },
    { label: "Run", ms: runMs(run, now), color: "accent.solid", live: run.status === "running" },
  ];
}
