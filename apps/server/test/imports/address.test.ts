import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "@syla/server/platform/secret";
import type { Actor } from "../../src/access/actor.ts";
import { checkRef, readGitAddress, splitRefAndPath } from "../../src/imports/git/address.ts";
import { openGitLogin } from "../../src/imports/git/login.ts";

describe("the address of a repository", () => {
  const repository = "https://github.com/owner/name";
  it.each<[string, string, (string | null)?, (string | null)?]>([
    ["owner/name", repository],
    ["https://github.com/owner/name", repository],
    ["https://github.com/owner/name.git", repository],
    ["https://github.com/owner/name/", repository],
    ["http://www.github.com/owner/name", repository],
    ["github.com/owner/name", repository],
    ["git@github.com:owner/name.git", repository],
    ["ssh://git@github.com/owner/name.git", repository],
    ["ssh://git@github.com:22/owner/name.git", repository],
    ["https://github.com/owner/name/tree/main/src/lib", repository, null, "main/src/lib"],
    ["https://github.com/owner/name/tree/feature/x", repository, null, "feature/x"],
    ["https://github.com/owner/name/blob/main/src/app.py", repository, null, "main/src"],
    ["https://github.com/owner/name/blob/main/app.py?plain=1#L3", repository, null, "main"],
    ["https://github.com/owner/name/archive/refs/heads/main.zip", repository, "main"],
    ["https://github.com/owner/name/archive/refs/tags/v1.0.tar.gz", repository, "v1.0"],
    [
      "https://github.com/owner/name/commit/0123456789abcdef0123456789abcdef01234567",
      repository,
      "0123456789abcdef0123456789abcdef01234567",
    ],
    ["https://github.com/owner/name/releases/tag/v2", repository, "v2"],
    ["https://github.com/owner/name/pulls", repository],
    ["https://gist.github.com/owner/0123456789abcdef0123456789abcdef", "https://gist.github.com/0123456789abcdef0123456789abcdef.git"],
    ["https://gitlab.com/group/sub/name/-/tree/main/src", "https://gitlab.com/group/sub/name", null, "main/src"],
    ["git@gitlab.example.org:group/name.git", "https://gitlab.example.org/group/name.git"],
    ["https://bitbucket.org/owner/name/src/main/lib", "https://bitbucket.org/owner/name", null, "main/lib"],
    ["http://git.example.org:3000/owner/name.git", "http://git.example.org:3000/owner/name.git"],
  ])("%s", (text, url, ref = null, refAndPath = null) => {
    expect(readGitAddress(text)).toEqual({ url, ref, refAndPath });
  });

  it.each([
    "",
    "hello",
    "/etc/passwd",
    "file:///etc/passwd",
    "ext::sh -c id",
    "git://example.org/a",
    "--upload-pack=id",
    "-c/x",
    "https://",
    "https://user:secret@example.org/a",
    "https://github.com/owner",
    "https://example.org/-x/a",
    "https://example.org/a%00b",
    "https://example.org/%2e%2e/a%0a",
    "https://gist.github.com/owner/none",
  ])("refuses %j", (text) => {
    expect(() => readGitAddress(text)).toThrow(expect.objectContaining({ code: "git_url_invalid" }));
  });

  it("never becomes an option, a file or another protocol", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.stringMatching(/^[-a-z@:/.%~]{0,40}$/)), (text) => {
        const url = urlOf(text);
        expect(url === "git_url_invalid" || /^https?:\/\/[^/\s@]+\/[^\s\\]+$/.test(url)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("is split where the branch ends, which may contain slashes", () => {
    const names = new Set(["main", "feature/x", "feature/x/y"]);
    expect(splitRefAndPath("feature/x/y/src", names)).toEqual({ ref: "feature/x/y", path: "src" });
    expect(splitRefAndPath("feature/x/z", names)).toEqual({ ref: "feature/x", path: "z" });
    expect(splitRefAndPath("main", names)).toEqual({ ref: "main", path: null });
    expect(() => splitRefAndPath("other/src", names)).toThrow(expect.objectContaining({ code: "git_ref_unknown" }));
  });

  it.each(["-x", "--upload-pack=id", "a..b", "a b", "a:b", "a^", "@", "a@{1}", "/a", "a/", "a.lock", "a\u0000", "*"])(
    "refuses the name %j",
    (ref) => {
      expect(() => checkRef(ref)).toThrow(expect.objectContaining({ code: "git_ref_unknown" }));
    },
  );
});

/** The address that git is given, or the code of the refusal. */
function urlOf(text: string): string {
  try {
    return readGitAddress(text).url;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("a stored login", () => {
  it.each([
    ["git.example.org", "https://git.example.org/owner/name", true],
    ["git.example.org", "http://git.example.org/owner/name", false],
    ["elsewhere.example.org", "https://git.example.org/owner/name", false],
    [null, "https://git.example.org/owner/name", false],
  ])("that is for %s when it is opened is sent to %s: %s", async (host, url, isSent) => {
    // Whoever may use it was asked before it was given another host.
    const credentials = {
      requireUsable: async () => {},
      reveal: async (id: string) => ({ id, ownerId: "user_1", username: null, host, value: new Secret("token") }),
    };
    const actor: Actor = { userId: "user_1", role: "developer", via: "session" };
    const opened = await openGitLogin(credentials, actor, "cred_1", url, "credentialId").catch((error: unknown) => error);
    expect(opened).toMatchObject(isSent ? { token: "token" } : { code: "credential_unusable", fields: [{ path: "credentialId" }] });
  });
});
