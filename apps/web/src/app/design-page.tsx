import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { RunStatus } from "@syla/sdk";
import { SylaError } from "@syla/sdk";
import { Copy, Package, Play } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { CodeView } from "../ui/code-view.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { formatBytes, formatCount, formatDuration } from "../ui/format.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { createLogBuffer } from "../ui/log/log-buffer.ts";
import { LogViewer } from "../ui/log/log-viewer.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { ShortcutKeys } from "../ui/shortcut-keys.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { StatusBadge, statusLooks } from "../ui/status-badge.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { TimingBar } from "../ui/timing-bar.tsx";
import { setColorPreference, useColorPreference } from "./color-mode.ts";

/** The design system: each component in each of its states. It reads nothing from the server. */
export default function DesignPage() {
  const preference = useColorPreference();
  return (
    <ScrollPage as="main" h="100dvh">
      <PageHeader
        title="Design system"
        actions={(["light", "dark", "system"] as const).map((mode) => (
          <FilterChip key={mode} pressed={preference === mode} onClick={() => setColorPreference(mode)}>
            {mode}
          </FilterChip>
        ))}
      />
      <Controls />
      <Statuses />
      <Fields />
      <Messages />
      <Values />
      <Logs />
    </ScrollPage>
  );
}

function Row({ children }: { readonly children: ReactNode }) {
  return (
    <Flex
      gap="3"
      wrap="wrap"
      align="center"
      px="4"
      py="3"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
    >
      {children}
    </Flex>
  );
}

function Controls() {
  const [open, setOpen] = useState(false);
  const [pressed, setPressed] = useState(true);
  return (
    <Section heading="Controls">
      {[false, true].map((disabled) => (
        <Row key={String(disabled)}>
          <Button size="xs" colorPalette="accent" disabled={disabled}>
            <Play aria-hidden /> Primary
          </Button>
          <Button size="xs" variant="outline" disabled={disabled}>
            Secondary
          </Button>
          <Button size="xs" variant="ghost" disabled={disabled}>
            Quiet
          </Button>
          <Button size="xs" colorPalette="red" disabled={disabled}>
            Destructive
          </Button>
          <Button size="xs" variant="outline" loading={!disabled} loadingText="Busy" disabled={disabled}>
            Busy
          </Button>
          <IconButton label="Copy" disabled={disabled}>
            <Copy />
          </IconButton>
        </Row>
      ))}
      <Row>
        <FilterChip pressed={pressed} onClick={() => setPressed(!pressed)}>
          Filter {pressed ? "on" : "off"}
        </FilterChip>
        <Button size="xs" variant="outline" onClick={() => setOpen(true)}>
          Open a dialog
        </Button>
        <ShortcutKeys keys={["mod", "enter"]} />
        {open ? (
          <Modal label="A dialog" onClose={() => setOpen(false)}>
            <Text p="4">It keeps the focus, closes on Escape, and gives the focus back.</Text>
          </Modal>
        ) : null}
      </Row>
      <Box px="4" py="2">
        <TabLinks
          label="Example tabs"
          tabs={[
            { to: "/ui", label: "Chosen", current: true, count: 3 },
            { to: "/ui?tab=other", label: "Other", current: false },
          ]}
        />
      </Box>
    </Section>
  );
}

function Statuses() {
  return (
    <Section heading="Status">
      <Row>
        {(Object.keys(statusLooks) as RunStatus[]).map((status) => (
          <StatusBadge key={status} status={status} />
        ))}
      </Row>
      <Box px="4" py="3">
        <TimingBar
          phases={[
            { label: "Queue", ms: 4.2, color: "border.emphasized", live: false },
            { label: "Start", ms: 7.8, color: "fg.subtle", live: false },
            { label: "Run", ms: 23.5, color: "accent.solid", live: true },
          ]}
        />
      </Box>
    </Section>
  );
}

function Fields() {
  return (
    <Section heading="Fields">
      <Flex gap="4" p="4" direction={{ base: "column", sm: "row" }}>
        <TextField label="Empty" placeholder="default" help="A line of help." />
        <TextField label="Wrong" defaultValue="-1" problem="It must be a number above 0." />
        <TextField label="Disabled" defaultValue="cannot change" disabled />
      </Flex>
      <Box px="4" pb="4">
        <TextAreaField label="Several lines" defaultValue={"NAME=value\nOTHER=value"} rows={2} />
      </Box>
    </Section>
  );
}

const exampleError = new SylaError("The queue is full.", {
  code: "queue_full",
  status: 429,
  hint: "Wait a few seconds and try again.",
  requestId: "req_01JD3Z8W6Y7V5T4S3R2Q1P0N9M",
  fields: [{ path: "limits.wallMs", message: "too large" }],
});

function Messages() {
  return (
    <Section heading="Messages">
      <Box p="4">
        <ErrorPanel error={exampleError} onRetry={() => {}} />
      </Box>
      <EmptyState
        icon={Package}
        title="Nothing here yet"
        action={
          <Button size="xs" colorPalette="accent">
            Do the next thing
          </Button>
        }
      >
        One sentence that says what to do next.
      </EmptyState>
      <SkeletonRows rows={2} />
    </Section>
  );
}

function Values() {
  return (
    <Section heading="Values">
      <DefinitionList
        items={[
          ["Id", <Copyable key="id" text="run_01JD3Z8W6Y7V5T4S3R2Q1P0N9M" />],
          ["Time", <TimeAgo key="time" time={new Date(Date.now() - 190_000).toISOString()} />],
          ["Durations", [7.4, 820, 3200, 245_000, 7_800_000].map(formatDuration).join(" · ")],
          ["Bytes", [512, 1536, 268_435_456].map(formatBytes).join(" · ")],
          ["Count", formatCount(1_234_567)],
        ]}
      />
      <CodeView label="Example code" text={'def greet(name):\n    return f"Hello, {name}"\n\nprint(greet("Syla"))\n'} line={2} />
    </Section>
  );
}

const sampleLog = [
  [
    "stdout",
    "Plain text, then \u001b[32mgreen\u001b[0m, \u001b[1;31mbold red\u001b[0m, \u001b[38;5;208m256 colours\u001b[0m and \u001b[48;2;91;91;214;38;2;255;255;255m true colour \u001b[0m\n",
  ],
  ["stdout", "Progress  10 %\rProgress  55 %\rProgress 100 %\n"],
  ["stderr", 'Traceback (most recent call last):\n  File "main.py", line 2, in <module>\nValueError: <b>not markup</b>\n'],
  ["system", "Attempt 2: the server that ran this was lost.\n"],
] as const;

function Logs() {
  const filled = useMemo(() => {
    const buffer = createLogBuffer();
    for (const [stream, text] of sampleLog) buffer.append(stream, "2026-01-05T09:30:00.125Z", text);
    return buffer;
  }, []);
  const empty = useMemo(() => createLogBuffer(), []);
  return (
    <Section heading="Log">
      <Box h="240px">
        <LogViewer buffer={filled} live download={null} linkedLine={1} empty="" reconnecting />
      </Box>
      <Box h="120px" borderTopWidth="1px" borderColor="border">
        <LogViewer buffer={empty} live={false} download={null} empty="The program wrote nothing." />
      </Box>
    </Section>
  );
}
