import { Button } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { Copy } from "lucide-react";
import { useNavigate } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { assetPath } from "./asset-looks.tsx";
import { useCloneAsset } from "./queries.ts";

/** Makes a copy of one's own and goes there; nothing for whoever cannot own any. */
export function CloneButton({ asset }: { readonly asset: Asset }) {
  const me = useMe();
  const clone = useCloneAsset(asset.id);
  const navigate = useNavigate();
  if (me.data?.role === "end_user") return null;
  return (
    <Button
      size="xs"
      variant="outline"
      loading={clone.isPending}
      title={clone.error?.message}
      onClick={() => clone.mutate({}, { onSuccess: (made) => void navigate(assetPath(made)) })}
    >
      <Copy aria-hidden /> Clone
    </Button>
  );
}
