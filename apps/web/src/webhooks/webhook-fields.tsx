import { chakra, Flex, Grid, Text } from "@chakra-ui/react";
import { chosenEventTypes, webhookEvents, type ChosenEventType } from "@syla/contracts/webhooks";
import { CheckBox } from "../ui/check-box.tsx";
import { TextField } from "../ui/form-field.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { FilterChip } from "../ui/filter-chip.tsx";

const endStatuses = ["succeeded", "failed", "timed_out", "cancelled"] as const;
type EndStatus = (typeof endStatuses)[number];

/** What a webhook is, as it is typed. */
export interface WebhookForm {
  readonly name: string;
  readonly url: string;
  readonly events: readonly ChosenEventType[];
  readonly runStatuses: readonly EndStatus[];
}

export const emptyWebhook: WebhookForm = { name: "", url: "", events: ["run.finished"], runStatuses: [] };

/** In the shape of the API. */
export function toInput({ name, url, events, runStatuses }: WebhookForm) {
  return { name, url, events: [...events], runStatuses: runStatuses.length === 0 ? null : [...runStatuses] };
}

interface WebhookFieldsProps {
  readonly form: WebhookForm;
  readonly onChange: (form: WebhookForm) => void;
  readonly error: unknown;
}

/** Name, address, and what it is told of. */
export function WebhookFields({ form, onChange, error }: WebhookFieldsProps) {
  const toggle = <T,>(list: readonly T[], one: T) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);
  return (
    <>
      <Grid templateColumns={{ base: "1fr", md: "minmax(0, 1fr) minmax(0, 2fr)" }} gap="3">
        <TextField
          label="Name"
          required
          maxLength={100}
          value={form.name}
          onChange={(event) => onChange({ ...form, name: event.currentTarget.value })}
          problem={fieldProblem(error, "name")}
        />
        <TextField
          label="Address"
          type="url"
          required
          placeholder="https://example.org/hooks/syla"
          value={form.url}
          onChange={(event) => onChange({ ...form, url: event.currentTarget.value })}
          problem={fieldProblem(error, "url")}
        />
      </Grid>
      <chakra.fieldset>
        <chakra.legend fontSize="sm" fontWeight="medium" mb="1">
          Events
        </chakra.legend>
        <Grid templateColumns={{ base: "1fr", sm: "1fr 1fr" }} columnGap="4">
          {chosenEventTypes.map((type) => (
            <chakra.label key={type} display="flex" alignItems="center" gap="1" cursor="pointer" minW="0">
              <CheckBox checked={form.events.includes(type)} onChange={() => onChange({ ...form, events: toggle(form.events, type) })} />
              <Text as="span" fontFamily="mono" fontSize="xs" title={webhookEvents[type].summary}>
                {type}
              </Text>
              <Text as="span" fontSize="xs" color="fg.muted" truncate>
                {webhookEvents[type].summary}
              </Text>
            </chakra.label>
          ))}
        </Grid>
      </chakra.fieldset>
      {form.events.includes("run.finished") ? (
        <Flex gap="1.5" wrap="wrap" align="center" role="group" aria-label="Runs that ended so">
          <Text fontSize="sm">Runs that</Text>
          {endStatuses.map((status) => (
            <FilterChip
              key={status}
              type="button"
              pressed={form.runStatuses.includes(status)}
              onClick={() => onChange({ ...form, runStatuses: toggle(form.runStatuses, status) })}
            >
              {status.replace("_", " ")}
            </FilterChip>
          ))}
          <Text fontSize="xs" color="fg.muted">
            {form.runStatuses.length === 0 ? "All, as none is chosen." : null}
          </Text>
        </Flex>
      ) : null}
    </>
  );
}
