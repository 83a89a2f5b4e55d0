import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Job } from "kubernetes-models/batch/v1/Job";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { Pod } from "kubernetes-models/v1/Pod";
import { ResourceQuota } from "kubernetes-models/v1/ResourceQuota";
import { Secret } from "kubernetes-models/v1/Secret";
import type { Manifest } from "../../src/kubernetes/manifest.ts";

const models = { ConfigMap, Job, Namespace, NetworkPolicy, Pod, ResourceQuota, Secret };

/** What of a manifest is not as the OpenAPI document of Kubernetes has it; fields that it does not know are found by name. */
export function checkManifest(manifest: Manifest): string[] {
  const Model = models[manifest.kind as keyof typeof models] as new (data: object) => { validate(): void };
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
