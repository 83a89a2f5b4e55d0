import { Button, Flex, Text } from "@chakra-ui/react";
import type { DeviceRequest } from "@syla/sdk";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useDecideDevice, useDeviceRequest } from "./device-queries.ts";
import { EntryForm } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useMe } from "./queries.ts";

/** Where a program that signs in (`syla auth login`) sends the person: who asks, and yes or no. */
export default function DevicePage() {
  const [search, setSearch] = useSearchParams();
  const code = search.get("code") ?? "";
  const request = useDeviceRequest(code);
  if (code === "" || request.isError)
    return <CodeForm error={request.error} onCode={(typed) => setSearch({ code: typed }, { replace: true })} />;
  return request.data ? <Decision request={request.data} /> : <SkeletonRows rows={3} />;
}

function CodeForm({ error, onCode }: { readonly error: unknown; readonly onCode: (code: string) => void }) {
  const [code, setCode] = useState("");
  return (
    <EntryFrame title="Sign in a device" lead="Type the code that the device shows.">
      <EntryForm error={error} pending={false} submit="Go on" onSubmit={() => onCode(code)}>
        <TextField
          label="Code"
          required
          autoFocus
          autoComplete="off"
          fontFamily="mono"
          placeholder="BCDF-GHJK"
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
      </EntryForm>
    </EntryFrame>
  );
}

function Decision({ request }: { readonly request: DeviceRequest }) {
  const decide = useDecideDevice(request.userCode);
  const me = useMe();
  if (decide.isSuccess) {
    const title = decide.variables ? "The device is signed in" : "Refused";
    const lead = decide.variables ? "You can close this page. Its key is in the list of your API keys." : "The device gets nothing.";
    return (
      <EntryFrame title={title} lead={lead}>
        {null}
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Let this device in?" lead="It will act as you. Agree only if you have just started this yourself.">
      <DefinitionList
        items={[
          ["Code", request.userCode],
          ["What asks", request.clientName],
          ["From", request.ip ?? "unknown"],
          ["Asked", <TimeAgo key="asked" time={request.createdAt} />],
          ["As", me.data?.email ?? me.data?.name ?? ""],
        ]}
      />
      <Text fontSize="sm" color="fg.muted" mt="3" mb="4">
        The code has to be the one that the device shows. Its key counts for 90 days.
      </Text>
      {decide.error ? <ErrorPanel error={decide.error} /> : null}
      <Flex gap="2" justify="flex-end" mt="3">
        <Button size="sm" variant="outline" disabled={decide.isPending} onClick={() => decide.mutate(false)}>
          Refuse
        </Button>
        <Button size="sm" colorPalette="accent" loading={decide.isPending} loadingText="Let in" onClick={() => decide.mutate(true)}>
          Let in
        </Button>
      </Flex>
    </EntryFrame>
  );
}
