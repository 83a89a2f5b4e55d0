import { z } from "zod";

/** What the catalog holds. */
export const assetTypes = ["program", "model", "composition", "dataset"] as const;
export const AssetType = z.enum(assetTypes).meta({ id: "AssetType" });
export type AssetType = z.infer<typeof AssetType>;

/** The beginning of the ids of each type. */
export const assetPrefixes = { program: "prog", model: "model", composition: "comp", dataset: "data" } as const satisfies Record<
  AssetType,
  string
>;

/** The type that an id is of; undefined when it is none of an asset. */
export function assetTypeOf(id: string): AssetType | undefined {
  return assetTypes.find((type) => id.startsWith(`${assetPrefixes[type]}_`));
}

/** The part of an address that people can read. */
export const slug = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "lower-case letters and digits, with single hyphens between them")
  .max(60);

export const tag = z
  .string()
  .regex(/^[a-z0-9-]+$/, "lower-case letters, digits and hyphens")
  .max(30);

export const tags = z
  .array(tag)
  .max(10)
  .overwrite((list) => [...new Set(list)]);

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits");

/** A semantic version. Source: https://semver.org/spec/v2.0.0.html, without build metadata, which orders nothing. */
export const version = z
  .string()
  .max(64)
  .regex(
    /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-(0|[1-9]\d{0,8}|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d{0,8}|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$/,
    "must be like 1.2.3 or 1.2.3-beta.1",
  );

/** The revision that a change is a change of: the `ETag` of what was loaded, or `*`. */
export const ifMatch = z.object({
  "if-match": z
    .string()
    .regex(/^(\*|(W\/)?"?\d{1,9}"?)$/, "must be an ETag of this, or *")
    .optional(),
});
