import { Button, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { describeError } from "../ui/describe-error.ts";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";

interface PathDialogProps {
  readonly label: string;
  readonly action: string;
  readonly initial: string;
  readonly onPath: (path: string) => Promise<void>;
  readonly onClose: () => void;
}

/** Asks for the path of a new file, or a new one of a file that there is. */
export function PathDialog({ label, action, initial, onPath, onClose }: PathDialogProps) {
  const [path, setPath] = useState(initial);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    onPath(path.trim())
      .then(onClose)
      .catch((error: unknown) => setProblem(describeError(error).message))
      .finally(() => setBusy(false));
  };
  return (
    <Modal label={label} onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField
          label="Path"
          required
          autoFocus
          fontFamily="mono"
          placeholder="folder/name.py"
          value={path}
          onChange={(event) => setPath(event.currentTarget.value)}
          help="Folders are made as they are needed."
          problem={problem}
        />
        <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={busy}>
          {action}
        </Button>
      </Flex>
    </Modal>
  );
}
