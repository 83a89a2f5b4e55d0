import { Box, Button, chakra, Flex, Grid, Text } from "@chakra-ui/react";
import type { Template } from "@syla/sdk";
import { Fragment } from "react";
import { useSearchParams } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useTemplates } from "./queries.ts";
import { ReadmeText } from "./readme-text.tsx";
import type { SourceProps } from "./source-step.tsx";

/** Programs to begin with: one is chosen, read about, and taken. Which one stands in the address. */
export function TemplateSource({ onSource, isPending }: SourceProps) {
  const templates = useTemplates();
  const [search, setSearch] = useSearchParams();
  if (templates.isPending) return <SkeletonRows rows={4} />;
  if (templates.isError) return <ErrorPanel error={templates.error} onRetry={() => void templates.refetch()} />;
  const chosen = templates.data.find(({ id }) => id === search.get("template")) ?? templates.data[0];
  const choose = (id: string) =>
    setSearch(
      (before) => {
        before.set("template", id);
        return before;
      },
      { replace: true },
    );
  const rows = templates.data.length;
  return (
    // Beside the list where there is room, else below the one that is chosen. The last row takes up what the details are longer.
    <Grid
      columnGap="5"
      rowGap="2"
      templateColumns={{ base: "minmax(0, 1fr)", lg: "minmax(0, 5fr) minmax(0, 6fr)" }}
      templateRows={{ lg: `repeat(${rows}, auto) 1fr` }}
      alignItems="start"
      role="group"
      aria-label="Templates"
    >
      {templates.data.map((template) => (
        <Fragment key={template.id}>
          <TemplateCard template={template} isChosen={template === chosen} onChoose={() => choose(template.id)} />
          {template === chosen ? (
            <Box gridColumn={{ lg: "2" }} gridRow={{ lg: `1 / span ${rows + 1}` }} position={{ lg: "sticky" }} top="4">
              <TemplateDetails
                template={template}
                isPending={isPending}
                onTake={() => onSource({ kind: "template", template: template.id })}
              />
            </Box>
          ) : null}
        </Fragment>
      ))}
    </Grid>
  );
}

interface CardProps {
  readonly template: Template;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function TemplateCard({ template: { title, description, runtime, needsModel }, isChosen, onChoose }: CardProps) {
  return (
    <chakra.button
      type="button"
      aria-pressed={isChosen}
      gridColumn={{ lg: "1" }}
      w="full"
      display="flex"
      flexDirection="column"
      justifyContent="flex-start"
      p="3"
      textAlign="left"
      rounded="md"
      borderWidth="1px"
      borderColor={isChosen ? "accent.solid" : "border"}
      bg={isChosen ? "bg.subtle" : "bg.panel"}
      cursor="pointer"
      _hover={{ borderColor: "border.emphasized" }}
      onClick={onChoose}
    >
      <Flex gap="2" align="baseline" wrap="wrap">
        <Text fontWeight="semibold">{title}</Text>
        <Text fontSize="xs" color="fg.muted">
          {runtime}
        </Text>
        {needsModel ? <NeedsModel /> : null}
      </Flex>
      <Text mt="1" fontSize="xs" color="fg.muted">
        {description}
      </Text>
    </chakra.button>
  );
}

interface DetailsProps {
  readonly template: Template;
  readonly isPending: boolean;
  readonly onTake: () => void;
}

function TemplateDetails({ template: { title, description, files, readme, needsModel }, isPending, onTake }: DetailsProps) {
  return (
    <Box as="section" aria-label={title} borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" p="4">
      <Flex gap="2" align="center" wrap="wrap" mb="3">
        <Text as="h2" fontSize="md" fontWeight="semibold">
          {title}
        </Text>
        {needsModel ? <NeedsModel /> : null}
        <Button ml="auto" size="sm" colorPalette="accent" loading={isPending} onClick={onTake}>
          Use this template
        </Button>
      </Flex>
      {readme === null ? <Text>{description}</Text> : <ReadmeText text={readme} />}
      <Text mt="3" fontFamily="mono" fontSize="xs" color="fg.muted">
        {files.join("  ")}
      </Text>
    </Box>
  );
}

function NeedsModel() {
  return (
    <Text
      as="span"
      px="1.5"
      rounded="sm"
      borderWidth="1px"
      borderColor="border.emphasized"
      fontSize="xs"
      color="fg.muted"
      whiteSpace="nowrap"
    >
      needs a model
    </Text>
  );
}
