import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { UserRecord } from "@syla/sdk";
import { UserRound } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterBar, FilterChoice, FilterSearch } from "../ui/filter-bar.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useUsers } from "./queries.ts";
import { roleNames, roles } from "./roles.ts";
import { Toast } from "../ui/toast.tsx";
import { UserDialog } from "./user-dialog.tsx";

/** Every account, filtered by what stands in the address. */
export function UsersTab() {
  const [search, setSearch] = useSearchParams();
  const q = search.get("q") ?? "";
  const role = roles.find((known) => known === search.get("role"));
  const status = (["active", "suspended"] as const).find((known) => known === search.get("status"));
  const users = useUsers({ q: q === "" ? undefined : q, role, status });
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
  const [said, setSaid] = useState<string | null>(null);
  const isFiltered = q !== "" || role !== undefined || status !== undefined;
  const clear = () =>
    setSearch(
      (before) => {
        for (const name of ["q", "role", "status"]) before.delete(name);
        return before;
      },
      { replace: true },
    );
  return (
    <>
      <FilterBar onClear={isFiltered ? clear : undefined}>
        <FilterSearch
          label="Search accounts"
          placeholder="Search name, e-mail or id"
          width="220px"
          q={q}
          onSearch={(text) => set("q", text)}
        />
        <FilterChoice label="Role" value={role ?? ""} onChoose={(value) => set("role", value)} none="any role">
          {roles.map((known) => (
            <option key={known} value={known}>
              {roleNames[known]}
            </option>
          ))}
        </FilterChoice>
        <FilterChoice label="Status" value={status ?? ""} onChoose={(value) => set("status", value)} none="any status">
          <option value="active">active</option>
          <option value="suspended">suspended</option>
        </FilterChoice>
      </FilterBar>
      <PagedList
        pages={users}
        more="More"
        empty={
          <EmptyState icon={UserRound} title="No account matches">
            Look for a part of the name, of the e-mail address or of the id.
          </EmptyState>
        }
        renderRow={(user) => <UserRow user={user} onOpen={() => set("user", user.id)} />}
      />
      {opened === "" ? null : (
        <UserDialog
          key={opened}
          id={opened}
          onClose={() => set("user", "")}
          onDeleted={(text) => {
            set("user", "");
            setSaid(text);
          }}
        />
      )}
      {said === null ? null : <Toast text={said} onGone={() => setSaid(null)} />}
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
