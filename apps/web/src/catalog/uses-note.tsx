import { chakra, Text } from "@chakra-ui/react";
import { Link } from "react-router";
import { formatPlural } from "../ui/format.ts";
import { useAssetUses } from "./queries.ts";

const mostNamed = 5;

/** Says which compositions use an asset that is about to go; nothing where none does. */
export function UsesNote({ id }: { readonly id: string }) {
  const uses = useAssetUses(id);
  if (uses.data === undefined) return null;
  const { items, others } = uses.data;
  const count = items.length + others;
  if (count === 0) return null;
  const more = count - Math.min(items.length, mostNamed);
  return (
    <Text role="status" fontSize="sm">
      {formatPlural(count, "composition")} {count === 1 ? "uses" : "use"} it and cannot be run without:{" "}
      {items.slice(0, mostNamed).map((use, index) => (
        <span key={use.id}>
          {index === 0 ? null : ", "}
          <chakra.span textDecoration="underline">
            <Link to={`/compositions/${use.id}`}>{use.name}</Link>
          </chakra.span>
        </span>
      ))}
      {more > 0 ? `${items.length === 0 ? "" : " and "}${formatPlural(more, "other")}` : null}.
    </Text>
  );
}
