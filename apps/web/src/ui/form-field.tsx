import { Box, Field, Input, type InputProps, Textarea, type TextareaProps } from "@chakra-ui/react";
import type { ReactNode } from "react";

interface FieldFrameProps {
  readonly label: string;
  readonly help?: ReactNode;
  readonly problem?: string | null | undefined;
  readonly children: ReactNode;
}

function FieldFrame({ label, help, problem, children }: FieldFrameProps) {
  return (
    <Field.Root invalid={Boolean(problem)} gap="1">
      <Field.Label fontSize="sm">{label}</Field.Label>
      {children}
      {problem ? (
        <Field.ErrorText fontSize="xs">{problem}</Field.ErrorText>
      ) : help ? (
        <Field.HelperText fontSize="xs">{help}</Field.HelperText>
      ) : (
        <Box display="none" />
      )}
    </Field.Root>
  );
}

type Framed<P> = P & Omit<FieldFrameProps, "children">;

/** A labelled one-line input with help and, when wrong, what is wrong. */
export function TextField({ label, help, problem, ...input }: Framed<InputProps>) {
  return (
    <FieldFrame label={label} help={help} problem={problem}>
      <Input size="sm" bg="bg.panel" {...input} />
    </FieldFrame>
  );
}

/** The same with several lines. */
export function TextAreaField({ label, help, problem, ...area }: Framed<TextareaProps>) {
  return (
    <FieldFrame label={label} help={help} problem={problem}>
      <Textarea size="sm" fontFamily="mono" fontSize="xs" bg="bg.panel" spellCheck={false} {...area} />
    </FieldFrame>
  );
}
