import type { PackageIndex, PackageIndexChange, packageIndexRoutes, PackageIndexTest } from "@syla/contracts/package-indexes";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { Page } from "./runs.ts";
import type { CallOptions, ChangeOptions, CreateOptions, Transport } from "./transport.ts";

/** Filters and page of the list. */
export type ListPackageIndexesQuery = Omit<Partial<RouteQuery<typeof packageIndexRoutes.listPackageIndexes>>, "limit"> & {
  readonly limit?: number | undefined;
};

/** What a new one is made of; what is left out is as documented. */
export type PackageIndexDraft = RouteBody<typeof packageIndexRoutes.createPackageIndex>;

/** Where some packages come from, and from nowhere else. */
export interface PackageIndexes {
  list(query?: ListPackageIndexesQuery, options?: CallOptions): Promise<Page<PackageIndex>>;
  create(index: PackageIndexDraft, options?: CreateOptions): Promise<PackageIndex>;
  update(id: string, change: PackageIndexChange, options?: ChangeOptions): Promise<PackageIndex>;
  delete(id: string, options?: CallOptions): Promise<void>;
  /** Asks an index, stored or not, for a package. */
  test(wish: RouteBody<typeof packageIndexRoutes.testPackageIndex>, options?: CallOptions): Promise<PackageIndexTest>;
}

export function createPackageIndexes(transport: Transport): PackageIndexes {
  return {
    list: (query = {}, options = {}) => transport.json("listPackageIndexes", { ...options, query }),
    create: (body, options = {}) => transport.json("createPackageIndex", { ...options, body }),
    update: (id, body, options = {}) => transport.json("updatePackageIndex", { ...options, params: { id }, body }),
    delete: async (id, options = {}) => void (await transport.json("deletePackageIndex", { ...options, params: { id } })),
    test: (body, options = {}) => transport.json("testPackageIndex", { ...options, body }),
  };
}
