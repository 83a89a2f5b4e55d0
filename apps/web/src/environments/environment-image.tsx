import { Box, Button, chakra, Flex, Link as PlainLink, Text } from "@chakra-ui/react";
import type { EnvironmentImage } from "@syla/sdk";
import { Package, UploadCloud } from "lucide-react";
import { syla } from "../app/api.ts";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes } from "../ui/format.ts";
import { LogViewer } from "../ui/log/log-viewer.tsx";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useEnvironmentImage, useMakeImage } from "./queries.ts";
import { useImageLog } from "./use-build-log.ts";

const states = { none: "Not built", building: "Building", built: "Built, not pushed", pushed: "Pushed", failed: "Failed" } as const;

/** The OCI image of an environment: for administrators to make, for everybody else to see once there is one. */
export function EnvironmentImageSection({ id, isAdmin }: { readonly id: string; readonly isAdmin: boolean }) {
  const query = useEnvironmentImage(id);
  const make = useMakeImage(id);
  const image = query.data;
  if (query.isError) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
  if (image === undefined || (image.state === "none" && !isAdmin)) return null;
  return (
    <>
      {make.isError ? (
        <Box mb="4">
          <ErrorPanel error={make.error} />
        </Box>
      ) : null}
      <Section heading="Image for clusters" note={isAdmin && image.builder.available ? image.repository : null}>
        <Facts image={image} />
        {isAdmin ? <Actions image={image} pending={make.isPending} onMake={(verb) => make.mutate(verb)} /> : null}
      </Section>
      {image.hasLog || image.state === "building" ? <ImageLog image={image} /> : null}
    </>
  );
}

function Facts({ image }: { readonly image: EnvironmentImage }) {
  const { state, phase, imageId, reference, digest, size, pushedAt, builtAt, error } = image;
  const pull = reference === null || digest === null ? null : `${reference.replace(/:[^:/]*$/, "")}@${digest}`;
  return (
    <>
      {error ? (
        <Box role="alert" borderWidth="1px" borderColor="border.error" bg="bg.error" rounded="md" px="4" py="3" m="3">
          <Text fontWeight="medium">{error.message}</Text>
          <Text mt="1">{error.hint}</Text>
          <Text mt="2" fontSize="xs" color="fg.muted">
            {error.code}
          </Text>
        </Box>
      ) : null}
      <DefinitionList
        items={[
          ["State", state === "building" && phase !== null ? `${states[state]}: ${phase}` : states[state]],
          ["Pull", pull === null ? null : <Copyable key="pull" text={pull} label="reference of the image" />],
          ["Content", imageId === null ? null : <Copyable key="id" text={imageId} label="image id" />],
          ["Size", size === null ? null : formatBytes(size)],
          ["Pushed", pushedAt === null ? null : <TimeAgo key="pushed" time={pushedAt} />],
          ["Built", builtAt === null || pushedAt !== null ? null : <TimeAgo key="built" time={builtAt} />],
        ]}
      />
    </>
  );
}

interface ActionsProps {
  readonly image: EnvironmentImage;
  readonly pending: boolean;
  readonly onMake: (verb: "build" | "push") => void;
}

function Actions({ image: { state, builder, repository }, pending, onMake }: ActionsProps) {
  const missing = builder.available
    ? repository === null
      ? "No registry is set up: name one in Administration, Settings (imageRepository)."
      : null
    : `${builder.detail}. ${builder.fix ?? ""}`;
  const isBusy = pending || state === "building";
  return (
    <Flex gap="2" wrap="wrap" align="center" px="4" pb="3">
      <Button
        size="xs"
        variant="outline"
        disabled={!builder.available}
        loading={isBusy}
        loadingText="Building"
        onClick={() => onMake("build")}
      >
        <Package aria-hidden /> Build image
      </Button>
      <Button size="xs" variant="outline" disabled={missing !== null || isBusy} onClick={() => onMake("push")}>
        <UploadCloud aria-hidden /> Push to the registry
      </Button>
      {missing === null ? null : (
        <Text fontSize="xs" color="fg.muted">
          {missing}
        </Text>
      )}
    </Flex>
  );
}

function ImageLog({ image: { environmentId: id, state, hasLog, builtAt } }: { readonly image: EnvironmentImage }) {
  const live = state === "building";
  const log = useImageLog(id, live ? "building" : `${state} ${builtAt ?? ""}`);
  if (log.error) return <ErrorPanel error={log.error} />;
  return (
    <Section
      heading="Log of the image"
      note={
        hasLog ? (
          <PlainLink href={syla.environments.images.logUrl(id)} download textDecoration="underline">
            download
          </PlainLink>
        ) : null
      }
    >
      <chakra.div h="240px">
        <LogViewer buffer={log.buffer} live={live} empty="Nothing was said yet." reconnecting={log.reconnecting && live} download={null} />
      </chakra.div>
    </Section>
  );
}
