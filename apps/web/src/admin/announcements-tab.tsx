import { Box, Button, chakra, Flex, NativeSelect, Text } from "@chakra-ui/react";
import { Megaphone } from "lucide-react";
import { type FormEvent, useState } from "react";
import { CheckBox } from "../ui/check-box.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useAnnouncements, useCreateAnnouncement, useDeleteAnnouncement } from "./queries.ts";

/** Says something to everybody, and takes it down again. */
export function AnnouncementsTab() {
  const announcements = useAnnouncements();
  const remove = useDeleteAnnouncement();
  return (
    <Box maxW="720px">
      <NewAnnouncement />
      <Section heading="Shown now">
        {announcements.isError ? <ErrorPanel error={announcements.error} onRetry={() => void announcements.refetch()} /> : null}
        {remove.error ? <ErrorPanel error={remove.error} /> : null}
        {announcements.data?.length === 0 ? (
          <EmptyState icon={Megaphone} title="No announcement">
            What you say above is shown on every page, to everybody who is signed in.
          </EmptyState>
        ) : null}
        {announcements.data?.map((announcement) => (
          <Flex
            key={announcement.id}
            gap="3"
            px="4"
            py="2.5"
            align="center"
            borderBottomWidth="1px"
            borderColor="border.muted"
            _last={{ borderBottomWidth: "0" }}
          >
            <Box flex="1" minW="0">
              <Text fontWeight="medium" overflowWrap="anywhere">
                {announcement.title}
              </Text>
              <Text as="div" fontSize="xs" color="fg.muted">
                {announcement.level} · <TimeAgo time={announcement.createdAt} />
                {announcement.endsAt ? (
                  <>
                    {" "}
                    · ends <TimeAgo time={announcement.endsAt} />
                  </>
                ) : null}
              </Text>
            </Box>
            <Button
              size="xs"
              variant="outline"
              onClick={() => remove.mutate(announcement.id)}
              aria-label={`Take down ${announcement.title}`}
            >
              Take down
            </Button>
          </Flex>
        ))}
      </Section>
    </Box>
  );
}

const lengths = [
  { value: "1", label: "for an hour" },
  { value: "24", label: "for a day" },
  { value: "168", label: "for a week" },
  { value: "", label: "until it is taken down" },
];

function NewAnnouncement() {
  const create = useCreateAnnouncement();
  const [title, setTitle] = useState("");
  const [body, setBody] = useState("");
  const [level, setLevel] = useState<"info" | "warning">("info");
  const [hours, setHours] = useState("24");
  const [notify, setNotify] = useState(true);
  const save = (event: FormEvent) => {
    event.preventDefault();
    const endsAt = hours === "" ? null : new Date(Date.now() + Number(hours) * 3_600_000).toISOString();
    create.mutate(
      { title, body, level, endsAt, notify },
      {
        onSuccess: () => {
          setTitle("");
          setBody("");
        },
      },
    );
  };
  return (
    <Section heading="New announcement">
      <Flex as="form" onSubmit={save} direction="column" gap="3" p="4">
        <TextField
          label="Title"
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          problem={fieldProblem(create.error, "title")}
        />
        <TextAreaField label="Text" rows={3} maxLength={2000} value={body} onChange={(event) => setBody(event.currentTarget.value)} />
        <Flex gap="3" wrap="wrap" align="center">
          <NativeSelect.Root size="sm" w="32">
            <NativeSelect.Field
              aria-label="Kind"
              value={level}
              onChange={(event) => setLevel(event.currentTarget.value as "info" | "warning")}
            >
              <option value="info">information</option>
              <option value="warning">warning</option>
            </NativeSelect.Field>
            <NativeSelect.Indicator />
          </NativeSelect.Root>
          <NativeSelect.Root size="sm" w="48">
            <NativeSelect.Field aria-label="How long" value={hours} onChange={(event) => setHours(event.currentTarget.value)}>
              {lengths.map((length) => (
                <option key={length.value} value={length.value}>
                  {length.label}
                </option>
              ))}
            </NativeSelect.Field>
            <NativeSelect.Indicator />
          </NativeSelect.Root>
          <chakra.label cursor="pointer">
            <CheckBox checked={notify} onChange={(event) => setNotify(event.currentTarget.checked)} /> Notify everybody, too
          </chakra.label>
          <Button type="submit" size="sm" colorPalette="accent" ml="auto" loading={create.isPending}>
            Announce
          </Button>
        </Flex>
        {create.error ? <ErrorPanel error={create.error} /> : null}
      </Flex>
    </Section>
  );
}
