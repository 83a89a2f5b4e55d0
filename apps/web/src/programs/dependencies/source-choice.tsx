import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { AnalysisDocument } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useId } from "react";
import { PackageRows } from "./package-rows.tsx";
import {
  conflictsOf,
  type Dependencies,
  guessedPackages,
  hasPackages,
  knownPackages,
  optionKey,
  optionsOf,
  takesManual,
} from "./sources.ts";

interface SourceChoiceProps {
  readonly analysis: AnalysisDocument | null;
  readonly language: string;
  readonly value: Dependencies;
  readonly onChange: (value: Dependencies) => void;
}

/** Which file says what the program needs, or what by hand. */
export function SourceChoice({ analysis, language, value, onChange }: SourceChoiceProps) {
  const name = useId();
  const found = optionsOf(analysis, language);
  const isFile = value.source !== "manual" && value.source !== "none";
  const isListed = found.some(({ key }) => key === optionKey(value));
  const options =
    isFile && !isListed
      ? [{ key: optionKey(value), title: value.file ?? value.source, note: "as it is set", dependencies: value }, ...found]
      : found;
  if (!hasPackages(language) && !isFile)
    return (
      <Text px="4" py="3" color="fg.muted">
        Packages can be installed for Python, Node.js and Go. Programs of this language bring what they need with them.
      </Text>
    );
  return (
    <Flex direction="column" role="radiogroup" aria-label="Dependencies are read from">
      {options.map(({ key, title, note, dependencies }) => (
        <Choice
          key={key}
          name={name}
          checked={optionKey(value) === key}
          onCheck={() => onChange(dependencies)}
          title={title}
          mono
          note={note}
        />
      ))}
      {takesManual(language) ? (
        <Choice
          name={name}
          checked={value.source === "manual"}
          onCheck={() =>
            onChange({
              source: "manual",
              file: null,
              packages: value.packages.length > 0 ? value.packages : knownPackages(analysis, language),
            })
          }
          title="Named by hand"
          note="The packages below count, whatever the files say."
        >
          {value.source === "manual" ? (
            <>
              <Guessed names={guessedPackages(analysis, value.packages)} />
              <PackageRows
                packages={value.packages}
                withExtras={language === "python"}
                onChange={(packages) => onChange({ ...value, packages })}
              />
            </>
          ) : null}
        </Choice>
      ) : null}
      <Choice
        name={name}
        checked={value.source === "none"}
        onCheck={() => onChange({ source: "none", file: null, packages: [] })}
        title="None"
        note="Nothing is installed: the language's own library and the program's files are enough."
      />
      <Conflicts analysis={analysis} />
    </Flex>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly checked: boolean;
  readonly onCheck: () => void;
  readonly title: string;
  readonly mono?: boolean;
  readonly note: string;
  readonly children?: ReactNode;
}

/** One of several, with what it means. */
function Choice({ name, checked, onCheck, title, mono = false, note, children }: ChoiceProps) {
  return (
    <Box borderBottomWidth="1px" borderColor="border" _last={{ borderBottomWidth: "0" }} bg={checked ? "accent.subtle" : undefined}>
      <chakra.label display="flex" gap="2.5" px="4" py="2" cursor="pointer" alignItems="flex-start">
        <chakra.input
          type="radio"
          name={name}
          checked={checked}
          onChange={onCheck}
          mt="1"
          accentColor="accent.solid"
          w="4"
          h="4"
          flexShrink="0"
        />
        <Box minW="0">
          <Text fontWeight="medium" fontFamily={mono ? "mono" : undefined} fontSize={mono ? "xs" : undefined} overflowWrap="anywhere">
            {title}
          </Text>
          <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere" lineClamp="3">
            {note}
          </Text>
        </Box>
      </chakra.label>
      {children ? (
        <Box px="4" pb="3" pl={{ base: "4", sm: "10" }}>
          {children}
        </Box>
      ) : null}
    </Box>
  );
}

/** That nobody has written some names down. */
function Guessed({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <Flex role="note" gap="2" pb="2" fontSize="xs">
      <Box color="fg.warning" mt="0.5" aria-hidden>
        <TriangleAlert size={14} />
      </Box>
      <Text minW="0" overflowWrap="anywhere">
        Guessed from what is imported: {names.join(", ")}. Look whether these packages are meant: an index may have others by their names.
      </Text>
    </Flex>
  );
}

/** What files disagree about. */
function Conflicts({ analysis }: { readonly analysis: AnalysisDocument | null }) {
  const conflicts = conflictsOf(analysis);
  if (conflicts.length === 0) return null;
  return (
    <Flex role="note" gap="2" px="4" py="2" fontSize="xs">
      <Box color="fg.warning" mt="0.5" aria-hidden>
        <TriangleAlert size={14} />
      </Box>
      <Box minW="0">
        <Text fontWeight="medium">Files name different versions. The one that is chosen counts.</Text>
        {conflicts.slice(0, 20).map(({ name, wishes }) => (
          <Text key={name} color="fg.muted" overflowWrap="anywhere">
            <Text as="span" fontFamily="mono">
              {name}
            </Text>
            : {wishes.map(({ constraint, file, line }) => `${constraint} in ${file}${line === null ? "" : `:${line}`}`).join(", ")}
          </Text>
        ))}
      </Box>
    </Flex>
  );
}
