import { Box, Button, Flex, Input, NativeSelect, Text } from "@chakra-ui/react";
import type { UserRecord } from "@syla/sdk";
import { UserRound } from "lucide-react";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useUsers } from "./queries.ts";
import { roleNames, roles } from "./roles.ts";
import { UserDialog } from "./user-dialog.tsx";

/** Every account, filtered by what stands in the address. */
export function UsersTab() {
  const [search, setSearch] = useSearchParams();
  const q = search.get("q") ?? "";
  const role = roles.find((known) => known === search.get("role"));
  const status = (["active", "suspended"] as const).find((known) => known === search.get("status"));
  const users = useUsers({ q: q === "" ? undefined : q, role, status });
  const items = users.data?.pages.flatMap((page) => page.items) ?? [];
  const set = (name: string, value: string) =>
    setSearch(
      (before) => {
        if (value === "") before.delete(name);
        else before.set(name, value);
        return before;
      },
      { replace: true },
    );
  const opened = search.get("user") ?? "";
  return (
    <>
      <Flex gap="2" wrap="wrap" pb="3">
        <SearchBox q={q} onSearch={(text) => set("q", text)} />
        <Choice label="Role" value={role ?? ""} onChoose={(value) => set("role", value)} none="any role">
          {roles.map((known) => (
            <option key={known} value={known}>
              {roleNames[known]}
            </option>
          ))}
        </Choice>
        <Choice label="Status" value={status ?? ""} onChoose={(value) => set("status", value)} none="any status">
          <option value="active">active</option>
          <option value="suspended">suspended</option>
        </Choice>
      </Flex>
      {users.isError ? <ErrorPanel error={users.error} onRetry={() => void users.refetch()} /> : null}
      {users.isPending ? <SkeletonRows rows={6} /> : null}
      {users.isSuccess && items.length === 0 ? (
        <EmptyState icon={UserRound} title="No account matches">
          Look for a part of the name or of the e-mail address.
        </EmptyState>
      ) : null}
      {items.length > 0 ? (
        <Box as="ul" listStyleType="none" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
          {items.map((user) => (
            <UserRow key={user.id} user={user} onOpen={() => set("user", user.id)} />
          ))}
        </Box>
      ) : null}
      {users.hasNextPage ? (
        <Flex justify="center" mt="3">
          <Button size="xs" variant="outline" loading={users.isFetchingNextPage} onClick={() => void users.fetchNextPage()}>
            More
          </Button>
        </Flex>
      ) : null}
      {opened === "" ? null : <UserDialog id={opened} onClose={() => set("user", "")} />}
    </>
  );
}

function UserRow({ user, onOpen }: { readonly user: UserRecord; readonly onOpen: () => void }) {
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="3"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border"
      _last={{ borderBottomWidth: "0" }}
    >
      <Box minW="0" flex="1 1 200px">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {user.name}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {user.email ?? "no e-mail address"}
        </Text>
      </Box>
      <Flex gap="2" w="44" align="center">
        <Text fontSize="xs">{roleNames[user.role]}</Text>
        {user.status === "suspended" ? (
          <Text fontSize="xs" color="fg.error">
            suspended
          </Text>
        ) : null}
      </Flex>
      <Box fontSize="xs" color="fg.muted" w="28">
        since <TimeAgo time={user.createdAt} />
      </Box>
      <Button size="xs" variant="outline" onClick={onOpen} aria-label={`Manage ${user.name}`}>
        Manage
      </Button>
    </Flex>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly none: string;
  readonly onChoose: (value: string) => void;
  readonly children: React.ReactNode;
}

function Choice({ label, value, none, onChoose, children }: ChoiceProps) {
  return (
    <NativeSelect.Root size="xs" w="auto">
      <NativeSelect.Field aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{none}</option>
        {children}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

function SearchBox({ q, onSearch }: { readonly q: string; readonly onSearch: (text: string) => void }) {
  const [text, setText] = useState(q);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => onSearch(text), 250);
    return () => clearTimeout(timer);
    // Typing restarts the pause; the callback is new on every render.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  return (
    <Input
      type="search"
      size="xs"
      w={{ base: "full", sm: "220px" }}
      placeholder="Search name or e-mail address"
      aria-label="Search accounts"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
