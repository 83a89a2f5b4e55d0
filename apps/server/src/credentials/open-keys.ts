import type { Config } from "../config.ts";
import { openKeyFile } from "./key-file.ts";
import { joinKeys, type MasterKeys } from "./master-keys.ts";
import { openTransitKeys } from "./transit/keys.ts";

/** The master keys as the server is set up: those that seal, and those that open what they have sealed before. */
export function openKeys(config: Config, file: string): MasterKeys {
  const inFile = openKeyFile(config.credentialKeysFile ?? file);
  const inKms = openKms(config);
  if (inKms === null) return inFile;
  return config.credentialKeys === "kms" ? joinKeys(inKms, [inFile]) : joinKeys(inFile, [inKms]);
}

function openKms({ kmsUrl: url, kmsToken: token, kmsRoleId: roleId, kmsSecretId: secretId, ...config }: Config): MasterKeys | null {
  const login = token !== undefined ? { token } : roleId !== undefined && secretId !== undefined ? { roleId, secretId } : null;
  if (url === undefined || login === null) return null;
  const { kmsMount: mount, kmsKey: key, kmsNamespace: namespace, kmsSeconds, kmsCacheSeconds } = config;
  return openTransitKeys({ url, login, mount, key, namespace, timeoutMs: kmsSeconds * 1000, rememberMs: kmsCacheSeconds * 1000 });
}
