import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Schedule } from "@syla/sdk";
import { type FormEvent, type ReactNode, useState } from "react";
import { joinWords, splitWords } from "../programs/run-words.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { SaveProblem } from "../ui/save-problem.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { NextTimes } from "./next-times.tsx";
import { usePreview, useRunnablePrograms, useSaveSchedule } from "./queries.ts";

const ownTimeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const overlaps: Readonly<Record<Schedule["overlap"], string>> = {
  skip: "leave the time out",
  queue: "wait for its end",
  cancel_previous: "cancel it",
};
const misses: Readonly<Record<Schedule["missed"], string>> = {
  skip: "leave missed times out",
  once: "make up for them once",
  all: "make up for each, 24 at most",
};

interface ScheduleDialogProps {
  /** Null: a new one. */
  readonly schedule: Schedule | null;
  readonly onClose: () => void;
}

/** What runs, when, and what becomes of times that do not fit. */
export function ScheduleDialog({ schedule: given, onClose }: ScheduleDialogProps) {
  // As it was when the dialog was opened: what somebody else changes meanwhile is told, not overwritten.
  const [schedule] = useState(given);
  const save = useSaveSchedule(schedule);
  const programs = useRunnablePrograms();
  const [name, setName] = useState(schedule?.name ?? "");
  const [programId, setProgramId] = useState(schedule?.program.id ?? "");
  const [cron, setCron] = useState(schedule?.cron ?? "0 6 * * *");
  const [timeZone, setTimeZone] = useState(schedule?.timeZone ?? ownTimeZone);
  const [args, setArgs] = useState(joinWords(schedule?.run.args ?? []));
  const [overlap, setOverlap] = useState(schedule?.overlap ?? "skip");
  const [missed, setMissed] = useState(schedule?.missed ?? "skip");
  const [isTried, setIsTried] = useState(false);
  const words = splitWords(args);
  const preview = usePreview(cron, timeZone);
  const chosen = programId === "" ? (programs.data?.[0]?.id ?? "") : programId;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setIsTried(true);
    if (words === null) return;
    const { args: _args, ...rest } = schedule?.run ?? {};
    const run = { ...rest, ...(words.length > 0 && { args: words }) };
    save.mutate({ name, programId: chosen, cron, timeZone, overlap, missed, run }, { onSuccess: onClose });
  };
  return (
    <Modal label={schedule === null ? "New schedule" : "Change this schedule"} onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(save.error, "name")}
        />
        {schedule === null ? (
          <Labelled text="Program">
            <SelectField label="Program" width="full" value={chosen} onChoose={setProgramId}>
              {programs.data?.map((program) => (
                <option key={program.id} value={program.id}>
                  {program.name} · {program.owner.name}
                </option>
              ))}
            </SelectField>
          </Labelled>
        ) : null}
        <TextField
          label="Arguments"
          placeholder="the program's own"
          help="As in a shell: quotes keep words together"
          fontFamily="mono"
          value={args}
          onChange={(event) => setArgs(event.currentTarget.value)}
          problem={isTried && words === null ? "A quote is not closed" : fieldProblem(save.error, "run.args")}
        />
        <Flex gap="3" wrap="wrap">
          <Box flex="1 1 160px">
            <TextField
              label="When (cron)"
              required
              fontFamily="mono"
              value={cron}
              onChange={(event) => setCron(event.currentTarget.value)}
              problem={fieldProblem(preview.error ?? save.error, "cron")}
              help="minute, hour, day, month, weekday"
            />
          </Box>
          <Box flex="1 1 160px">
            <TextField
              label="Time zone"
              required
              value={timeZone}
              onChange={(event) => setTimeZone(event.currentTarget.value)}
              problem={fieldProblem(save.error, "timeZone")}
            />
          </Box>
        </Flex>
        {preview.isSuccess ? <NextTimes times={preview.data} timeZone={timeZone} /> : null}
        <Flex gap="3" wrap="wrap">
          <Labelled text="While its last run goes on">
            <SelectField label="While its last run goes on" value={overlap} onChoose={(value) => setOverlap(value as Schedule["overlap"])}>
              {options(overlaps)}
            </SelectField>
          </Labelled>
          <Labelled text="While no server was there">
            <SelectField label="While no server was there" value={missed} onChoose={(value) => setMissed(value as Schedule["missed"])}>
              {options(misses)}
            </SelectField>
          </Labelled>
        </Flex>
        {save.error ? <SaveProblem error={save.error} loaded={schedule ?? {}} /> : null}
        <Flex justify="flex-end">
          <Button type="submit" size="sm" colorPalette="accent" loading={save.isPending} disabled={chosen === ""}>
            Save
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

function Labelled({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  return (
    <Box>
      <Text fontSize="sm" mb="1" aria-hidden>
        {text}
      </Text>
      {children}
    </Box>
  );
}

function options(words: Readonly<Record<string, string>>) {
  return Object.entries(words).map(([value, label]) => (
    <option key={value} value={value}>
      {label}
    </option>
  ));
}
