import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Import, ImportFile } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { CheckBox } from "../ui/check-box.tsx";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";

const mostShown = 500;

interface FilesProps {
  readonly found: Import;
  readonly files: readonly ImportFile[];
  readonly leaveOut: ReadonlySet<string>;
  readonly onLeaveOut: (paths: readonly string[], on: boolean) => void;
}

/** Files that look secret: left out unless they are wanted. */
export function SecretFiles({ found, files, leaveOut, onLeaveOut }: FilesProps) {
  const there = new Set(files.map(({ path }) => path));
  const byPath = Map.groupBy(
    found.secrets.filter(({ path }) => there.has(path)),
    ({ path }) => path,
  );
  const paths = [...byPath.keys()];
  if (paths.length === 0) return null;
  const isAllOut = paths.every((path) => leaveOut.has(path));
  return (
    <Section
      heading="Looks secret"
      note={`${formatPlural(paths.filter((path) => leaveOut.has(path)).length, "file")} left out`}
      borderColor="border.warning"
    >
      <Flex gap="2" px="3" py="2" align="center" wrap="wrap" borderBottomWidth="1px" borderColor="border">
        <Box color="fg.warning" aria-hidden>
          <TriangleAlert size={16} />
        </Box>
        <Text flex="1 1 240px" fontSize="xs">
          Whoever may see the program could read these. Keep what they hold as a credential, and give it to the program as a variable.
        </Text>
        <Button size="xs" variant="outline" onClick={() => onLeaveOut(paths, !isAllOut)}>
          {isAllOut ? "Take them all" : "Leave them all out"}
        </Button>
      </Flex>
      {[...byPath].map(([path, secrets]) => (
        <Row
          key={path}
          name={path}
          note={secrets.map(({ line, reason }) => (line === null ? reason : `line ${line}: ${reason}`)).join(" ")}
          before={
            <CheckBox
              aria-label={`Take ${path}`}
              checked={!leaveOut.has(path)}
              onChange={(event) => onLeaveOut([path], !event.currentTarget.checked)}
            />
          }
        />
      ))}
    </Section>
  );
}

/** All other files, each to be taken or left out. */
export function Files({ found, files, leaveOut, onLeaveOut }: FilesProps) {
  const secret = new Set(found.secrets.map(({ path }) => path));
  const others = files.filter(({ path }) => !secret.has(path));
  const taken = files.filter((file) => !leaveOut.has(file.path));
  return (
    <Section
      heading="Files"
      note={`${formatPlural(taken.length, "file")}, ${formatBytes(taken.reduce((sum, file) => sum + file.size, 0))} are taken`}
    >
      <Box maxH="360px" overflowY="auto" role="region" aria-label="Files" tabIndex={0} outlineOffset="-2px">
        {others.slice(0, mostShown).map(({ path, size }) => (
          <Row
            key={path}
            name={path}
            note={formatBytes(size)}
            before={
              <CheckBox
                aria-label={`Take ${path}`}
                checked={!leaveOut.has(path)}
                onChange={(event) => onLeaveOut([path], !event.currentTarget.checked)}
              />
            }
          />
        ))}
        {others.length > mostShown ? <Row name={`and ${others.length - mostShown} more`} note="taken as well" /> : null}
      </Box>
    </Section>
  );
}

/** What bringing the files in had to say, with its place. */
export function Problems({ found: { problems } }: { readonly found: Import }) {
  if (problems.length === 0) return null;
  return (
    <Section heading="Problems" note={formatPlural(problems.length, "remark")}>
      {problems.slice(0, mostShown).map(({ severity, path, line, column, message }, index) => (
        <Row
          key={`${index} ${path}`}
          name={path === null ? "all of it" : [path, line, line === null ? null : column].filter((part) => part !== null).join(":")}
          note={`${severity}: ${message}`}
        />
      ))}
    </Section>
  );
}

function Row({ name, note, before }: { readonly name: string; readonly note: string; readonly before?: ReactNode }) {
  return (
    <Flex px="3" py="1" gap="2" align="center" wrap="wrap" borderBottomWidth="1px" borderColor="border" _last={{ borderBottomWidth: 0 }}>
      {before}
      <Text fontFamily="mono" fontSize="xs" wordBreak="break-all">
        {name}
      </Text>
      <Text ml="auto" fontSize="xs" color="fg.muted" wordBreak="break-word">
        {note}
      </Text>
    </Flex>
  );
}
