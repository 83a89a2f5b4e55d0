import { Button, type ButtonProps } from "@chakra-ui/react";
import { lazy, Suspense, useState } from "react";
import { useMe } from "../accounts/queries.ts";

const load = () => import("./open-user-menu.tsx");
const OpenUserMenu = lazy(load);

function initials(name: string): string {
  const letters = name.split(/\s+/).map((word) => Array.from(word)[0] ?? "");
  return (letters.length > 1 ? `${letters[0]}${letters.at(-1)}` : (letters[0] ?? "?")).toUpperCase();
}

/** Who you are, how it looks, and the way out. What is behind the button is loaded when somebody is about to press it. */
export function UserMenu() {
  const name = useMe().data?.name ?? "";
  const [isWanted, setWanted] = useState(false);
  const soon = () => void load();
  if (!isWanted) return <AccountButton name={name} onPointerEnter={soon} onFocus={soon} onClick={() => setWanted(true)} />;
  const button = <AccountButton name={name} />;
  return (
    <Suspense fallback={button}>
      <OpenUserMenu button={button} />
    </Suspense>
  );
}

function AccountButton({ name, ...props }: ButtonProps & { readonly name: string }) {
  return (
    <Button
      size="xs"
      variant="subtle"
      rounded="full"
      px="0"
      aria-label={`${initials(name)}, account of ${name}`}
      aria-haspopup="menu"
      fontSize="2xs"
      {...props}
    >
      {initials(name)}
    </Button>
  );
}
