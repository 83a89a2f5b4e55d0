import { Button, Flex } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { describeError, fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { useUpdateAsset } from "./queries.ts";

interface Form {
  readonly name: string;
  readonly slug: string;
  readonly description: string;
  readonly tags: string;
}

const formOf = ({ name, slug, description, tags }: Asset): Form => ({ name, slug, description, tags: tags.join(", ") });

/** What an asset is called, and how it is found. */
export function DetailsForm({ asset }: { readonly asset: Asset }) {
  const [base, setBase] = useState(asset);
  const [form, setForm] = useState(() => formOf(asset));
  const update = useUpdateAsset(asset.id);
  const before = formOf(base);
  const isChanged = (Object.keys(form) as (keyof Form)[]).some((key) => form[key] !== before[key]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const change = {
      ...(form.name === before.name ? {} : { name: form.name }),
      ...(form.slug === before.slug ? {} : { slug: form.slug }),
      ...(form.description === before.description ? {} : { description: form.description }),
      ...(form.tags === before.tags ? {} : { tags: form.tags.split(/[\s,]+/).filter((tag) => tag !== "") }),
    };
    const onSuccess = (saved: Asset) => {
      setBase(saved);
      setForm(formOf(saved));
    };
    update.mutate({ change, revision: base.revision }, { onSuccess });
  };
  const field = (key: keyof Form) => ({
    value: form[key],
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => {
      const { value } = event.currentTarget;
      setForm((now) => ({ ...now, [key]: value }));
    },
    problem: fieldProblem(update.error, key),
  });
  return (
    <Section heading="Details">
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField label="Name" required maxLength={100} {...field("name")} />
        <TextField label="Slug" help="The part of its address that people read, and its name on the command line." {...field("slug")} />
        <TextAreaField label="Description" rows={3} maxLength={1000} {...field("description")} />
        <TextField label="Tags" help="Ten at most, separated by commas." {...field("tags")} />
        {update.error && describeError(update.error).fields.length === 0 ? <ErrorPanel error={update.error} /> : null}
        <Flex justify="flex-end" gap="2">
          {isChanged || update.isError ? (
            <Button
              size="sm"
              variant="outline"
              onClick={() => {
                setBase(asset);
                setForm(formOf(asset));
                update.reset();
              }}
            >
              Discard
            </Button>
          ) : null}
          <Button type="submit" size="sm" colorPalette="accent" disabled={!isChanged} loading={update.isPending}>
            Save
          </Button>
        </Flex>
      </Flex>
    </Section>
  );
}
