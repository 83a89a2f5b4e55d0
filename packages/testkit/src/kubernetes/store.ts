/** What an API server keeps: documents with versions, and what has happened to them. */

export interface Document {
  readonly apiVersion: string;
  readonly kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    labels?: Record<string, string>;
    ownerReferences?: { kind: string; name: string; uid: string }[];
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    [field: string]: unknown;
  };
  // oxlint-disable-next-line no-explicit-any -- documents are whatever a client has sent
  [field: string]: any;
}

export interface Change {
  readonly version: number;
  readonly resource: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Document;
}

/** By resource and then by namespace and name. */
export class Store {
  readonly #documents = new Map<string, Map<string, Document>>();
  readonly #watchers = new Set<(change: Change) => void>();
  #history: Change[] = [];
  /** Versions up to this one are forgotten. */
  forgotten = 0;
  version = 1;

  list(resource: string, namespace?: string): Document[] {
    const all = [...(this.#documents.get(resource)?.values() ?? [])];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  get(resource: string, namespace: string | undefined, name: string): Document | undefined {
    return this.#documents.get(resource)?.get(keyOf(namespace, name));
  }

  put(resource: string, document: Document): Document {
    const documents = this.#documents.get(resource) ?? new Map<string, Document>();
    this.#documents.set(resource, documents);
    const key = keyOf(document.metadata.namespace, document.metadata.name);
    const type = documents.has(key) ? "MODIFIED" : "ADDED";
    document.metadata.resourceVersion = String(++this.version);
    documents.set(key, document);
    this.#tell({ version: this.version, resource, type, object: structuredClone(document) });
    return document;
  }

  remove(resource: string, document: Document): void {
    const { namespace, name } = document.metadata;
    if (this.get(resource, namespace, name) !== document) return;
    this.#documents.get(resource)?.delete(keyOf(namespace, name));
    document.metadata.resourceVersion = String(++this.version);
    this.#tell({ version: this.version, resource, type: "DELETED", object: structuredClone(document) });
  }

  since(resource: string, version: number): Change[] {
    return this.#history.filter((change) => change.resource === resource && change.version > version);
  }

  watch(listener: (change: Change) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** As etcd does when it is compacted. */
  forget(): void {
    this.forgotten = this.version;
    this.#history = [];
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const watcher of this.#watchers) watcher(change);
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}
