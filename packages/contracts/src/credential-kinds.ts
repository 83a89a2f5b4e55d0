/** What a credential is for. A module of its own: the command line knows them without what parses. */
export const credentialKinds = ["model", "git", "index", "registry", "program"] as const;
