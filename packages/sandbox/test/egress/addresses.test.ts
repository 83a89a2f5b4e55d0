import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAddressRules, embedded4, isPrivateAddress, parseException } from "../../src/egress/addresses.ts";

const nobody = () => new Set<string>();
const rules = createAddressRules([], nobody);

describe("addresses that no sandbox is connected to", () => {
  test.each([
    ["0.0.0.0", "unspecified"],
    ["10.0.0.1", "private"],
    ["10.255.255.255", "private"],
    ["100.64.0.1", "private (carrier NAT)"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["169.254.1.1", "link-local"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.0.0.8", "reserved"],
    ["192.168.1.1", "private"],
    ["198.19.255.255", "reserved"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.250", "multicast"],
    ["255.255.255.255", "reserved"],
    ["169.254.169.254", "a cloud's metadata service"],
    ["100.100.100.200", "a cloud's metadata service"],
    ["168.63.129.16", "a cloud's metadata service"],
    ["fd00:ec2::254", "a cloud's metadata service"],
    ["::", "loopback"],
    ["::1", "loopback"],
    ["fc00::1", "private or reserved"],
    ["fdff::1", "private or reserved"],
    ["fe80::1", "private or reserved"],
    ["fec0::1", "private or reserved"],
    ["ff02::1", "private or reserved"],
    ["100::1", "private or reserved"],
    ["64:ff9b:1::1", "private or reserved"],
    ["2001::1", "reserved"],
    ["2001:db8::1", "reserved"],
    ["3fff::1", "reserved"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:a00:1", "private"],
    ["::ffff:0:10.0.0.1", "private"],
    ["::10.0.0.1", "private"],
    ["64:ff9b::169.254.169.254", "a cloud's metadata service"],
    ["64:ff9b::10.0.0.1", "private"],
    ["2002:7f00:1::", "loopback"],
    ["2002:a9fe:a9fe::1", "a cloud's metadata service"],
    ["fe80::1%eth0", "not an address"],
    ["2606:4700::1%1", "not an address"],
    ["", "not an address"],
    ["127.1", "not an address"],
    ["example.org", "not an address"],
  ])("%s: %s", (address, reason) => {
    expect(rules.refusal(address, 443)).toBe(reason);
  });

  test.each(["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.128.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"])(
    "%s is public, and so are its other forms",
    (address) => {
      const forms = isIP(address) === 4 ? [address, `::ffff:${address}`, `64:ff9b::${address}`] : [address];
      for (const form of forms) expect(rules.refusal(form, 443)).toBeNull();
    },
  );

  test("the addresses of this machine, in every form", () => {
    const own = createAddressRules([], () => new Set(["8.8.4.4", "2606:4700::1"]));
    for (const address of ["8.8.4.4", "::ffff:8.8.4.4", "64:ff9b::808:404", "2606:4700::1"])
      expect(own.refusal(address, 80)).toBe("an address of this server");
  });

  test("an IPv4 address is judged the same in every form that carries it", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom("::ffff:", "64:ff9b::", "::ffff:0:"), (address, prefix) => {
        expect(embedded4(prefix + address)).toBe(address);
        expect(rules.refusal(prefix + address, 443)).toBe(rules.refusal(address, 443));
      }),
      { numRuns: 2000 },
    );
  });

  test("any IPv6 address gets an answer, in any notation", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
        expect(rules.refusal(address, 443)).toBe(rules.refusal(groups, 443));
        expect(rules.refusal(address.toUpperCase(), 443)).toBe(rules.refusal(address, 443));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("exceptions of an administrator", () => {
  test("open a network, on one port or on all, and nothing beside it", () => {
    const open = createAddressRules(["10.1.0.0/16", "127.0.0.1:5432", "[fd00::]/8:443", "192.168.7.7", "fd12::1"], nobody);
    expect(open.refusal("10.1.2.3", 1)).toBeNull();
    expect(open.refusal("::ffff:10.1.2.3", 1)).toBeNull();
    expect(open.refusal("10.2.0.1", 1)).toBe("private");
    expect(open.refusal("127.0.0.1", 5432)).toBeNull();
    expect(open.refusal("127.0.0.1", 5433)).toBe("loopback");
    expect(open.refusal("fdaa::1", 443)).toBeNull();
    expect(open.refusal("fdaa::1", 80)).toBe("private or reserved");
    expect(open.refusal("fd12::1", 80)).toBeNull();
    expect(open.refusal("192.168.7.7", 80)).toBeNull();
    expect(open.refusal("192.168.7.8", 80)).toBe("private");
  });

  test("never open the metadata services of clouds", () => {
    const open = createAddressRules(["0.0.0.0/0", "[::]/0"], nobody);
    for (const address of ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"])
      expect(open.refusal(address, 80)).toBe("a cloud's metadata service");
    expect(open.refusal("169.254.1.1", 80)).toBeNull();
  });

  test.each(["", "10.0.0.0/33", "10.0.0", "host", "10.0.0.1:0", "10.0.0.1:70000", "[fd00::]/129", "10.0.0.1/", "fd00::1%eth0", "*"])(
    "%j is none",
    (text) => {
      expect(() => parseException(text)).toThrow(/is not a network like/);
    },
  );
});

test("what only the machine and its own network are behind is told from the rest", () => {
  const own = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12::1", "::ffff:10.0.0.1"];
  const others = [
    "8.8.8.8",
    "172.32.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "fd00:ec2::254",
    "0.0.0.0",
    "203.0.113.7",
    "224.0.0.1",
  ];
  const others6 = ["::", "2606:4700::1", "2001:db8::1", "fe80::1", "ff02::1", "::ffff:8.8.8.8", "fd12::1%eth0", "localhost", ""];
  expect(own.filter((address) => !isPrivateAddress(address))).toEqual([]);
  expect([...others, ...others6].filter(isPrivateAddress)).toEqual([]);
});
