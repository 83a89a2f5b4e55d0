import { Button, Flex, Input, Text } from "@chakra-ui/react";
import { Plus, X } from "lucide-react";
import { IconButton } from "../../ui/icon-button.tsx";
import type { Dependencies } from "./sources.ts";

type Packages = Dependencies["packages"];

interface PackageRowsProps {
  readonly packages: Packages;
  readonly onChange: (packages: Packages) => void;
  /** Extras are Python's. */
  readonly withExtras: boolean;
}

/** Packages that are named by hand. */
export function PackageRows({ packages, onChange, withExtras }: PackageRowsProps) {
  const change = (index: number, part: Partial<Packages[number]>) =>
    onChange(packages.map((one, other) => (other === index ? { ...one, ...part } : one)));
  return (
    <Flex direction="column" gap="1.5" role="group" aria-label="Packages">
      {packages.map((one, index) => (
        <Flex key={index} gap="1.5" wrap={{ base: "wrap", sm: "nowrap" }} align="center">
          <Input
            size="xs"
            fontFamily="mono"
            bg="bg.panel"
            flex="2 1 130px"
            aria-label={`Package ${index + 1}`}
            placeholder="name"
            maxLength={214}
            value={one.name}
            onChange={(event) => change(index, { name: event.currentTarget.value.trim() })}
          />
          <Input
            size="xs"
            fontFamily="mono"
            bg="bg.panel"
            flex="1 1 90px"
            aria-label={`Version of ${one.name || `package ${index + 1}`}`}
            placeholder="any version"
            maxLength={200}
            value={one.constraint}
            onChange={(event) => change(index, { constraint: event.currentTarget.value })}
          />
          {withExtras ? (
            <Input
              size="xs"
              fontFamily="mono"
              bg="bg.panel"
              flex="1 1 80px"
              aria-label={`Extras of ${one.name || `package ${index + 1}`}`}
              placeholder="extras"
              value={one.extras.join(",")}
              onChange={(event) => change(index, { extras: readExtras(event.currentTarget.value) })}
            />
          ) : null}
          <IconButton
            label={`Take ${one.name || `package ${index + 1}`} away`}
            onClick={() => onChange(packages.filter((_, other) => other !== index))}
          >
            <X />
          </IconButton>
        </Flex>
      ))}
      {packages.length === 0 ? (
        <Text fontSize="xs" color="fg.muted">
          No package is named yet.
        </Text>
      ) : null}
      <Button
        alignSelf="flex-start"
        size="xs"
        variant="outline"
        onClick={() => onChange([...packages, { name: "", constraint: "", extras: [] }])}
      >
        <Plus aria-hidden /> Add a package
      </Button>
    </Flex>
  );
}

function readExtras(text: string): string[] {
  return text === "" ? [] : text.split(",").map((word) => word.trim());
}
