import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { NotificationPreferences } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { useChangePreferences } from "./queries.ts";

const browserZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = Intl.supportedValuesOf("timeZone");

/** When e-mails and webhooks wait, by which clock. */
export function QuietHoursSection({ preferences }: { readonly preferences: NotificationPreferences }) {
  const change = useChangePreferences();
  const [from, setFrom] = useState(preferences.quietHours?.from ?? "22:00");
  const [to, setTo] = useState(preferences.quietHours?.to ?? "07:00");
  // Who has never said where they are is where their browser is.
  const isUnset = preferences.quietHours === null && preferences.timeZone === "UTC";
  const [timeZone, setTimeZone] = useState(isUnset ? browserZone : preferences.timeZone);
  const save = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ quietHours: { from, to }, timeZone });
  };
  return (
    <Section heading="Quiet hours" note="E-mails and webhooks wait until they are over.">
      <Flex as="form" onSubmit={save} gap="3" p="4" align="flex-end" wrap="wrap">
        <Box w="36">
          <TextField label="From" type="time" required value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        </Box>
        <Box w="36">
          <TextField label="To" type="time" required value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        </Box>
        <Box flex="1 1 160px">
          <TextField
            label="Time zone"
            list="time-zones"
            required
            value={timeZone}
            onChange={(event) => setTimeZone(event.currentTarget.value)}
            problem={fieldProblem(change.error, "timeZone")}
          />
          <datalist id="time-zones">
            {zones.map((zone) => (
              <option key={zone} value={zone}>
                {zone}
              </option>
            ))}
          </datalist>
        </Box>
        <Button type="submit" size="sm" variant="outline" loading={change.isPending}>
          {preferences.quietHours === null ? "Turn on" : "Save"}
        </Button>
        {preferences.quietHours === null ? null : (
          <Button size="sm" variant="ghost" onClick={() => change.mutate({ quietHours: null })}>
            Turn off
          </Button>
        )}
      </Flex>
      <Text px="4" pb="3" fontSize="xs" color="fg.muted" role="status">
        {preferences.quietHours === null
          ? "They are off."
          : `Quiet from ${preferences.quietHours.from} to ${preferences.quietHours.to}, ${preferences.timeZone}.`}
      </Text>
      {change.error ? <ErrorPanel error={change.error} /> : null}
    </Section>
  );
}
